// Sums over many runs: for the progress line and for the record of a long search.
import type { RunReport } from './run.ts'

export class Tally {
  #seeds = 0
  #heights = 0
  #heightsWithMessages = 0
  #heightsUnderFaults = 0
  #messages = 0
  #violations = 0
  readonly #injected = new Map<string, number>()

  add(report: RunReport): void {
    this.#seeds += 1
    this.#heights += report.heights
    this.#heightsWithMessages += report.heightsWithMessages
    this.#heightsUnderFaults += report.heightsUnderFaults
    this.#messages += report.messages
    if (report.violation !== undefined) this.#violations += 1
    for (const [kind, count] of Object.entries(report.faults)) this.#inject(kind, count)
    for (const lie of report.lies) this.#inject(`lie: ${lie}`, 1)
  }

  /** One line: seeds, heights, faults injected, violations. */
  get line(): string {
    const faults = [...this.#injected.values()].reduce((sum, count) => sum + count, 0)
    return `${this.#seeds} seeds, ${this.#heightsWithMessages} heights with messages (${this.#heightsUnderFaults} under a fault), ${faults} faults injected, violations ${this.#violations}`
  }

  /** All figures, for machines. */
  summary() {
    return {
      seeds: this.#seeds,
      heights: this.#heights,
      heightsWithMessages: this.#heightsWithMessages,
      heightsUnderFaults: this.#heightsUnderFaults,
      messages: this.#messages,
      faults: Object.fromEntries([...this.#injected].sort(([a], [b]) => (a < b ? -1 : 1))),
      violations: this.#violations,
    }
  }

  #inject(kind: string, count: number): void {
    this.#injected.set(kind, (this.#injected.get(kind) ?? 0) + count)
  }
}
