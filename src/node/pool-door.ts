// The way of a verified batch into the pool: what of it is new is looked up in the chain, several batches at a time,
// and the pool says whether it takes it. Quotas act here and nowhere else.
import type { AddResult, Mempool, Origin } from '../mempool/index.ts'
import { checkReservedMessage, isReserved } from '../sequencing/index.ts'
import type { ChainStore } from '../storage/index.ts'
import type { Batch, BatchId, Genesis, MessageId } from '../types/index.ts'
import type { ChainHead } from './chain-head.ts'
import type { Clock } from './ports.ts'

/** Batches that wait to be looked up; more are dropped, as gossip may lose anything. */
const waitingMax = 4096
const waitingMaxBytes = 64 * 1024 * 1024
const batchesPerRound = 128

interface Offer {
  readonly batch: Batch
  readonly from: Origin
  readonly isPinned: boolean
  readonly receivedAt: number
  readonly newAtHeight: number | undefined
  readonly done: (result: AddResult | { kind: 'in-chain' }) => void
}

export interface PoolDoorOptions {
  readonly store: ChainStore
  readonly mempool: Mempool
  readonly head: ChainHead
  readonly genesis: Genesis
  readonly clock: Clock
  readonly verifySigned: Parameters<typeof checkReservedMessage>[0]['verify']
  /** After batches came into the pool: these. */
  readonly onAdded: (ids: readonly BatchId[]) => void
  readonly onFatal: (error: unknown) => void
}

export class PoolDoor {
  readonly #options: PoolDoorOptions
  #waiting: Offer[] = []
  #waitingBytes = 0
  /** Of all that is offered and not answered yet. */
  readonly #inHand = new Map<BatchId, Batch>()
  #isRunning = false
  #isStopped = false
  #droppedCount = 0

  constructor(options: PoolDoorOptions) {
    this.#options = options
  }

  get droppedCount(): number {
    return this.#droppedCount
  }

  /** A batch on its way into the pool: in hand, though the pool may not take it. */
  waiting(id: BatchId): Batch | undefined {
    return this.#inHand.get(id)
  }

  /** Offers a batch to the pool. It counts as received now. `full` is also the answer where too many wait.
   *  @param newAtHeight nothing of it was in the chain when this height was the last: if it still is, nothing is
   *    looked up. */
  offer(offer: {
    batch: Batch
    from: Origin
    isPinned: boolean
    receivedAt?: number
    newAtHeight?: number
  }): Promise<AddResult | { kind: 'in-chain' }> {
    const { mempool, clock } = this.#options
    if (!offer.isPinned && mempool.get(offer.batch.id) !== undefined)
      return Promise.resolve({ kind: 'known' })
    const isFull = this.#waiting.length >= waitingMax || this.#waitingBytes >= waitingMaxBytes
    if (isFull && offer.from.kind === 'peer') {
      this.#droppedCount += 1
      return Promise.resolve({ kind: 'refused', reason: 'full' })
    }
    this.#inHand.set(offer.batch.id, offer.batch)
    this.#waitingBytes += offer.batch.bytes.length
    return new Promise((done) => {
      const { receivedAt = clock.nowMs(), newAtHeight } = offer
      this.#waiting.push({ ...offer, receivedAt, newAtHeight, done })
      if (!this.#isRunning) void this.#run()
    })
  }

  stop(): void {
    this.#isStopped = true
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    try {
      while (this.#waiting.length > 0 && !this.#isStopped) {
        await this.#admit(this.#waiting.splice(0, batchesPerRound))
      }
    } catch (error) {
      if (!this.#isStopped) this.#options.onFatal(error)
    } finally {
      this.#isRunning = false
    }
  }

  async #admit(offers: readonly Offer[]): Promise<void> {
    const { mempool, head } = this.#options
    // A block may become final while the store is asked: then what it says is old, and it is asked again.
    let height: number
    let batchHeights: ReadonlyMap<BatchId, number>
    let deadMessages: ReadonlySet<MessageId>
    do {
      height = head.state.height
      const unsure = offers.filter(({ newAtHeight }) => newAtHeight !== height).map(({ batch }) => batch)
      batchHeights = await this.#heightsOf(unsure)
      deadMessages = await this.#messagesInChain(unsure)
    } while (head.state.height !== height)
    const reserved = this.#invalidReserved(offers.map(({ batch }) => batch))
    if (reserved.length > 0) deadMessages = new Set([...deadMessages, ...reserved])
    const added: BatchId[] = []
    for (const { batch, from, isPinned, receivedAt, done } of offers) {
      this.#inHand.delete(batch.id)
      this.#waitingBytes -= batch.bytes.length
      if (batchHeights.has(batch.id)) {
        done({ kind: 'in-chain' })
        continue
      }
      const result = mempool.add({ batch, receivedAt, from, deadMessages, isPinned })
      if (result.kind === 'added') added.push(batch.id)
      done(result)
    }
    if (added.length > 0) this.#options.onAdded(added)
  }

  async #heightsOf(batches: readonly Batch[]): Promise<Map<BatchId, number>> {
    if (batches.length === 0) return new Map()
    const heights = await this.#options.store.batchHeights(batches.map(({ id }) => id))
    return new Map(
      batches.flatMap(({ id }, at) => {
        const height = heights[at]
        return height === undefined ? [] : [[id, height] as const]
      }),
    )
  }

  /** What the pool holds as pending is not in the chain. */
  async #messagesInChain(batches: readonly Batch[]): Promise<Set<MessageId>> {
    const { store, mempool } = this.#options
    const ids = batches.flatMap(({ messageIds }) => messageIds).filter((id) => !mempool.hasMessage(id))
    if (ids.length === 0) return new Set()
    const places = await store.messagePlaces(ids)
    return new Set(ids.filter((_, at) => places[at] !== undefined))
  }

  #invalidReserved(batches: readonly Batch[]): MessageId[] {
    const { genesis, head, verifySigned } = this.#options
    const isConvicted = (validator: number) => head.state.convicted.has(validator)
    const invalid: MessageId[] = []
    for (const { messages, messageIds } of batches) {
      // A batch holds one at most (`decodeBatch`).
      const at = messages.findIndex(isReserved)
      const [message, id] = [messages[at], messageIds[at]]
      if (message === undefined || id === undefined) continue
      const fault = checkReservedMessage({ message, genesis, isConvicted, verify: verifySigned })
      if (fault !== undefined) invalid.push(id)
    }
    return invalid
  }
}
