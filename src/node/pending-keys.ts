// Which trie keys the pool's messages will have: for whoever waits for one. Made when first asked for, a batch once.

import { toHex } from '../crypto/native/index.ts'
import type { Mempool } from '../mempool/index.ts'
import { type Hasher, keyOf } from '../trie/index.ts'
import type { BatchId } from '../types/index.ts'

export class PendingKeys {
  readonly #mempool: Mempool
  readonly #hash: Hasher
  /** As large as the pool has messages, which its bounds hold down. */
  readonly #keysOf = new Map<BatchId, ReadonlySet<string>>()

  constructor(mempool: Mempool, hash: Hasher) {
    this.#mempool = mempool
    this.#hash = hash
  }

  /** Whether a pending message has this 32-byte key. */
  has(key: Uint8Array): boolean {
    const text = toHex(key)
    for (const id of this.#keysOf.keys()) if (this.#mempool.get(id) === undefined) this.#keysOf.delete(id)
    for (const id of this.#mempool.held().keys()) if (this.#keysIn(id).has(text)) return true
    return false
  }

  #keysIn(id: BatchId): ReadonlySet<string> {
    const known = this.#keysOf.get(id)
    if (known !== undefined) return known
    const messages = this.#mempool.get(id)?.messages ?? []
    const keys = new Set(messages.map(({ data }) => toHex(keyOf(data, this.#hash))))
    this.#keysOf.set(id, keys)
    return keys
  }
}
