// How far validators say that the chain is, for those who want to know whether this node is behind. What strangers say
// counts for nothing: one invented height would otherwise make every node look behind for ever.
import { exceedsLying, type Thresholds } from '../quorum/index.ts'
import type { Height, ValidatorIndex } from '../types/index.ts'

export class ClaimedHeights {
  readonly #powers: readonly number[]
  readonly #thresholds: Thresholds
  /** At most one of each validator. */
  readonly #claims = new Map<ValidatorIndex, Height>()

  constructor({ powers, thresholds }: { powers: readonly number[]; thresholds: Thresholds }) {
    this.#powers = powers
    this.#thresholds = thresholds
  }

  /** What a validator says is final. */
  note(validator: ValidatorIndex, height: Height): void {
    this.#claims.set(validator, height)
  }

  /** The highest height that validators of more than the lying power say is final: one of them does not lie. 0 where
   *  too few have said anything. */
  get believable(): Height {
    let power = 0
    for (const [validator, height] of [...this.#claims].sort(([, a], [, b]) => b - a)) {
      power += this.#powers[validator] ?? 0
      if (exceedsLying(this.#thresholds, power)) return height
    }
    return 0
  }
}
