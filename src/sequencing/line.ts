// The line: batches that commitments attached to the last 64 final blocks listed and that wait still (protocol §3.1).
// Half of a pool commitment goes to it, so validators with long pools list the same batches and blocks fill; the other
// half goes to the rest, so a liar that fills the line shuts nobody out. What a validator lists is its own choice:
// nobody checks it, so none of this is part of a block's validity.
import type { BatchId, Height, PoolCommitment, ValidatorIndex } from '../types/index.ts'

/** Final blocks whose attached commitments make the line. */
export const lineWindowBlocks = 64

/** A batch that the window lists; shared by all its places. */
interface Listing {
  readonly batchId: BatchId
  /** Places in the window's lists. */
  places: number
  isInChain: boolean
}

interface ListedBlock {
  readonly height: Height
  /** What each attached commitment listed, ascending by batch id. */
  readonly lists: Map<ValidatorIndex, Listing[]>
}

/** Rebuilt after a restart by appending the last 64 blocks. Bound: n commitments of K entries a block, n·K ≤ 26,214 by
 *  the limits of the protocol, so at most 1.7 million places (8 bytes each) and, if no two are equal, as many listings;
 *  what came into the chain leaves, so without liars it holds no more than validators' pools do. */
export class Line {
  readonly #listings = new Map<BatchId, Listing>()
  /** Ascending by height, at most `lineWindowBlocks`. */
  readonly #blocks: ListedBlock[] = []

  /** Takes in the next final block and lets go what is older than the window.
   *  @param batchIds the block's batches: they wait no more.
   *  @throws RangeError where a height is left out. */
  appendBlock({
    height,
    commitments,
    batchIds,
  }: {
    readonly height: Height
    readonly commitments: readonly PoolCommitment[]
    readonly batchIds: readonly BatchId[]
  }): void {
    const last = this.#blocks.at(-1)
    if (last !== undefined && height !== last.height + 1)
      throw new RangeError(`block ${height} does not follow block ${last.height}`)
    const lists = new Map<ValidatorIndex, Listing[]>()
    for (const { validator, entries } of commitments) {
      lists.set(
        validator,
        entries.map(({ batchId }) => this.#addPlace(batchId)),
      )
    }
    this.#blocks.push({ height, lists })
    for (const batchId of batchIds) this.#markInChain(batchId)
    while (this.#blocks.length > lineWindowBlocks) this.#dropOldest()
  }

  /** Whether a commitment of the window lists the batch, and no block of it holds it. */
  has(batchId: BatchId): boolean {
    const listing = this.#listings.get(batchId)
    return listing !== undefined && !listing.isInChain
  }

  /** The line in its order, none twice: a batch of each lister in turn, each lister's by (height at which it first
   *  listed it in the window, batch id). Turns go by validator index and begin, height by height, at the next lister:
   *  where half of K is less than the listers, liars of low index would else take every place for ever. Not to be
   *  read on after the line has changed.
   *  @param held the batches to look for: what waits in the line and is not among them is passed over. Each is looked
   *    up once; the window may list a hundred times as many that nobody has. */
  heldInTurn(held: Iterable<BatchId>): Generator<BatchId, void> {
    const wanted = new Set<Listing>()
    for (const batchId of held) {
      const listing = this.#listings.get(batchId)
      if (listing !== undefined && !listing.isInChain) wanted.add(listing)
    }
    return this.#takeInTurn(wanted)
  }

  /** As `heldInTurn`, of all that waits in the line and is wanted. */
  inTurn(isWanted: (batchId: BatchId) => boolean): Generator<BatchId, void> {
    return this.heldInTurn([...this.#listings.keys()].filter(isWanted))
  }

  /** Uses `wanted` up. */
  *#takeInTurn(wanted: Set<Listing>): Generator<BatchId, void> {
    let queues = this.#listersInTurn().map((lister) => this.#listingsOf(lister))
    while (wanted.size > 0 && queues.length > 0) {
      const unfinished: typeof queues = []
      for (const queue of queues) {
        const listing = nextWanted(queue, wanted)
        if (listing === undefined) continue
        wanted.delete(listing)
        unfinished.push(queue)
        yield listing.batchId
      }
      queues = unfinished
    }
  }

  /** Listers of the window, by index from the one whose turn is first. */
  #listersInTurn(): ValidatorIndex[] {
    const listers = [...new Set(this.#blocks.flatMap(({ lists }) => [...lists.keys()]))].sort((a, b) => a - b)
    const first = (this.#blocks.at(-1)?.height ?? 0) % Math.max(1, listers.length)
    return [...listers.slice(first), ...listers.slice(0, first)]
  }

  /** A lister's listings from the oldest block on. One that it listed at several heights comes up again: it is taken
   *  or unwanted by then. */
  *#listingsOf(lister: ValidatorIndex): Generator<Listing, void> {
    for (const { lists } of this.#blocks) {
      const list = lists.get(lister)
      if (list === undefined) continue
      const waiting = this.#withoutInChain(list)
      lists.set(lister, waiting)
      yield* waiting
    }
  }

  /** The list without what came into the chain since, so that under load nobody walks it again. */
  #withoutInChain(list: Listing[]): Listing[] {
    if (!list.some((listing) => listing.isInChain)) return list
    return list.filter((listing) => {
      if (listing.isInChain) this.#removePlace(listing)
      return !listing.isInChain
    })
  }

  #addPlace(batchId: BatchId): Listing {
    const listing = this.#listings.get(batchId) ?? { batchId, places: 0, isInChain: false }
    if (listing.places === 0) this.#listings.set(batchId, listing)
    listing.places += 1
    return listing
  }

  #removePlace(listing: Listing): void {
    listing.places -= 1
    if (listing.places === 0) this.#listings.delete(listing.batchId)
  }

  #markInChain(batchId: BatchId): void {
    const listing = this.#listings.get(batchId)
    if (listing !== undefined) listing.isInChain = true
  }

  #dropOldest(): void {
    const oldest = this.#blocks.shift()
    for (const list of oldest?.lists.values() ?? []) {
      for (const listing of list) this.#removePlace(listing)
    }
  }
}

function nextWanted(queue: Generator<Listing, void>, wanted: ReadonlySet<Listing>): Listing | undefined {
  for (let next = queue.next(); !next.done; next = queue.next()) {
    if (wanted.has(next.value)) return next.value
  }
  return undefined
}
