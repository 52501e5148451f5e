// Work on blocks that takes time: recomputing and making them, which may have to wait for batches; fetching one by
// id; and making a final one part of the chain. One block is appended at a time, whether its finalization came from
// voting or from block sync.
import type { FinalBlock } from '../codec/index.ts'
import { InvariantBroken, isQuorum, powerOf, type Thresholds } from '../quorum/index.ts'
import { executionsMax } from '../trie/index.ts'
import type {
  Batch,
  BatchId,
  Block,
  BlockId,
  Finalization,
  Height,
  PoolCommitment,
  ValidatorIndex,
  View,
} from '../types/index.ts'
import type { BatchFetcher } from './batch-fetcher.ts'
import type { ChainHead, FinalEvent } from './chain-head.ts'
import type { BlockExecution, Executed } from './execution.ts'
import type { Clock, Log } from './ports.ts'

export interface BlockWorkOptions {
  readonly head: ChainHead
  readonly execution: BlockExecution
  readonly fetcher: BatchFetcher
  readonly powers: readonly number[]
  readonly thresholds: Thresholds
  readonly clock: Clock
  readonly log: Log
  readonly self: ValidatorIndex | undefined
  /** A batch of the pool. */
  readonly pooled: (id: BatchId) => Batch | undefined
  /** How long a leader tries to get batches before it leaves out a commitment that lists them. */
  readonly buildPatienceMs: () => number
  /** Called after the block is durable, before anything else of the next height. */
  readonly onAppended: (event: FinalEvent) => void
  readonly onFatal: (error: unknown) => void
}

interface BatchWaiter {
  readonly ids: Set<BatchId>
  readonly done: (isComplete: boolean) => void
}

export class BlockWork {
  readonly #options: BlockWorkOptions
  /** Of the height under way, as many as the trie keeps: of a block that outlasts so many others it is known which
   *  batches it has, since a repeat of it can be voted for in any later view, and no more. */
  readonly #executions = new Map<BlockId, Promise<Executed | 'invalid' | undefined>>()
  readonly #executed = new Map<BlockId, Executed>()
  /** Of every block recomputed. Most blocks of a height share theirs: a validator lists once a height. */
  readonly #batches = new Map<BlockId, readonly Batch[]>()
  /** Batches that a block of this height needs and the pool's door may not take. Bounded by the blocks' limits. */
  readonly #needed = new Map<BatchId, Batch | undefined>()
  readonly #waiters = new Set<BatchWaiter>()
  #appending: Promise<unknown> = Promise.resolve()
  #isStopped = false

  constructor(options: BlockWorkOptions) {
    this.#options = options
  }

  /** A batch in hand: of the pool, or fetched for a block of this height. */
  readonly batchOf = (id: BatchId): Batch | undefined => this.#options.pooled(id) ?? this.#needed.get(id)

  /** Whether a block of this height waits for the batch. */
  isNeeded(id: BatchId): boolean {
    return this.#needed.has(id)
  }

