// The state of the simulated network: how long a frame takes from one node to another, and whether it arrives at all.
// Faults change it; the wire asks it for the fate of each frame.
import type { Random } from './random.ts'
import { wanRegions, wanRoundTrips } from './wan.ts'

/** Which latencies a network has. */
export type Distance =
  | { readonly kind: 'uniform'; readonly minMs: number; readonly maxMs: number }
  | { readonly kind: 'wan' }

/** Faults of the network while they last; each may hold several times at once. */
export interface Disturbance {
  /** Part of the frames that are lost, arrive twice, or are held up so that others overtake them. */
  readonly loss?: number
  readonly duplication?: number
  readonly delay?: { readonly rate: number; readonly maxMs: number }
  /** Links that carry nothing, one way: `true` from a row's node to a column's. */
  readonly cuts?: (from: number, to: number) => boolean
}

export class Weather {
  readonly #random: Random
  readonly #distance: Distance
  readonly #regions: number[] = []
  readonly #disturbances = new Set<Disturbance>()

  constructor({ random, distance }: { random: Random; distance: Distance }) {
    this.#random = random
    this.#distance = distance
  }

  /** Adds a fault of the network; the function returned ends it. */
  disturb(disturbance: Disturbance): () => void {
    this.#disturbances.add(disturbance)
    return () => this.#disturbances.delete(disturbance)
  }

  isCut(from: number, to: number): boolean {
    for (const { cuts } of this.#disturbances) if (cuts?.(from, to)) return true
    return false
  }

  /** Milliseconds until each copy of a frame arrives; none where it is lost. */
  fateOf(from: number, to: number): number[] {
    if (this.isCut(from, to)) return []
    let isDoubled = false
    let heldUpMs = 0
    for (const { loss = 0, duplication = 0, delay } of this.#disturbances) {
      if (loss > 0 && this.#random.chance(loss)) return []
      if (duplication > 0 && this.#random.chance(duplication)) isDoubled = true
      if (delay !== undefined && this.#random.chance(delay.rate))
        heldUpMs += this.#random.within(0, delay.maxMs)
    }
    const first = this.#latencyMs(from, to) + heldUpMs
    return isDoubled ? [first, first + this.#random.exponential(200)] : [first]
  }

  #latencyMs(from: number, to: number): number {
    const distance = this.#distance
    if (distance.kind === 'uniform') return this.#random.within(distance.minMs, distance.maxMs)
    const trip = wanRoundTrips[this.#regionOf(from)]?.[this.#regionOf(to)] ?? [0.5, 1]
    // Nine in ten are between half the median and the 90th percentile; the rest is a long tail.
    const [p50Ms, p90Ms] = trip
    const roundTripMs = this.#random.chance(0.9)
      ? this.#random.within(p50Ms * 0.9, p90Ms)
      : p90Ms + this.#random.exponential(p90Ms / 4)
    return roundTripMs / 2
  }

  #regionOf(node: number): number {
    this.#regions[node] ??= this.#random.between(0, wanRegions.length - 1)
    return this.#regions[node]
  }
}
