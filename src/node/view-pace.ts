// How long the first view of a height may take (protocol V9): as long as the views of this network do, so that a leader
// that is down costs little, and within what the operator allows. The estimate is that of TCP's retransmission timer
// (RFC 6298): a smoothed mean and deviation of what was measured, doubled with every view that ended without a block until
// one is measured again. Timers decide when a validator gives a view up and nothing else: a wrong one costs time.

/** RFC 6298, section 2. */
const meanGain = 1 / 8
const deviationGain = 1 / 4
const deviations = 4
/** A block of twice the messages takes twice the time, and is no reason to give a leader up. */
const margin = 2

export class ViewPace {
  readonly #minMs: number
  readonly #maxMs: number
  #estimate: { readonly meanMs: number; readonly deviationMs: number } | undefined
  /** Views that ended without a block since one was measured. */
  #failures = 0
  /** The view under way, and since when. */
  #current: { readonly height: number; readonly view: number; readonly sinceMs: number } | undefined

  /** What the first view of the height under way was due. */
  #due: { readonly height: number; readonly ms: number } | undefined

  /** @param minMs of a first view; where it is not below `maxMs`, that is what every first view has.
   *  @param maxMs what a first view has at most, and before anything was measured. */
  constructor({ minMs, maxMs }: { minMs: number; maxMs: number }) {
    this.#minMs = Math.min(minMs, maxMs)
    this.#maxMs = maxMs
  }

  /** Of the first view of a height, in milliseconds. */
  get timeoutMs(): number {
    // The shortest allowed is doubled too: a doubled estimate far below it would change nothing, and one of 0 never.
    return Math.min(this.#maxMs, this.#measuredMs * 2 ** this.#failures)
  }

  /** What is due without failures; not below the shortest allowed. */
  get #measuredMs(): number {
    if (this.#estimate === undefined) return this.#maxMs
    const { meanMs, deviationMs } = this.#estimate
    return Math.max(this.#minMs, margin * (meanMs + deviations * deviationMs))
  }

  /** The timer of a view is armed: of the first one with the commitments to make a block of, of a later one where those
   *  before brought none. Returns what the first view of this height was due, in milliseconds: later views double that,
   *  and not also what failed before them. */
  onViewTimer({ height, view, nowMs }: { height: number; view: number; nowMs: number }): number {
    if (this.#due?.height !== height) this.#due = { height, ms: this.timeoutMs }
    this.#current = { height, view, sinceMs: nowMs }
    if (view > 0) this.#failures += 1
    return this.#due.ms
  }

  /** A block of the height is notarized. */
  onNotarized({ height, view, nowMs }: { height: number; view: number; nowMs: number }): void {
    const current = this.#current
    this.#current = undefined
    // A clock that was set meanwhile measures nothing.
    if (current?.height !== height || view !== current.view || nowMs < current.sinceMs) return
    const tookMs = Math.min(nowMs - current.sinceMs, this.#maxMs)
    if (view === 0) this.#failures = 0
    // First views that are too short for some blocks are never measured with one: those in between would keep them so.
    else if (tookMs <= this.#measuredMs) return
    if (this.#estimate === undefined) {
      this.#estimate = { meanMs: tookMs, deviationMs: tookMs / 2 }
      return
    }
    const { meanMs, deviationMs } = this.#estimate
    this.#estimate = {
      meanMs: meanMs + meanGain * (tookMs - meanMs),
      deviationMs: deviationMs + deviationGain * (Math.abs(tookMs - meanMs) - deviationMs),
    }
  }
}
