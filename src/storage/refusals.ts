// Why messages never came into the chain, for `GET /v1/messages/{id}`: the latest so many, since anyone can make more.
import type { MessageId } from '../types/index.ts'
import type { KeyValueStore, WriteOperation } from './key-value.ts'
import { allOf, numberOfRefusalOrderKey, refusalKey, refusalOrderKey } from './keys.ts'
import {
  decodeHash,
  decodeRefusal,
  encodeHash,
  encodeRefusal,
  type NumberedRefusal,
  type Refusal,
} from './records.ts'
import { putSealed, unseal } from './sealed.ts'

/** About 250 bytes each: 5 MB in all. */
export const defaultRefusalsMax = 20_000

export class RefusalLog {
  readonly #store: KeyValueStore
  readonly #max: number
  /** Numbers of the oldest that is kept and of the next to come; all between are there. */
  #oldest: number
  #next: number

  private constructor(store: KeyValueStore, max: number, oldest: number, next: number) {
    this.#store = store
    this.#max = max
    this.#oldest = oldest
    this.#next = next
  }

  static async open(store: KeyValueStore, max: number): Promise<RefusalLog> {
    const first = await numberAtEnd(store, false)
    const last = await numberAtEnd(store, true)
    return new RefusalLog(store, max, first ?? 0, last === undefined ? 0 : last + 1)
  }

  get(id: MessageId): Refusal | undefined {
    const numbered = readRefusal(this.#store, id)
    if (numbered === undefined) return undefined
    const { messageId, state, height, reason } = numbered
    return { messageId, state, height, reason }
  }

  /** Adds refusals, and lets the oldest go. To be followed by `added` once the operations are on disk. */
  operationsFor(refusals: readonly Refusal[]): WriteOperation[] {
    // More at once than are kept at all: the first of them would go again in the same write.
    const kept = refusals.slice(-this.#max)
    const operations: WriteOperation[] = []
    for (let number = this.#oldest; number < this.#oldestAfter(kept.length); number += 1) {
      operations.push(...this.#forget(number))
    }
    for (const [at, refusal] of kept.entries()) {
      const number = this.#next + at
      const { messageId } = refusal
      operations.push(putSealed(refusalOrderKey(number), encodeHash(messageId)))
      operations.push(putSealed(refusalKey(messageId), encodeRefusal(refusal, number)))
    }
    return operations
  }

  added(refusals: readonly Refusal[]): void {
    const count = Math.min(refusals.length, this.#max)
    this.#oldest = this.#oldestAfter(count)
    this.#next += count
  }

  #oldestAfter(added: number): number {
    return Math.max(this.#oldest, this.#next + added - this.#max)
  }

  /** The message may have been refused again since: then only the entry in the order goes. */
  #forget(number: number): WriteOperation[] {
    const id = readRefusalOrder(this.#store, number)
    if (id === undefined) return []
    const isLatest = readRefusal(this.#store, id)?.number === number
    const operations: WriteOperation[] = [{ type: 'del', key: refusalOrderKey(number) }]
    if (isLatest) operations.push({ type: 'del', key: refusalKey(id) })
    return operations
  }
}

/** Which message refusal `number` was of; undefined where it is not kept. @throws StorageError `corrupted`. */
export function readRefusalOrder(store: KeyValueStore, number: number): MessageId | undefined {
  const key = refusalOrderKey(number)
  const sealed = store.get(key)
  if (sealed === undefined) return undefined
  return decodeHash<MessageId>(unseal('refusal order', key, sealed), 'refusal order')
}

/** The latest refusal of a message, with its number; undefined where it is not kept. @throws StorageError `corrupted`. */
export function readRefusal(store: KeyValueStore, id: MessageId): NumberedRefusal | undefined {
  const key = refusalKey(id)
  const sealed = store.get(key)
  return sealed === undefined ? undefined : decodeRefusal(id, unseal('refusal', key, sealed))
}

async function numberAtEnd(store: KeyValueStore, reverse: boolean): Promise<number | undefined> {
  for await (const [key] of store.iterate({ ...allOf('refusalOrder'), reverse, limit: 1 })) {
    return numberOfRefusalOrderKey(key)
  }
  return undefined
}
