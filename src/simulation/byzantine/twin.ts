// Equivocating leader, voter and lister in one, each half of it valid by itself: the validator runs twice, with one set
// of keys and two disks, and every other node hears one of the two, not always the same one (after the Twins method of
// testing Byzantine protocols).
import type { MakeBehaviour } from '../behaviour.ts'

export const twin: MakeBehaviour = ({ side, random, replica }) => {
  const offset = random.between(0, 1)
  return {
    onSend: (frame, to) => {
      const height = replica()?.head.state.height ?? 0
      return (to + Math.floor(height / 3) + side) % 2 === 0 || (offset === 1 && to % 3 === 0) ? [frame] : []
    },
  }
}
