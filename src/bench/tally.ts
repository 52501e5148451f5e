// What was sent and what came back of it: each message of a run by its number, with the time at which it was due to be
// sent and the time at which a reader had it final. A message that comes back twice is counted, not forgiven.

const firstCapacity = 65_536

type Outcome = 'waiting' | 'accepted' | 'refused'
const outcomes: readonly Outcome[] = ['waiting', 'accepted', 'refused']

export class Tally {
  #dueMs = new Float64Array(firstCapacity)
  #finalMs = new Float64Array(firstCapacity)
  #outcome = new Uint8Array(firstCapacity)
  #count = 0
  #finalCount = 0
  #doubledCount = 0
  #acceptedCount = 0
  #refusedCount = 0

  get count(): number {
    return this.#count
  }
  get finalCount(): number {
    return this.#finalCount
  }
  /** Messages that were final a second time. */
  get doubledCount(): number {
    return this.#doubledCount
  }
  get acceptedCount(): number {
    return this.#acceptedCount
  }
  get refusedCount(): number {
    return this.#refusedCount
  }

  /** A message goes out; messages are sent in the order of their numbers. */
  sent(dueMs: number): number {
    if (this.#count === this.#dueMs.length) this.#grow()
    this.#dueMs[this.#count] = dueMs
    this.#count += 1
    return this.#count - 1
  }

  answered(number: number, outcome: 'accepted' | 'refused'): void {
    this.#outcome[number] = outcomes.indexOf(outcome)
    if (outcome === 'accepted') this.#acceptedCount += 1
    else this.#refusedCount += 1
  }

  final(number: number, atMs: number): void {
    if (number >= this.#count) return
    if (this.#finalMs[number] !== 0) {
      this.#doubledCount += 1
      return
    }
    this.#finalMs[number] = atMs
    this.#finalCount += 1
  }

  /** Messages that were accepted and did not come back: lost, once enough time has passed. */
  missingCount(): number {
    let missing = 0
    for (let number = 0; number < this.#count; number++) {
      if (this.#outcome[number] === outcomes.indexOf('accepted') && this.#finalMs[number] === 0) missing += 1
    }
    return missing
  }

  /** How many became final from `fromMs` on and before `toMs`. */
  finalBetween(fromMs: number, toMs: number): number {
    let count = 0
    for (let number = 0; number < this.#count; number++) {
      const atMs = this.#finalMs[number] ?? 0
      if (atMs >= fromMs && atMs < toMs) count += 1
    }
    return count
  }

  /** Milliseconds from due to final of those due in the time, ascending. */
  latencies(fromMs: number, toMs: number): Float64Array {
    const found: number[] = []
    for (let number = 0; number < this.#count; number++) {
      const dueMs = this.#dueMs[number] ?? 0
      const atMs = this.#finalMs[number] ?? 0
      if (dueMs >= fromMs && dueMs < toMs && atMs !== 0) found.push(atMs - dueMs)
    }
    return Float64Array.from(found).sort()
  }

  #grow(): void {
    const capacity = 2 * this.#dueMs.length
    const dueMs = new Float64Array(capacity)
    dueMs.set(this.#dueMs)
    this.#dueMs = dueMs
    const finalMs = new Float64Array(capacity)
    finalMs.set(this.#finalMs)
    this.#finalMs = finalMs
    const outcome = new Uint8Array(capacity)
    outcome.set(this.#outcome)
    this.#outcome = outcome
  }
}

/** The value below which the share lies; `sorted` ascending. Not a number where there are none. */
export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}
