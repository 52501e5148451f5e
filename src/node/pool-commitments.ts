// What this validator lists (protocol K1, K2): which batches of its pool a commitment names, one commitment a height, and
// none for a height that is over. What is listed is kept, and goes to disk with the signature. Called by the driver when
// the core wants a commitment; how entries are chosen of what there is is sequencing/entries.ts.
import type { Mempool } from '../mempool/index.ts'
import { selectEntries } from '../sequencing/index.ts'
import type { BatchId, BlockId, Height, PoolCommitment } from '../types/index.ts'
import type { ChainHead } from './chain-head.ts'
import type { Executed } from './execution.ts'
import type { ListedBatches } from './listed-batches.ts'
import type { Clock } from './ports.ts'
import type { SigningBasis } from './signing-basis.ts'

export interface PoolCommitmentsOptions {
  readonly mempool: Mempool
  readonly head: ChainHead
  readonly listed: ListedBatches
  readonly basis: SigningBasis
  readonly clock: Clock
  /** K of this network. */
  readonly entriesMax: number
  /** A height that is surely final, by what validators say: nothing is listed for those up to it. */
  readonly settledHeight: () => Height
  /** What was made of a block already, if anything. */
  readonly executed: (blockId: BlockId) => Executed | undefined
}

export class PoolCommitments {
  readonly #options: PoolCommitmentsOptions
  /** Of the last commitment that was made. */
  #lastHeight: Height = 0

  constructor(options: PoolCommitmentsOptions) {
    this.#options = options
  }

  /** What to sign; undefined where nothing is to be.
   *  @param assuming lists of the pool as it would be with that block in the chain, and nothing where that is empty. */
  make(wanted: {
    readonly height: Height
    readonly assuming?: BlockId
    readonly evenIfEmpty: boolean
  }): Pick<PoolCommitment, 'height' | 'time' | 'entries'> | undefined {
    const { height, assuming, evenIfEmpty } = wanted
    const { mempool, listed, head, basis, clock, entriesMax, settledHeight } = this.#options
    // K1: one a height. The core asks again where the pool emptied and filled before it heard of the one that is made.
    if (height <= this.#lastHeight) return undefined
    // A node that fetches the chain would write and sign one for each block of it, for nobody.
    if (height <= settledHeight()) return undefined
    const leaving = this.#leavingWith(assuming)
    if (leaving === undefined) return undefined
    const chosen = selectEntries({
      held: mempool.held(),
      line: head.state.line,
      isPending: (id) => !leaving.has(id),
      time: clock.nowMs(),
      entriesMax,
    })
    if (chosen.entries.length === 0 && !evenIfEmpty) return undefined
    for (const { batchId, receivedAt } of chosen.entries) {
      const batch = mempool.get(batchId)
      if (batch === undefined) continue
      basis.addBatch(batch, receivedAt)
      listed.list(height, [batch])
    }
    this.#lastHeight = height
    return { height, ...chosen }
  }

  /** Undefined where it is not known. */
  #leavingWith(assuming: BlockId | undefined): ReadonlySet<BatchId> | undefined {
    if (assuming === undefined) return new Set()
    const executed = this.#options.executed(assuming)
    if (executed === undefined) return undefined
    const { batchIds, messages } = executed.content
    const nextHeight = executed.header.height + 1
    const leaving = this.#options.mempool.leavingWith({
      batchIds,
      messageIds: messages.map(({ id }) => id),
      nextHeight,
    })
    return new Set([...leaving, ...batchIds])
  }
}
