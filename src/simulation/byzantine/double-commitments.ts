// Sends one pool commitment to some and another one of the same height to others.
import type { MakeBehaviour } from '../behaviour.ts'
import { commitmentWith } from './forged.ts'

export const doubleCommitments: MakeBehaviour = (tools) => ({
  onSend: (frame) => {
    if (frame.kind !== 'pool-commitment' || tools.random.chance(0.4)) return [frame]
    const { commitment } = frame
    const entries = commitment.entries.filter(() => tools.random.chance(0.5))
    const other = commitmentWith(tools, {
      ...commitment,
      entries,
      time: commitment.time + tools.random.between(0, 5),
    })
    return tools.random.chance(0.3) ? [frame, other] : [other]
  },
})
