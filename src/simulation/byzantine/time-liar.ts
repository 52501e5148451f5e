// Lies about when it received batches: all at the beginning of time, all just now, or anything.
import type { MakeBehaviour } from '../behaviour.ts'
import { commitmentWith } from './forged.ts'

export const timeLiar: MakeBehaviour = (tools) => {
  const { random } = tools
  const lie = random.pick(['early', 'late', 'any', 'far-future'] as const)
  return {
    onSend: (frame) => {
      if (frame.kind !== 'pool-commitment') return [frame]
      const { commitment } = frame
      const time = lie === 'far-future' ? 2 ** 52 : commitment.time
      const entries = commitment.entries.map(({ batchId }) => ({
        batchId,
        receivedAt: lie === 'early' ? 0 : lie === 'any' ? random.between(0, time) : time,
      }))
      return [commitmentWith(tools, { ...commitment, time, entries })]
    },
  }
}
