// Makes batches of its own without end, lists nothing else, and so fills the line: whoever lists only what stands in
// line never comes to list an honest batch again.
import type { MakeBehaviour } from '../behaviour.ts'

export const lineFiller: MakeBehaviour = ({ random, replica }) => {
  let made = 0
  return {
    onTick: () => {
      const own = replica()
      if (own === undefined) return
      for (let burst = 0; burst < 3; burst++) {
        const message = { data: random.bytes(12), timestamp: made++ }
        // A full pool, or a process that is just ending: then it fills the line another time.
        own.submit([message]).catch(() => undefined)
      }
    },
  }
}
