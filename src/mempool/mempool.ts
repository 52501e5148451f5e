// The pool: batches that this node holds and that are not final (protocol §2, §3.1). A batch is in it while the next
// block could take at least one message of it. It owns its state and reads no clock; storage follows what it returns.
// Quotas act at its door only (`Shares`): what is in stays until it is in the chain or can be of no use to it, so a
// batch answered 202 is kept however full the pool is.
import type { Batch, BatchId, Height, MessageId, PublicKey, TimeMs } from '../types/index.ts'
import { type Holder, LiveMessages } from './live-messages.ts'
import {
  type Charge,
  type Origin,
  type PartName,
  type PartUse,
  type RefusalReason,
  Shares,
} from './shares.ts'

export interface MempoolOptions {
  /** Bound of all batches' charges (`chargeOf`), which is about their memory. A quarter is for blocks under vote: from
   *  4 times the charge of the largest block on, every block can be voted for. A stranger's batch may take a fifth
   *  of three sixteenths: below 27 times the charge of the largest batch, such ones do not get in. */
  readonly maxBytes: number
  readonly maxBatches: number
  /** The validators' node keys, by index: authors with a part of their own. */
  readonly reservedAuthors: readonly PublicKey[]
  /** Height of the block that comes next. */
  readonly nextHeight: Height
}

export type AddResult =
  | { readonly kind: 'added' }
  | { readonly kind: 'known' }
  | { readonly kind: 'refused'; readonly reason: RefusalReason }

/** What a final block does to the pool. */
export interface Settlement {
  readonly batchIds: readonly BatchId[]
  /** Messages of the block. */
  readonly messageIds: readonly MessageId[]
  /** Height of the block after it. */
  readonly nextHeight: Height
  /** Pending messages that it made invalid in their reserved namespace. */
  readonly invalid?: readonly MessageId[]
}

export interface Settled {
  /** Batches that left: in the chain, or without a message that a block could take. Storage may delete them. */
  readonly removed: readonly BatchId[]
  /** Messages that were pending and have expired. */
  readonly expired: readonly MessageId[]
}

export interface PooledBatch {
  readonly batch: Batch
  readonly receivedAt: TimeMs
  /** Whether this node answered for it: it was submitted here with a 202. */
  readonly isPinned: boolean
}

export interface MempoolStats {
  readonly batches: number
  readonly pinnedBatches: number
  /** Distinct messages that the next block could take. */
  readonly messages: number
  /** As charged. */
  readonly bytes: number
  readonly parts: Readonly<Record<PartName, PartUse>>
  /** Batches refused since the start, by reason. */
  readonly refused: Readonly<Record<RefusalReason, number>>
}

interface Entry extends Holder {
  readonly receivedAt: TimeMs
  readonly charge: Charge
  isPinned: boolean
}

/** Memory beside the encoded bytes, measured on Node 24 with ids as flat strings and rounded up: id, decoded object and
 *  index entry of a message (250 to 400 bytes), and those of a batch (1,700). Without them batches of 10,000 empty
 *  messages would cost fifteen times their charge. */
const messageOverheadBytes = 400
const batchOverheadBytes = 1_800
const noMessages: ReadonlySet<MessageId> = new Set()

/** What a batch counts against the pool's bytes. */
export function chargeOf(batch: Pick<Batch, 'bytes' | 'messages'>): number {
  return batchOverheadBytes + batch.bytes.length + messageOverheadBytes * batch.messages.length
}

