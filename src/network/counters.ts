// Numbers for metrics: what came in, went out, was refused and was dropped. Names are made of fixed parts only, so
// that no peer can make them grow.

export class Counters {
  readonly #values: Record<string, number> = {}

  /** Adds to a counter that starts at 0. */
  add(name: string, amount = 1): void {
    this.#values[name] = (this.#values[name] ?? 0) + amount
  }

  /** Of a counter; 0 if nothing was ever added. */
  of(name: string): number {
    return this.#values[name] ?? 0
  }

  /** A copy. */
  snapshot(): Record<string, number> {
    return { ...this.#values }
  }
}
