// Messages of clients -> this node's own batches. A message is answered for (202) once the batch that holds it is on
// disk here. Messages that come close together share a batch, a signature and a write.
import {
  batchOverheadBytes,
  decodeBatch,
  encodeBatchBody,
  encodeMessage,
  type Sha256,
} from '../codec/index.ts'
import { sha256Hex } from '../crypto/native/index.ts'
import type { Mempool } from '../mempool/index.ts'
import { checkReservedMessage, isExpired, isReserved } from '../sequencing/index.ts'
import type { ChainStore } from '../storage/index.ts'
import type { Batch, Genesis, Message, MessageId } from '../types/index.ts'
import { Backlog } from './backlog.ts'
import type { ChainHead } from './chain-head.ts'
import type { PoolDoor } from './pool-door.ts'
import type { Clock, Keys } from './ports.ts'

export type SubmitRefusal = {
  readonly kind: 'refused'
  readonly code: 'pool-full' | 'too-large' | 'invalid-namespace' | 'reserved-namespace-invalid' | 'expired'
  readonly reason: string
  readonly index?: number
  readonly retryAfterSeconds?: number
}
export type Submission = { readonly kind: 'accepted'; readonly ids: readonly MessageId[] } | SubmitRefusal

export interface SubmissionOptions {
  readonly genesis: Genesis
  readonly keys: Keys
  readonly sha256: Sha256
  readonly store: ChainStore
  readonly mempool: Mempool
  readonly head: ChainHead
  readonly door: PoolDoor
  readonly clock: Clock
  readonly maxDelayMs: number
  /** How long blocks take of late. */
  readonly blockIntervalMs: () => number
  readonly maxBytes: number
  /** How long what is accepted may be expected to wait for its block; more is refused as `pool-full`. */
  readonly backlogMaxMs: number
  readonly verifySigned: Parameters<typeof checkReservedMessage>[0]['verify']
  /** The batch is in the pool: tell the network. A batch promises nothing, so it need not be durable first; who lists it
   *  or answers for it has it on disk by then. */
  readonly onBatch: (batch: Batch) => void
  /** The batch is durable. */
  readonly onStored: (batch: Batch) => void
  readonly onFatal: (error: unknown) => void
}

interface Pending {
  readonly id: MessageId
  readonly message: Message
  readonly sizeBytes: number
}

/** One call's messages, waiting for their batches. */
interface Waiter {
  remaining: number
  isRefused: boolean
  readonly done: (isAccepted: boolean) => void
}

/** Bytes of messages collected and not yet written; the rest of the pool's bounds are the pool's. */
const collectedMaxBytes = 32 * 1024 * 1024
/** Between two batches, at most, however long blocks take. */
const spacingMaxMs = 50

export class Submissions {
  readonly #options: SubmissionOptions
  readonly #batchMaxBytes: number
  readonly #backlog: Backlog
  /** Of the pool, with the last block. */
  #goneBytes = 0
  #collected: Pending[] = []
  #collectedBytes = 0
  /** Who waits for which message; a message that is being written already has its waiters here too. */
  readonly #waiters = new Map<MessageId, Waiter[]>()
  #cancelFlush: (() => void) | undefined
  /** When what `#cancelFlush` takes back is due. */
  #flushDueMs = 0
  #isFlushing = false
  #lastFlushMs = Number.NEGATIVE_INFINITY
  #isStopped = false

  constructor(options: SubmissionOptions) {
    this.#options = options
    this.#backlog = new Backlog(options.backlogMaxMs)
    this.#batchMaxBytes = Math.min(options.maxBytes, options.genesis.limits.maxBatchBytes)
  }