export class Mempool {
  readonly #entries = new Map<BatchId, Entry>()
  /** Times of `#entries`, in order of reception but for clocks that step back. */
  readonly #held = new Map<BatchId, TimeMs>()
  readonly #live: LiveMessages<Entry>
  readonly #shares: Shares
  readonly #refused: Record<RefusalReason, number> = {
    'author-quota': 0,
    'peer-quota': 0,
    full: 0,
    'no-new-message': 0,
  }
  #chargedBytes = 0
  #pinnedCount = 0
  #pinnedBytes = 0
  #pinnedGoneBytes = 0
  #lastReceivedAt: TimeMs = 0
  #isHeldInOrder = true

  constructor({ maxBytes, maxBatches, reservedAuthors, nextHeight }: MempoolOptions) {
    this.#live = new LiveMessages(nextHeight)
    this.#shares = new Shares({ max: { bytes: maxBytes, batches: maxBatches }, reservedAuthors })
  }

  /** Takes a valid batch that is not in the chain, or says why not. A batch that is known stays as it is, but is
   *  pinned if asked to.
   *  @param receivedAt when this node first had it.
   *  @param deadMessages those of its messages that are in the chain or invalid in their reserved namespace; which
   *    are expired the pool knows. A message of the chain left out here would never leave the pool.
   *  @param isPinned this node answers for it: true with the 202, and for such a batch at the next start. */
  add({
    batch,
    receivedAt,
    from,
    deadMessages = noMessages,
    isPinned,
  }: {
    readonly batch: Batch
    readonly receivedAt: TimeMs
    readonly from: Origin
    readonly deadMessages?: ReadonlySet<MessageId>
    readonly isPinned: boolean
  }): AddResult {
    if (this.#entries.has(batch.id)) {
      if (isPinned) this.pin(batch.id)
      return { kind: 'known' }
    }
    const live = this.#live.liveOf(batch, deadMessages)
    if (live.size === 0) return this.#refuse('no-new-message')
    const bytes = chargeOf(batch)
    const admission = this.#shares.admit({ author: batch.author, from, bytes, isPinned })
    if (admission.kind === 'refused') return this.#refuse(admission.reason)
    const entry: Entry = { batch, receivedAt, charge: admission.charge, isPinned, liveCount: 0 }
    this.#live.addBatch(entry, live)
    this.#insert(entry)
    return { kind: 'added' }
  }

  /** Answers for a batch from now on; false where it is not in the pool. */
  pin(batchId: BatchId): boolean {
    const entry = this.#entries.get(batchId)
    if (entry === undefined) return false
    if (!entry.isPinned) this.#countPinned(entry, 1)
    entry.isPinned = true
    return true
  }

  /** Takes a final block into account: its batches leave, its messages, the expired and the invalid die, and batches
   *  without a live message leave. Costs what the block and the expired messages touch, whatever the pool's size.
   *  @throws RangeError where the chain would go back. */
  settle({ batchIds, messageIds, nextHeight, invalid = [] }: Settlement): Settled {
    if (nextHeight < this.#live.nextHeight) throw new RangeError('the chain does not go back')
    const removed: BatchId[] = []
    const leave = (entry: Entry) => {
      this.#remove(entry)
      removed.push(entry.batch.id)
    }
    const kill = (ids: readonly MessageId[]) => {
      for (const id of ids) {
        for (const entry of this.#live.kill(id)) if (entry.liveCount === 0) leave(entry)
      }
    }
    for (const batchId of batchIds) {
      const entry = this.#entries.get(batchId)
      if (entry !== undefined) leave(entry)
    }
    kill(messageIds)
    kill(invalid)
    // Only now: a message that the block took at the last height it could has not expired.
    const expired = this.#live.expiredBy(nextHeight)
    kill(expired)
    this.#live.advanceTo(nextHeight)
    return { removed, expired }
  }

  /** The batches that would leave with such a block; the pool stays as it is. */
  leavingWith(settlement: Settlement): Set<BatchId> {
    const { batchIds, messageIds, nextHeight, invalid = [] } = settlement
    const leaving = new Set(batchIds.filter((batchId) => this.#entries.has(batchId)))
    const lost = new Map<Entry, number>()
    const counted = new Set<MessageId>()
    const die = (id: MessageId) => {
      // Nearly every message dies with the one batch that holds it.
      const only = this.#live.onlyHolderOf(id)
      if (only !== undefined && leaving.has(only.batch.id)) return
      if (!this.#live.has(id) || counted.has(id)) return
      counted.add(id)
      for (const entry of this.#live.holdersOf(id)) {
        const count = (lost.get(entry) ?? 0) + 1
        lost.set(entry, count)
        if (count === entry.liveCount) leaving.add(entry.batch.id)
      }
    }
    for (const ids of [messageIds, this.#live.expiredBy(nextHeight), invalid]) ids.forEach(die)
    return leaving
  }

  /** The messages that such a block would leave waiting though no block can take them any more; the pool stays as it
   *  is. */
  expiredWith({ messageIds, nextHeight, invalid = [] }: Settlement): MessageId[] {
    const expired = this.#live.expiredBy(nextHeight)
    if (expired.length === 0) return expired
    const others = new Set([...messageIds, ...invalid])
    return expired.filter((id) => !others.has(id))
  }

  /** Whether the pool, as it would be with such a block in the chain, is empty (protocol §3.1). */
  wouldBeEmptyWith(settlement: Settlement): boolean {
    return this.leavingWith(settlement).size === this.#entries.size
  }

  /** `held()` as it would be with such a block in the chain: a copy. Where `held()` and the few of `leavingWith` do,
   *  they are cheaper. */
  heldWithout(settlement: Settlement): Map<BatchId, TimeMs> {
    const held = new Map(this.#held)
    for (const batchId of this.leavingWith(settlement)) held.delete(batchId)
    return held
  }

  /** The pool's batches and when they came in: a live view, to be read before the next change. */
  held(): ReadonlyMap<BatchId, TimeMs> {
    return this.#held
  }

  get(batchId: BatchId): Batch | undefined {
    return this.#entries.get(batchId)?.batch
  }

  /** Whether the batch is in the pool and this node answers for it. */
  isPinned(batchId: BatchId): boolean {
    return this.#entries.get(batchId)?.isPinned ?? false
  }

  /** Whether a batch of the pool holds the message, and the next block could take it. */
  hasMessage(id: MessageId): boolean {
    return this.#live.has(id)
  }

  /** Whether such a batch is one that this node answers for. */
  pinnedHasMessage(id: MessageId): boolean {
    for (const entry of this.#live.holdersOf(id)) if (entry.isPinned) return true
    return false
  }

  /** At most `count` batches, those received first; ties in no order. */
  oldest(count: number): PooledBatch[] {
    const batches: PooledBatch[] = []
    for (const batch of count > 0 ? this.inOrder() : []) {
      batches.push(batch)
      if (batches.length >= count) break
    }
    return batches
  }

  /** All batches, those received first; not to be read on after the pool has changed. */
  *inOrder(): Generator<PooledBatch, void> {
    if (!this.#isHeldInOrder) this.#putInOrder()
    for (const batchId of this.#held.keys()) {
      const entry = this.#entries.get(batchId)
      if (entry === undefined) continue
      const { batch, receivedAt, isPinned } = entry
      yield { batch, receivedAt, isPinned }
    }
  }

  /** What the batches are charged that this node answers for. */
  get pinnedBytes(): number {
    return this.#pinnedBytes
  }

  /** What those were charged that have left, in all. */
  get pinnedGoneBytes(): number {
    return this.#pinnedGoneBytes
  }

  stats(): MempoolStats {
    return {
      batches: this.#entries.size,
      pinnedBatches: this.#pinnedCount,
      messages: this.#live.count,
      bytes: this.#chargedBytes,
      parts: this.#shares.parts(),
      refused: { ...this.#refused },
    }
  }

  #refuse(reason: RefusalReason): AddResult {
    this.#refused[reason] += 1
    return { kind: 'refused', reason }
  }

  #insert(entry: Entry): void {
    const { batch, receivedAt, charge, isPinned } = entry
    this.#entries.set(batch.id, entry)
    this.#held.set(batch.id, receivedAt)
    if (receivedAt < this.#lastReceivedAt) this.#isHeldInOrder = false
    this.#lastReceivedAt = Math.max(this.#lastReceivedAt, receivedAt)
    this.#chargedBytes += charge.bytes
    if (isPinned) this.#countPinned(entry, 1)
  }

  #remove(entry: Entry): void {
    this.#live.removeBatch(entry)
    this.#entries.delete(entry.batch.id)
    this.#held.delete(entry.batch.id)
    this.#shares.release(entry.charge)
    this.#chargedBytes -= entry.charge.bytes
    if (!entry.isPinned) return
    this.#countPinned(entry, -1)
    this.#pinnedGoneBytes += entry.charge.bytes
  }

  #countPinned({ charge }: Entry, sign: 1 | -1): void {
    this.#pinnedCount += sign
    this.#pinnedBytes += sign * charge.bytes
  }

  /** A clock has stepped back since: rare, so the order is made again only when someone asks for it. */
  #putInOrder(): void {
    const inOrder = [...this.#held].sort(([, a], [, b]) => a - b)
    this.#held.clear()
    for (const [batchId, receivedAt] of inOrder) this.#held.set(batchId, receivedAt)
    this.#isHeldInOrder = true
    this.#lastReceivedAt = inOrder.at(-1)?.[1] ?? 0
  }
}
