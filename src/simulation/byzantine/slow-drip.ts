// Answers every request just before one would give up on it, or just after.
import type { MakeBehaviour } from '../behaviour.ts'

export const slowDrip: MakeBehaviour = ({ random }) => ({
  answerDelayMs: () => random.within(1_500, 2_200),
})
