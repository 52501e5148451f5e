// Random numbers that a seed decides, so that what failed can be run again.

export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 to below 1 (the mixing of splitmix, in 32 bits). */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }

  /** An integer from 0 to below `bound`. */
  below(bound: number): number {
    return Math.floor(this.next() * bound)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** One of them; undefined of none. */
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)]
  }

  /** Takes one out. */
  take<T>(items: T[]): T | undefined {
    if (items.length === 0) return undefined
    const at = this.below(items.length)
    const last = items.length - 1
    const taken = items[at] as T
    items[at] = items[last] as T
    items.length = last
    return taken
  }

  shuffled<T>(items: readonly T[]): T[] {
    const rest = [...items]
    const order: T[] = []
    for (let taken = this.take(rest); taken !== undefined; taken = this.take(rest)) order.push(taken)
    return order
  }
}
