// The narrow interface between this room and whatever keeps bytes: `LevelStore` on disk, `MemoryStore` in tests and
// in the simulator. One suite, test/contract/store.ts, says what both must do.

import type { PageLog } from './page-log.ts'

export type WriteOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

/** Keys from `gte` on and before `lt`, as unsigned bytes. */
export interface KeyRange {
  readonly gte: Uint8Array
  readonly lt: Uint8Array
  /** From the highest key down. */
  readonly reverse?: boolean
  /** At most so many entries, from 1 on. */
  readonly limit?: number
}

export type KeyValueEntry = readonly [key: Uint8Array, value: Uint8Array]

/**
 * Ordered bytes under keys of at least one byte. Neither keys nor values that go in or come out may be changed
 * afterwards. Failures are `StorageError`s.
 */
export interface KeyValueStore {
  /** Beside the keys: the trie's pages. */
  readonly pages: PageLog
  /** The value, or undefined where there is none. Synchronous: the trie walks from node to node. */
  get(key: Uint8Array): Uint8Array | undefined
  /** The values in the order of the keys. */
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>
  /**
   * All of the operations or none, in their order (of two on one key the later counts). With `sync` it is durable
   * when it resolves: neither the end of the process nor of the machine's power takes it back. They are gone through
   * once, before it returns.
   */
  write(operations: Iterable<WriteOperation>, options: { readonly sync: boolean }): Promise<void>
  /** Entries in key order as they were when the iteration began. */
  iterate(range: KeyRange): AsyncIterable<KeyValueEntry>
  /** Ends it; everything after that fails with `closed`. Closing again does nothing. */
  close(): Promise<void>
}
