// Keeps its votes back, and lets them go late, when the others have long turned to something else.
import type { MakeBehaviour } from '../behaviour.ts'

export const voteWithholder: MakeBehaviour = ({ random, sendFrame, after }) => ({
  onSend: (frame, to) => {
    if (frame.kind !== 'vote' && frame.kind !== 'certificate') return [frame]
    if (random.chance(0.2)) return [frame]
    if (random.chance(0.7)) after(random.exponential(3_000), () => sendFrame(to, frame))
    return []
  },
  answerView: (frames) => (random.chance(0.5) ? [] : frames),
})
