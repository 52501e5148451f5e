// A store that forgets everything with the process: for tests and the simulator. Deterministic: nothing in it depends
// on time, and a write takes effect in the call. A simulated crash is a new `ChainStore` over the same `MemoryStore`.
import { StorageError } from './errors.ts'
import type { KeyRange, KeyValueEntry, KeyValueStore, WriteOperation } from './key-value.ts'
import { MemoryPageLog } from './page-log.ts'

export class MemoryStore implements KeyValueStore {
  readonly pages = new MemoryPageLog()
  /** Keys as one character a byte: strings compare like the bytes, and serve as keys of a Map. */
  readonly #values = new Map<string, Uint8Array>()
  /** Ascending; undefined after a key came or went, until the next iteration asks for it. */
  #sortedKeys: string[] | undefined
  #closed = false

  get(key: Uint8Array): Uint8Array | undefined {
    this.#assertOpen()
    return this.#values.get(textOf(key))
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return keys.map((key) => this.get(key))
  }

  async write(operations: Iterable<WriteOperation>): Promise<void> {
    this.#assertOpen()
    // All of them first: what makes them may fail.
    for (const operation of [...operations]) {
      const key = textOf(operation.key)
      if (operation.type === 'del') {
        if (this.#values.delete(key)) this.#sortedKeys = undefined
        continue
      }
      if (!this.#values.has(key)) this.#sortedKeys = undefined
      // A copy: the value may be a view of something large.
      this.#values.set(key, new Uint8Array(operation.value))
    }
  }

  async *iterate({ gte, lt, reverse = false, limit }: KeyRange): AsyncGenerator<KeyValueEntry> {
    this.#assertOpen()
    this.#sortedKeys ??= [...this.#values.keys()].sort()
    const keys = this.#sortedKeys
    const start = firstNotBelow(keys, textOf(gte))
    const range = keys.slice(start, Math.max(start, firstNotBelow(keys, textOf(lt))))
    if (reverse) range.reverse()

    const entries: KeyValueEntry[] = []
    for (const key of limit === undefined ? range : range.slice(0, limit)) {
      const value = this.#values.get(key)
      if (value !== undefined) entries.push([bytesOf(key), value])
    }
    yield* entries
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #assertOpen(): void {
    if (this.#closed) throw new StorageError('closed', 'the store is closed')
  }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'))
}

function firstNotBelow(keys: readonly string[], wanted: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((keys[middle] ?? '') < wanted) low = middle + 1
    else high = middle
  }
  return low
}
