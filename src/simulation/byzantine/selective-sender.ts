// Sends what it has to say to a few only, who change from time to time.
import type { MakeBehaviour } from '../behaviour.ts'

export const selectiveSender: MakeBehaviour = ({ random, others }) => {
  let favoured = new Set<number>()
  let ticks = 0
  return {
    onSend: (frame, to) => (favoured.has(to) ? [frame] : []),
    onTick: () => {
      if (ticks++ % 10 !== 0) return
      favoured = new Set(random.shuffle(others).slice(0, random.between(0, others.length)))
    },
  }
}
