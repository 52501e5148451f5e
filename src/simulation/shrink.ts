// A failing scenario -> a smaller one that fails the same check: faults, lies and submissions are taken out, in halves
// first, one by one at last, for as long as the failure stays (after Zeller's delta debugging).
import { type RunReport, run } from './run.ts'
import type { Scenario } from './scenario.ts'

export interface Shrunk {
  readonly scenario: Scenario
  readonly report: RunReport
  /** Runs that it took. */
  readonly runs: number
}

/** @param runsMax bound of the runs it may take.
 *  @param onStep told after each run: what is left, in words. */
export async function shrink(
  scenario: Scenario,
  report: RunReport,
  { runsMax, onStep }: { runsMax: number; onStep?: (text: string) => void },
): Promise<Shrunk> {
  const shrinker = new Shrinker(report, runsMax, onStep)
  return shrinker.shrink(scenario)
}

class Shrinker {
  readonly #check: string | undefined
  readonly #runsMax: number
  readonly #onStep: ((text: string) => void) | undefined
  #report: RunReport
  #runs = 0

  constructor(report: RunReport, runsMax: number, onStep: ((text: string) => void) | undefined) {
    this.#check = report.violation?.check
    this.#report = report
    this.#runsMax = runsMax
    this.#onStep = onStep
  }

  async shrink(scenario: Scenario): Promise<Shrunk> {
    let best = scenario
    best = await this.#without(best, best.faults, (faults) => ({ ...best, faults }))
    const liars = best.liars.flatMap(({ node, lies }) => lies.map((lie) => ({ node, lie })))
    best = await this.#without(best, liars, (kept) => ({ ...best, liars: liarsOf(kept) }))
    best = await this.#without(best, best.submissions, (submissions) => ({ ...best, submissions }))
    return { scenario: best, report: this.#report, runs: this.#runs }
  }

  /** Takes out as many parts as it can. */
  async #without<T>(
    scenario: Scenario,
    parts: readonly T[],
    make: (parts: readonly T[]) => Scenario,
  ): Promise<Scenario> {
    let best = scenario
    let kept = parts
    for (let size = Math.max(1, Math.ceil(kept.length / 2)); kept.length > 0; size = Math.floor(size / 2)) {
      if (size < 1) break
      for (let at = 0; at < kept.length; ) {
        const fewer = [...kept.slice(0, at), ...kept.slice(at + size)]
        const candidate = make(fewer)
        if (!(await this.#fails(candidate))) {
          at += size
          continue
        }
        best = candidate
        kept = fewer
      }
    }
    return best
  }

  async #fails(scenario: Scenario): Promise<boolean> {
    if (this.#runs >= this.#runsMax) return false
    this.#runs += 1
    const report = await run(scenario)
    const isSame = report.violation !== undefined && report.violation.check === this.#check
    if (isSame) this.#report = report
    const { faults, liars, submissions } = scenario
    this.#onStep?.(
      `${faults.length} faults, ${liars.length} liars, ${submissions.length} submissions: ${isSame ? 'still fails' : 'passes'}`,
    )
    return isSame
  }
}

function liarsOf(kept: readonly { node: number; lie: string }[]): Scenario['liars'] {
  const nodes = [...new Set(kept.map(({ node }) => node))]
  return nodes.map((node) => ({
    node,
    lies: kept.filter((each) => each.node === node).map(({ lie }) => lie),
  }))
}
