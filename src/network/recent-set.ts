// A bounded memory of keys: signatures that verified, frames that were seen.

/** At most `capacity` keys; adding one more forgets the one that was added first. */
export class RecentSet {
  readonly #capacity: number
  /** Iterates in the order of insertion. */
  readonly #keys = new Set<string>()

  /** @param capacity an integer from 1 on. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#keys.size
  }

  has(key: string): boolean {
    return this.#keys.has(key)
  }

  add(key: string): void {
    if (this.#keys.has(key)) return
    this.#keys.add(key)
    if (this.#keys.size <= this.#capacity) return
    for (const oldest of this.#keys) {
      this.#keys.delete(oldest)
      return
    }
  }
}
