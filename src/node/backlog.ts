// How much of what this node has accepted may wait to be final before it accepts no more. What blocks take is measured
// while there is a backlog, so that a burst after a pause is taken as it comes, and a load above what the network can
// do is refused while clients can still go elsewhere, not after minutes in a pool. A chain that stands still measures
// nothing: then the pool's own bounds are all there is, or what was measured last.

/** A backlog is what waits from so many bytes on, as the pool charges them; until half of that is left. */
const minBytes = 1024 * 1024
/** A rate is believed once it was measured for so long. */
const believedAfterMs = 500
/** What was measured so long ago counts a third. */
const memoryMs = 5_000

export class Backlog {
  readonly #maxWaitMs: number
  /** What blocks took in which time, the older the less; undefined where nothing to speak of waits. */
  #taken: { readonly bytes: number; readonly ms: number; readonly sinceMs: number } | undefined
  #lastBlockMs = 0

  /** @param maxWaitMs how long what is accepted may be expected to wait. */
  constructor(maxWaitMs: number) {
    this.#maxWaitMs = maxWaitMs
  }

  /** Bytes that may wait, as the pool charges them; infinite where nothing says how fast blocks take them. */
  get maxBytes(): number {
    if (this.#taken === undefined) return Number.POSITIVE_INFINITY
    const { bytes, ms, sinceMs } = this.#taken
    if (sinceMs < believedAfterMs) return Number.POSITIVE_INFINITY
    return Math.max(minBytes, (this.#maxWaitMs * bytes) / ms)
  }

  /** A block became final.
   *  @param takenBytes what left the pool with it, of what this node has accepted.
   *  @param waitingBytes what is left of that. */
  onBlock({
    nowMs,
    takenBytes,
    waitingBytes,
  }: {
    nowMs: number
    takenBytes: number
    waitingBytes: number
  }): void {
    // A clock that was set measures nothing.
    const tookMs = Math.max(0, nowMs - this.#lastBlockMs)
    this.#lastBlockMs = nowMs
    if (this.#taken === undefined) {
      if (waitingBytes >= minBytes) this.#taken = { bytes: 0, ms: 0, sinceMs: 0 }
      return
    }
    if (waitingBytes < minBytes / 2) {
      this.#taken = undefined
      return
    }
    const { bytes, ms, sinceMs } = this.#taken
    const kept = Math.exp(-tookMs / memoryMs)
    // What lies far back within one long block counts less too: else an hour's halt would outweigh what follows it.
    const countedMs = memoryMs * (1 - kept)
    const countedBytes = tookMs === 0 ? takenBytes : takenBytes * (countedMs / tookMs)
    this.#taken = {
      bytes: kept * bytes + countedBytes,
      ms: kept * ms + countedMs,
      sinceMs: sinceMs + tookMs,
    }
  }
}
