// How long blocks take of late, from one to the next: what waits for something that a block may bring waits in proportion
// to it. A smoothed mean of what was measured.

/** A pause counts as this. Above it blocks wait for messages, not messages for blocks. */
const intervalMaxMs = 1_000
const gain = 1 / 4

export class BlockPace {
  #intervalMs = 0
  #lastMs = 0

  /** In milliseconds; 0 before the first block. */
  get intervalMs(): number {
    return this.#intervalMs
  }

  /** A block became final. */
  onBlock(nowMs: number): void {
    // Wall time may have been set back.
    const sinceMs = Math.min(intervalMaxMs, Math.max(0, nowMs - this.#lastMs))
    this.#lastMs = nowMs
    this.#intervalMs += (sinceMs - this.#intervalMs) * gain
  }
}