  /** A verified batch came in, whatever the pool's door said of it. */
  onBatch(batch: Batch): void {
    if (this.#needed.has(batch.id)) this.#needed.set(batch.id, batch)
    for (const waiter of this.#waiters) {
      waiter.ids.delete(batch.id)
      if (waiter.ids.size === 0) this.#finish(waiter, true)
    }
  }

  executed(blockId: BlockId): Executed | undefined {
    return this.#executed.get(blockId)
  }

  /** The batches of any block of this height that was found valid, or made here: what a vote for it rests on. */
  batchesOf(blockId: BlockId): readonly Batch[] | undefined {
    return this.#batches.get(blockId)
  }

  /** Recomputes a block of the height under way, fetching batches until all are there; undefined when the height
   *  is over before that. */
  execute(block: Block): Promise<Executed | 'invalid' | undefined> {
    const known = this.#executions.get(block.id)
    if (known !== undefined) return known
    const execution = this.#execute(block)
    this.#note(block.id, execution)
    return execution
  }

  /** P1: the leader's block of these commitments. Batches that can't be had in time cost the commitments that list
   *  them their place, as long as a quorum remains; undefined where none does, or the height is over. */
  async build(details: {
    height: Height
    view: View
    vrfProof: Uint8Array
    commitments: readonly PoolCommitment[]
  }): Promise<Block | undefined> {
    const { head, execution, self, log } = this.#options
    const { height, view, vrfProof } = details
    if (self === undefined) return undefined
    let commitments = details.commitments
    let mayWait = true
    for (let round = 0; round <= details.commitments.length + 1; round++) {
      if (head.state.height + 1 !== height) return undefined
      const made = await execution.build(head.state, { view, leader: self, vrfProof, commitments })
      if (head.state.height + 1 !== height) return undefined
      if (made.kind === 'executed') {
        this.#note(made.id, Promise.resolve(made))
        this.#keep(made)
        const { id, header, headerBytes } = made
        return { id, header, headerBytes, signature: new Uint8Array(64), commitments }
      }
      if (made.kind === 'overtaken') return undefined
      if (made.kind === 'invalid') throw new InvariantBroken(`its own block is not valid: ${made.reason}`)
      if (
        mayWait &&
        (await this.#haveBatches(made.batchIds, {
          height,
          commitments,
          forMs: this.#options.buildPatienceMs(),
        }))
      ) {
        continue
      }
      mayWait = false
      const missing = made.batchIds.filter((id) => this.batchOf(id) === undefined)
      const fewer = this.#withoutLister(commitments, missing)
      if (fewer === undefined) break
      commitments = fewer
    }
    log.warn({ height, view }, 'gave up this view as its leader: batches that commitments list cannot be had')
    return undefined
  }

  /** V7: appends the block once its content is there; another road (block sync) may be sooner. */
  async finalise(finalization: Finalization, block: Block): Promise<void> {
    const executed = await this.execute(block)
    if (executed === undefined) return
    if (executed === 'invalid') {
      throw new InvariantBroken(
        `block ${block.id} of height ${block.header.height} is final but not what the chain allows`,
      )
    }
    await this.#append({ block, finalization, batches: executed.content.batches }, executed)
  }

  /** A block of block sync, whose signatures hold. Recomputed and appended, if it is of the next height. */
  async applySynced(final: FinalBlock): Promise<'applied' | 'stale' | { readonly refused: string }> {
    const { head, execution } = this.#options
    const { block } = final
    return this.#exclusively(async () => {
      if (block.header.height <= head.state.height) return 'stale'
      const byId = new Map(final.batches.map((batch) => [batch.id, batch]))
      const result = await execution.checkFinal(head.state, block, byId)
      if (result.kind === 'overtaken') return 'stale'
      if (result.kind === 'missing') return { refused: 'batches of the block are missing' }
      if (result.kind === 'invalid') return { refused: result.reason }
      // In its order too: they are stored and told of as they came.
      const { batchIds } = result.content
      if (batchIds.length !== final.batches.length || batchIds.some((id, at) => id !== final.batches[at]?.id))
        return { refused: 'batches that are not those of the block, in its order' }
      await this.#appendNow(final, result)
      return 'applied'
    })
  }

  /** The height moved on: what waits for the last one is over. */
  settle(): void {
    this.#executions.clear()
    this.#executed.clear()
    this.#batches.clear()
    this.#needed.clear()
    for (const waiter of this.#waiters) this.#finish(waiter, false)
  }

  /** Resolves when nothing is being appended any more. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.settle()
    await this.#appending
  }

  #note(id: BlockId, execution: Promise<Executed | 'invalid' | undefined>): void {
    this.#executions.set(id, execution)
    for (const oldest of this.#executions.keys()) {
      if (this.#executions.size <= executionsMax) return
      this.#executions.delete(oldest)
      this.#executed.delete(oldest)
    }
  }

  #keep(executed: Executed): void {
    this.#batches.set(executed.id, executed.content.batches)
    // It may have outlasted sixteen others.
    if (this.#executions.has(executed.id)) this.#executed.set(executed.id, executed)
  }

  async #execute(block: Block): Promise<Executed | 'invalid' | undefined> {
    const { head, execution, log } = this.#options
    const { height } = block.header
    while (!this.#isStopped && head.state.height + 1 === height) {
      const result = await execution.check(head.state, block)
      if (result.kind === 'overtaken') continue
      if (result.kind === 'executed') {
        if (head.state.height + 1 !== height) return undefined
        this.#keep(result)
        return result
      }
      if (result.kind === 'invalid') {
        // While block sync writes this very height the database is ahead of the state that the block was checked on.
        await this.#appending
        if (head.state.height + 1 !== height) return undefined
        log.warn(
          { height, leader: block.header.leader, reason: result.reason },
          'a block is not what its commitments allow',
        )
        return 'invalid'
      }
      await this.#haveBatches(result.batchIds, { height, commitments: block.commitments })
    }
    return undefined
  }

  /** Fetches batches; true when all are in hand, false when the time or the height is over. */
  async #haveBatches(
    ids: readonly BatchId[],
    details: { height: Height; commitments: readonly PoolCommitment[]; forMs?: number },
  ): Promise<boolean> {
    const missing = ids.filter((id) => this.batchOf(id) === undefined)
    if (missing.length === 0) return true
    for (const id of missing) {
      if (!this.#needed.has(id)) this.#needed.set(id, undefined)
      const holders = listersOf(id, details.commitments)
      this.#options.fetcher.want(id, { height: details.height, holders, isUrgent: true })
    }
    return new Promise((resolve) => {
      const waiter = { ids: new Set(missing), done: resolve }
      this.#waiters.add(waiter)
      if (details.forMs !== undefined)
        this.#options.clock.schedule(details.forMs, () => this.#finish(waiter, false))
    })
  }

  #finish(waiter: BatchWaiter, isComplete: boolean): void {
    if (this.#waiters.delete(waiter)) waiter.done(isComplete)
  }

  /** Leaves out the commitment that lists most of what is missing; undefined if no quorum would remain. */
  #withoutLister(
    commitments: readonly PoolCommitment[],
    missing: readonly BatchId[],
  ): PoolCommitment[] | undefined {
    const wanted = new Set(missing)
    const { powers, thresholds, self } = this.#options
    const listings = (commitment: PoolCommitment) =>
      commitment.entries.filter(({ batchId }) => wanted.has(batchId)).length
    const [worst] = commitments
      .filter(({ validator }) => validator !== self)
      .sort((a, b) => listings(b) - listings(a))
    if (worst === undefined || listings(worst) === 0) return undefined
    const rest = commitments.filter((commitment) => commitment !== worst)
    return isQuorum(
      thresholds,
      powerOf(
        powers,
        rest.map(({ validator }) => validator),
      ),
    )
      ? rest
      : undefined
  }

  #append(final: FinalBlock, executed: Executed): Promise<void> {
    return this.#exclusively(async () => {
      if (final.block.header.height !== this.#options.head.state.height + 1) return
      await this.#appendNow(final, executed)
    })
  }

  async #appendNow(final: FinalBlock, executed: Executed): Promise<void> {
    const event = await this.#options.head.append(final, executed)
    this.settle()
    this.#options.onAppended(event)
  }

  /** One at a time; a failure of the store is fatal, since what is on disk is then unknown. */
  #exclusively<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#appending.then(action)
    this.#appending = result.catch((error: unknown) => {
      if (!this.#isStopped) this.#options.onFatal(error)
    })
    return result
  }
}

function listersOf(id: BatchId, commitments: readonly PoolCommitment[]): ValidatorIndex[] {
  return commitments
    .filter(({ entries }) => entries.some(({ batchId }) => batchId === id))
    .map(({ validator }) => validator)
}
