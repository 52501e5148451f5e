// A bounded memory of what was used lately; keeps keys already decoded (native/ed25519.ts, portable/ed25519.ts).

/** A map of at most `capacity` entries, which forgets the one whose use lies longest back. */
export class RecentMap<Key, Value extends object> {
  readonly #capacity: number
  /** Ascending by last use: a Map iterates in the order of insertion, and each use inserts anew. */
  readonly #entries = new Map<Key, Value>()

  /** @param capacity an integer from 1 on; anything else throws RangeError. */
  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 1)
      throw new RangeError('capacity must be an integer from 1 on')
    this.#capacity = capacity
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: Key): Value | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  set(key: Key, value: Value): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size <= this.#capacity) return
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      return
    }
  }
}
