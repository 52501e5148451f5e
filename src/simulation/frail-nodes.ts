// Who may lie or fail in a run, always within the fault model: liars have at most power l, and together with those whose
// disk or record is lost or who are gone, at most f.
import type { FaultModel } from '../types/index.ts'
import { thresholdsOfModel } from './checks/judge.ts'
import type { Random } from './random.ts'

/** Whom the fault model still allows to lose more than its process. */
export class FrailNodes {
  readonly #powers: readonly number[]
  readonly #random: Random
  readonly #chosen = new Set<number>()
  #faultyLeft: number
  #lyingLeft: number

  constructor(powers: readonly number[], model: FaultModel, random: Random) {
    const { faulty, lying } = thresholdsOfModel(powers, model)
    this.#powers = powers
    this.#random = random
    this.#faultyLeft = faulty
    this.#lyingLeft = lying
  }

  /** A validator that may fail, or lie; undefined where no more may. */
  take({ lies }: { lies: boolean }): number | undefined {
    const left = lies ? Math.min(this.#faultyLeft, this.#lyingLeft) : this.#faultyLeft
    const able = [...this.#powers.keys()].filter(
      (node) => !this.#chosen.has(node) && (this.#powers[node] ?? 0) <= left,
    )
    if (able.length === 0) return undefined
    const node = this.#random.pick(able)
    const power = this.#powers[node] ?? 0
    this.#chosen.add(node)
    this.#faultyLeft -= power
    if (lies) this.#lyingLeft -= power
    return node
  }
}
