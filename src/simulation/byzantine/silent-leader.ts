// Never proposes, and does not say so: its views last as long as their timers.
import type { MakeBehaviour } from '../behaviour.ts'

export const silentLeader: MakeBehaviour = ({ self, random }) => {
  const alsoHidesNullify = random.chance(0.5)
  return {
    onSend: (frame) => {
      if (frame.kind === 'proposal' && frame.proposal.leader === self) return []
      if (alsoHidesNullify && frame.kind === 'vote' && frame.vote.kind === 'nullify') return []
      return [frame]
    },
    answerView: () => [],
  }
}
