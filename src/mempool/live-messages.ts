// Which pooled batches hold a message that the next block could take: the count that keeps a batch in the pool. A
// message is dead, here and for good, once it is in the chain, expired or invalid; its id fixes its expiry, so it dies
// in all batches at once. Bound: entries are paid for by the batches that hold them (`Shares`).
import type { Batch, Height, MessageId } from '../types/index.ts'

/** What the index needs of a pooled batch, and counts in it. */
export interface Holder {
  readonly batch: Batch
  /** Distinct live messages of it. Written here only. */
  liveCount: number
}

const NO_HOLDERS: readonly never[] = []

export class LiveMessages<H extends Holder> {
  /** Nearly every message is in one batch, which then stands here without a set around it. */
  readonly #holders = new Map<MessageId, H | Set<H>>()
  readonly #expiresAt = new Map<MessageId, Height>()
  /** Live messages by their `expiresAt`. */
  readonly #expiring = new Map<Height, Set<MessageId>>()
  #nextHeight: Height

  /** @param nextHeight the height of the block that comes next. */
  constructor(nextHeight: Height) {
    this.#nextHeight = nextHeight
  }

  get count(): number {
    return this.#holders.size
  }

  get nextHeight(): Height {
    return this.#nextHeight
  }

  has(id: MessageId): boolean {
    return this.#holders.has(id)
  }

  holdersOf(id: MessageId): Iterable<H> {
    const holders = this.#holders.get(id)
    if (holders === undefined) return NO_HOLDERS
    return holders instanceof Set ? holders : [holders]
  }

  /** The one batch that holds the message; undefined where there is none, or more than one. */
  onlyHolderOf(id: MessageId): H | undefined {
    const holders = this.#holders.get(id)
    return holders instanceof Set ? undefined : holders
  }

  /** A batch's distinct messages that are not dead, with their expiry. */
  liveOf(batch: Batch, deadMessages: ReadonlySet<MessageId>): ReadonlyMap<MessageId, Height | undefined> {
    const live = new Map<MessageId, Height | undefined>()
    const { messages, messageIds } = batch
    for (let index = 0; index < messageIds.length; index += 1) {
      const id = messageIds[index]
      const expiresAt = messages[index]?.expiresAt
      const isExpired = expiresAt !== undefined && expiresAt < this.#nextHeight
      if (id !== undefined && !isExpired && !deadMessages.has(id)) live.set(id, expiresAt)
    }
    return live
  }

  /** Takes in a batch's messages. @param live `liveOf` it, at this height. */
  addBatch(holder: H, live: ReadonlyMap<MessageId, Height | undefined>): void {
    for (const [id, expiresAt] of live) {
      holder.liveCount += 1
      this.#addHolder(id, holder)
      if (expiresAt !== undefined) this.#expireAt(id, expiresAt)
    }
  }

  /** Lets a batch go with what is live of it. */
  removeBatch(holder: H): void {
    for (const id of holder.batch.messageIds) {
      const holders = this.#holders.get(id)
      if (holders instanceof Set) holders.delete(holder)
      const isLast = holders === holder || (holders instanceof Set && holders.size === 0)
      if (isLast) this.#forget(id)
    }
    holder.liveCount = 0
  }

  /** A message dies: its holders, each counting one less. */
  kill(id: MessageId): Iterable<H> {
    if (!this.#holders.has(id)) return NO_HOLDERS
    const holders = this.holdersOf(id)
    for (const holder of holders) holder.liveCount -= 1
    this.#forget(id)
    return holders
  }

  /** Live messages that no block from `nextHeight` on may include. Looks at the heights passed or, where those are
   *  more, at the heights that messages name. */
  expiredBy(nextHeight: Height): MessageId[] {
    const ids: MessageId[] = []
    if (nextHeight - this.#nextHeight <= this.#expiring.size) {
      for (let height = this.#nextHeight; height < nextHeight; height++)
        ids.push(...(this.#expiring.get(height) ?? []))
      return ids
    }
    for (const [height, expiring] of this.#expiring) if (height < nextHeight) ids.push(...expiring)
    return ids
  }

  /** The chain has grown; what `expiredBy` names for this height must have been killed. */
  advanceTo(nextHeight: Height): void {
    this.#nextHeight = nextHeight
  }

  #addHolder(id: MessageId, holder: H): void {
    const holders = this.#holders.get(id)
    if (holders === undefined) this.#holders.set(id, holder)
    else if (holders instanceof Set) holders.add(holder)
    else this.#holders.set(id, new Set([holders, holder]))
  }

  #expireAt(id: MessageId, expiresAt: Height): void {
    this.#expiresAt.set(id, expiresAt)
    const expiring = this.#expiring.get(expiresAt)
    if (expiring === undefined) this.#expiring.set(expiresAt, new Set([id]))
    else expiring.add(id)
  }

  #forget(id: MessageId): void {
    this.#holders.delete(id)
    const expiresAt = this.#expiresAt.get(id)
    if (expiresAt === undefined) return
    this.#expiresAt.delete(id)
    const expiring = this.#expiring.get(expiresAt)
    expiring?.delete(id)
    if (expiring?.size === 0) this.#expiring.delete(expiresAt)
  }
}
