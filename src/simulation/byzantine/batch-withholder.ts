// Lists batches and hands them to nobody, or to few.
import type { MakeBehaviour } from '../behaviour.ts'

export const batchWithholder: MakeBehaviour = ({ random }) => {
  const sharedRate = random.pick([0, 0.3, 0.7])
  return {
    onSend: (frame) => (frame.kind === 'batch' && !random.chance(sharedRate) ? [] : [frame]),
    answerBatches: () => (random.chance(0.5) ? [] : undefined),
  }
}