  /** All or none. Accepted once every one is on this node's disk, or in the chain.
   *  @param from the node itself, whose messages are few, is not asked to come again later. */
  async submit(messages: readonly Message[], from: 'client' | 'node' = 'client'): Promise<Submission> {
    const prepared = this.#prepare(messages)
    if ('kind' in prepared) return prepared
    const ids = prepared.map(({ id }) => id)
    const fresh = new Map<MessageId, Pending>()
    for (const item of prepared) {
      // Pinned and not waited for: on disk. Waited for: still being written. Whether it is in the chain is looked up
      // with all that share its batch.
      const isStored = !this.#waiters.has(item.id) && this.#options.mempool.pinnedHasMessage(item.id)
      if (!isStored) fresh.set(item.id, item)
    }
    if (fresh.size === 0) return { kind: 'accepted', ids }
    if (from === 'client' && this.#options.mempool.pinnedBytes > this.#backlog.maxBytes) return behind
    const freshBytes = [...fresh.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    if (this.#isStopped || this.#collectedBytes + freshBytes > collectedMaxBytes) return poolFull
    const isAccepted = await this.#collect([...fresh.values()])
    return isAccepted ? { kind: 'accepted', ids } : poolFull
  }

  /** A block became final, and the pool is settled. What left with it counts, in whoever's batch the block took it. */
  onFinal(): void {
    const { mempool, clock } = this.#options
    const { pinnedBytes, pinnedGoneBytes } = mempool
    const takenBytes = pinnedGoneBytes - this.#goneBytes
    this.#goneBytes = pinnedGoneBytes
    this.#backlog.onBlock({ nowMs: clock.nowMs(), takenBytes, waitingBytes: pinnedBytes })
  }

  /** Refuses what waits; nothing more is taken. */
  stop(): void {
    this.#isStopped = true
    this.#cancelFlush?.()
    for (const id of [...this.#waiters.keys()]) this.#answer(id, false)
  }

  #prepare(messages: readonly Message[]): Pending[] | SubmitRefusal {
    const prepared: Pending[] = []
    for (const [index, message] of messages.entries()) {
      const refusal = this.#refusalOf(message, index)
      if (refusal !== undefined) return refusal
      const bytes = encodeMessage(message)
      if (bytes.length > this.#options.genesis.limits.maxMessageBytes) {
        return refused(
          'too-large',
          `a message has at most ${this.#options.genesis.limits.maxMessageBytes} bytes as encoded`,
          index,
        )
      }
      const id = sha256Hex(bytes) as string as MessageId
      prepared.push({ id, message, sizeBytes: bytes.length })
    }
    return prepared
  }

  #refusalOf(message: Message, index: number): SubmitRefusal | undefined {
    const { genesis, head, verifySigned } = this.#options
    const { namespace } = message
    if (namespace !== undefined && !isNamespace(namespace)) {
      return refused('invalid-namespace', 'a namespace is 1 to 64 bytes of UTF-8', index)
    }
    if (isExpired(message, head.state.height + 1)) {
      return refused(
        'expired',
        `expiresAt ${message.expiresAt} has passed: the next height is ${head.state.height + 1}`,
        index,
      )
    }
    if (!isReserved(message)) return undefined
    const isConvicted = (validator: number) => head.state.convicted.has(validator)
    const reason = checkReservedMessage({ message, genesis, isConvicted, verify: verifySigned })
    return reason === undefined ? undefined : refused('reserved-namespace-invalid', reason, index)
  }

  #collect(items: readonly Pending[]): Promise<boolean> {
    return new Promise((done) => {
      const waiter: Waiter = { remaining: items.length, isRefused: false, done }
      for (const item of items) {
        const waiting = this.#waiters.get(item.id)
        if (waiting !== undefined) {
          waiting.push(waiter)
          continue
        }
        this.#waiters.set(item.id, [waiter])
        this.#collected.push(item)
        this.#collectedBytes += item.sizeBytes
      }
      this.#scheduleFlush()
    })
  }

  /** The first message after a pause goes at once, and so does a full batch; under load messages wait for each other. */
  #scheduleFlush(): void {
    if (this.#isFlushing || this.#collected.length === 0 || this.#isStopped) return
    const nowMs = this.#options.clock.nowMs()
    const dueMs = this.#collectedBytes >= this.#batchMaxBytes ? nowMs : this.#nextFlushMs(nowMs)
    if (this.#cancelFlush !== undefined && this.#flushDueMs <= dueMs) return
    this.#cancelFlush?.()
    this.#flushDueMs = dueMs
    this.#cancelFlush = this.#options.clock.schedule(dueMs - nowMs, () => {
      this.#cancelFlush = undefined
      void this.#flush()
    })
  }

  /** Half a block's time after the last: more batches than two a block cost all nodes signatures and writes, and get
   *  nowhere sooner. Not before `nowMs`. */
  #nextFlushMs(nowMs: number): number {
    const { maxDelayMs, blockIntervalMs } = this.#options
    // Wall time may have been set back.
    if (nowMs < this.#lastFlushMs) return nowMs
    const spacingMs = Math.max(maxDelayMs, Math.min(spacingMaxMs, blockIntervalMs() / 2))
    return Math.max(nowMs, this.#lastFlushMs + spacingMs)
  }

  async #flush(): Promise<void> {
    this.#isFlushing = true
    this.#lastFlushMs = this.#options.clock.nowMs()
    const collected = this.#collected
    this.#collected = []
    this.#collectedBytes = 0
    try {
      const accepted: { batch: Batch; receivedAt: number }[] = []
      const newAtHeight = this.#options.head.state.height
      const items = await this.#newOf(collected)
      for (const group of this.#groups(items)) {
        const batch = this.#makeBatch(group)
        const receivedAt = this.#options.clock.nowMs()
        const result = await this.#options.door.offer({
          batch,
          from: { kind: 'local' },
          isPinned: true,
          receivedAt,
          newAtHeight,
        })
        if (result.kind === 'added' || result.kind === 'known') accepted.push({ batch, receivedAt })
        const isAccepted = result.kind !== 'refused' || result.reason === 'no-new-message'
        if (!isAccepted) for (const { id } of group) this.#answer(id, false)
        else if (result.kind !== 'added' && result.kind !== 'known')
          for (const { id } of group) this.#answer(id, true)
      }
      const isSaved = this.#options.store.saveStep({
        batches: accepted.map((item) => ({ ...item, pinned: true })),
      })
      for (const { batch } of accepted) this.#options.onBatch(batch)
      await isSaved
      for (const { batch } of accepted) {
        this.#options.onStored(batch)
        for (const id of batch.messageIds) this.#answer(id, true)
      }
    } catch (error) {
      if (!this.#isStopped) this.#options.onFatal(error)
    } finally {
      this.#isFlushing = false
      this.#scheduleFlush()
    }
  }

  /** Those that are not in the chain; the others are answered for. */
  async #newOf(items: readonly Pending[]): Promise<Pending[]> {
    const places = await this.#options.store.messagePlaces(items.map(({ id }) => id))
    for (const [at, { id }] of items.entries()) if (places[at] !== undefined) this.#answer(id, true)
    return items.filter((_, at) => places[at] === undefined)
  }

  #groups(items: readonly Pending[]): Pending[][] {
    const { maxBatchMessages } = this.#options.genesis.limits
    const groups: Pending[][] = []
    let group: Pending[] = []
    let sizeBytes = batchOverheadBytes
    for (const item of items) {
      const isFull = group.length >= maxBatchMessages || sizeBytes + item.sizeBytes > this.#batchMaxBytes
      // A batch holds at most one reserved message.
      const isAlone = isReserved(item.message) && group.some(({ message }) => isReserved(message))
      if ((isFull || isAlone) && group.length > 0) {
        groups.push(group)
        group = []
        sizeBytes = batchOverheadBytes
      }
      group.push(item)
      sizeBytes += item.sizeBytes
    }
    if (group.length > 0) groups.push(group)
    return groups
  }

  #makeBatch(group: readonly Pending[]): Batch {
    const { keys, genesis, sha256 } = this.#options
    const bytes = encodeBatchBody(
      keys.nodeKey,
      group.map(({ message }) => message),
      genesis.limits,
    )
    const decoded = decodeBatch(
      { bytes, signature: keys.signBatch(bytes) },
      { limits: genesis.limits, sha256, sha256Hex },
    )
    if (!decoded.ok) throw new Error(`its own batch does not decode: ${decoded.reason}`)
    return decoded.value
  }

  #answer(id: MessageId, isAccepted: boolean): void {
    const waiters = this.#waiters.get(id) ?? []
    this.#waiters.delete(id)
    for (const waiter of waiters) {
      waiter.remaining -= 1
      waiter.isRefused ||= !isAccepted
      if (waiter.remaining === 0) waiter.done(!waiter.isRefused)
    }
  }
}

const poolFull: SubmitRefusal = {
  kind: 'refused',
  code: 'pool-full',
  reason: 'the pool is full; try again soon',
  retryAfterSeconds: 1,
}

const behind: SubmitRefusal = {
  ...poolFull,
  reason: 'what was accepted before is more than blocks take in good time; try again soon',
}

function refused(code: SubmitRefusal['code'], reason: string, index: number): SubmitRefusal {
  return { kind: 'refused', code, reason, index }
}

function isNamespace(namespace: string): boolean {
  return namespace.length > 0 && namespace.isWellFormed() && new TextEncoder().encode(namespace).length <= 64
}
