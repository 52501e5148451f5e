// K4: what a validator lists and this node does not hold is fetched from it. Decides which lists are looked at; the
// asking is the fetcher's. A liar can sign lists without end, of batches that nobody has: looked at are only the heights
// that gossip takes too, and of each validator the first list of a height, so that phantoms never crowd out what honest
// ones list.
import type { ChainStore } from '../storage/index.ts'
import type { BatchId, Height, PoolCommitment, ValidatorIndex } from '../types/index.ts'
import type { BatchFetcher } from './batch-fetcher.ts'

/** Heights above the final one whose commitments there can be: that under way, and the one made ahead for the next. */
const heightsAhead = 2

export interface ListedWantsOptions {
  readonly store: Pick<ChainStore, 'batchHeights'>
  readonly fetcher: Pick<BatchFetcher, 'want'>
  readonly finalHeight: () => Height
  readonly isInHand: (id: BatchId) => boolean
  readonly onFatal: (error: unknown) => void
}

export class ListedWants {
  readonly #options: ListedWantsOptions
  /** The first list of each validator, by height. */
  readonly #first = new Map<Height, Map<ValidatorIndex, PoolCommitment>>()

  constructor(options: ListedWantsOptions) {
    this.#options = options
  }

  /** A verified commitment; it may come again, from whomever. */
  onCommitment(commitment: PoolCommitment): void {
    const { store, fetcher, isInHand, onFatal } = this.#options
    const { height, entries, validator } = commitment
    if (!this.#isLookedAt(commitment)) return
    const unknown = entries.map(({ batchId }) => batchId).filter((id) => !isInHand(id))
    if (unknown.length === 0) return
    store.batchHeights(unknown).then((heights) => {
      for (const [at, id] of unknown.entries()) {
        if (heights[at] !== undefined || isInHand(id)) continue
        fetcher.want(id, { height, holders: [validator], isUrgent: false })
      }
    }, onFatal)
  }

  /** Blocks up to this height are final. */
  settle(finalHeight: Height): void {
    for (const height of this.#first.keys()) if (height <= finalHeight) this.#first.delete(height)
  }

  #isLookedAt(commitment: PoolCommitment): boolean {
    const { height, validator, bytes } = commitment
    const final = this.#options.finalHeight()
    if (height <= final || height > final + heightsAhead) return false
    const lists = this.#first.get(height) ?? new Map<ValidatorIndex, PoolCommitment>()
    this.#first.set(height, lists)
    const first = lists.get(validator)
    if (first === undefined) lists.set(validator, commitment)
    return first === undefined || Buffer.compare(first.bytes, bytes) === 0
  }
}
