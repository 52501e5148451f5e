// Which trie keys the pool's messages will have: for whoever waits for one. A batch is hashed once, when someone asks
// first after it came; between two questions only what came and went costs anything.

import { toHex } from '../crypto/native/index.ts'
import type { Mempool } from '../mempool/index.ts'
import { type Hasher, keyOf } from '../trie/index.ts'
import type { BatchId } from '../types/index.ts'

/** Its maps are as large as the pool has messages, which its bounds hold down. */
export class PendingKeys {
  readonly #mempool: Mempool
  readonly #hash: Hasher
  /** In the pool and not hashed yet. */
  readonly #new: Set<BatchId>
  readonly #keysOf = new Map<BatchId, ReadonlySet<string>>()
  /** How many batches have a message with the key. */
  readonly #counts = new Map<string, number>()

  /** To be told from then on of batches that come (`add`) and go (`remove`). */
  constructor(mempool: Mempool, hash: Hasher) {
    this.#mempool = mempool
    this.#hash = hash
    this.#new = new Set(mempool.held().keys())
  }

  /** Batches that came into the pool. */
  add(ids: Iterable<BatchId>): void {
    for (const id of ids) if (!this.#keysOf.has(id)) this.#new.add(id)
  }

  /** Batches that left it. */
  remove(ids: Iterable<BatchId>): void {
    for (const id of ids) {
      this.#new.delete(id)
      for (const key of this.#keysOf.get(id) ?? []) {
        const count = (this.#counts.get(key) ?? 0) - 1
        if (count > 0) this.#counts.set(key, count)
        else this.#counts.delete(key)
      }
      this.#keysOf.delete(id)
    }
  }

  /** Whether a pending message has this 32-byte key. */
  has(key: Uint8Array): boolean {
    for (const id of this.#new) this.#hashBatch(id)
    this.#new.clear()
    return this.#counts.has(toHex(key))
  }

  #hashBatch(id: BatchId): void {
    const batch = this.#mempool.get(id)
    if (batch === undefined) return
    const keys = new Set(batch.messages.map(({ data }) => toHex(keyOf(data, this.#hash))))
    this.#keysOf.set(id, keys)
    for (const key of keys) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }
}
