// Makes batches of its own without end, lists nothing else, and so fills the line: whoever lists only what stands in
// line never comes to list an honest batch again.
import type { MakeBehaviour } from '../behaviour.ts'

/** After the healing it goes on for so long: what was accepted before has to be final by then all the same. */
const fillMs = 15_000

export const lineFiller: MakeBehaviour = ({ random, replica, elapsedMs, healMs }) => {
  let made = 0
  return {
    onTick: () => {
      const own = replica()
      if (own === undefined || elapsedMs() > healMs + fillMs) return
      for (let burst = 0; burst < 2; burst++) {
        const message = { data: random.bytes(12), timestamp: made++ }
        // A full pool, or a process that is just ending: then it fills the line another time.
        own.submit([message]).catch(() => undefined)
      }
    },
  }
}
