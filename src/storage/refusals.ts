// Why messages never came into the chain, for `GET /v1/messages/{id}`: the latest so many, since anyone can make more.
import type { MessageId } from '../types/index.ts'
import type { KeyValueStore, WriteOperation } from './key-value.ts'
import { allOf, refusalKey, refusalOrderKey } from './keys.ts'
import { decodeHash, decodeRefusal, encodeHash, encodeRefusal, type Refusal } from './records.ts'

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
    const bytes = this.#store.get(refusalKey(id))
    if (bytes === undefined) return undefined
    const { messageId, state, height, reason } = decodeRefusal(id, bytes)
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
      const order = { key: refusalOrderKey(number), value: encodeHash(refusal.messageId) }
      const reason = { key: refusalKey(refusal.messageId), value: encodeRefusal(refusal, number) }
      operations.push({ type: 'put', ...order }, { type: 'put', ...reason })
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
    const order = refusalOrderKey(number)
    const bytes = this.#store.get(order)
    if (bytes === undefined) return []
    const id = decodeHash<MessageId>(bytes, 'refusal')
    const refusal = this.#store.get(refusalKey(id))
    const isLatest = refusal !== undefined && decodeRefusal(id, refusal).number === number
    const operations: WriteOperation[] = [{ type: 'del', key: order }]
    if (isLatest) operations.push({ type: 'del', key: refusalKey(id) })
    return operations
  }
}

async function numberAtEnd(store: KeyValueStore, reverse: boolean): Promise<number | undefined> {
  for await (const [key] of store.iterate({ ...allOf('refusalOrder'), reverse, limit: 1 })) {
    const view = new DataView(key.buffer, key.byteOffset)
    return view.getUint32(1) * 2 ** 32 + view.getUint32(5)
  }
  return undefined
}
