// Waiting in a hostile run: for conditions, with a deadline; and for the end of a fault, which is time by its nature.
import { setTimeout as pause } from 'node:timers/promises'

export { pause }

const stepMs = 100

/** Resolves when the condition holds. What it throws (a node that does not answer) counts as not yet.
 *  @param comesCloser whether it came closer since it was asked last: then the time begins anew.
 *  @throws where it does not hold in time. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs: number,
  comesCloser = (): boolean => false,
): Promise<void> {
  let deadline = performance.now() + timeoutMs
  let last: unknown
  for (;;) {
    try {
      if (await holds()) return
      last = 'no'
    } catch (error) {
      last = error
    }
    if (comesCloser()) deadline = performance.now() + timeoutMs
    if (performance.now() > deadline) throw new Error(`not in ${timeoutMs / 1000} s: ${what} (${last})`)
    await pause(stepMs)
  }
}
