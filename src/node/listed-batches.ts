// The batches that this validator's last pool commitments list. Others may have to be served them until the height of
// the commitment is final (protocol §3, "all of it is kept and served"), also when the pool lets go of them before: a
// commitment for the next height is made ahead, and the block that becomes final meanwhile may leave a listed batch
// without a message that a block could take. Without this every validator dropped such a batch, and no block of the
// next height could be made or checked: nobody had what more than f had listed.
import type { Batch, BatchId, Height } from '../types/index.ts'

interface Listed {
  readonly batch: Batch
  /** Of the highest commitment that lists it. */
  readonly height: Height
}

/** Bounded by the entries of two commitments: a validator makes one a height, and one ahead. */
export class ListedBatches {
  readonly #listed = new Map<BatchId, Listed>()

  /** Keeps batches for a commitment of `height`. */
  list(height: Height, batches: Iterable<Batch>): void {
    for (const batch of batches) {
      const known = this.#listed.get(batch.id)
      if (known === undefined || known.height < height) this.#listed.set(batch.id, { batch, height })
    }
  }

  get(id: BatchId): Batch | undefined {
    return this.#listed.get(id)?.batch
  }

  /** Whether it has to be kept when the chain has `finalHeight`. */
  isKeptAt(id: BatchId, finalHeight: Height): boolean {
    const listed = this.#listed.get(id)
    return listed !== undefined && listed.height > finalHeight
  }

  /** Those that nobody has to be served any more when the chain has `finalHeight`. */
  doneAt(finalHeight: Height): BatchId[] {
    return [...this.#listed].filter(([, { height }]) => height <= finalHeight).map(([id]) => id)
  }

  /** Forgets what `doneAt` tells. */
  settle(finalHeight: Height): void {
    for (const id of this.doneAt(finalHeight)) this.#listed.delete(id)
  }
}
