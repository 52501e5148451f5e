// Random numbers that a seed decides. Each part of the simulator draws from a stream of its own, named by a label, so
// that taking one fault out of a run does not change what all others draw.

export class Random {
  #state: number

  /** @param seed any number; its lower 32 bits count. */
  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** The stream `label` of a seed. */
  static stream(seed: number, label: string): Random {
    let state = (seed ^ 0x811c9dc5) >>> 0
    for (const character of `${label}/${seed}`) {
      state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0
    }
    return new Random(state)
  }

  /** From 0 to below 1 (the mixing of splitmix, in 32 bits). */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }

  /** An integer from `min` to `max`, both possible. */
  between(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  /** A real number from `min` to below `max`. */
  within(min: number, max: number): number {
    return min + this.next() * (max - min)
  }

  /** Mostly short, sometimes long; `mean` on average. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next())
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** One of them. @throws RangeError where there is none. */
  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.next() * items.length)]
    if (item === undefined) throw new RangeError('nothing to pick from')
    return item
  }

  /** All of them in another order. */
  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items]
    for (let at = shuffled.length - 1; at > 0; at--) {
      const other = Math.floor(this.next() * (at + 1))
      const [a, b] = [shuffled[at], shuffled[other]]
      if (a !== undefined && b !== undefined) {
        shuffled[at] = b
        shuffled[other] = a
      }
    }
    return shuffled
  }

  bytes(size: number): Uint8Array {
    return Uint8Array.from({ length: size }, () => Math.floor(this.next() * 256))
  }
}
