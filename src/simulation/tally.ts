// Sums over many runs: for the progress line and for the record of a long search.
import type { RunReport } from './run.ts'
import type { FaultKind } from './scenario.ts'

const liePrefix = 'lie: '
const groupOfKind: Readonly<Record<FaultKind, string>> = {
  crash: 'crash',
  partition: 'network',
  'one-way-cut': 'network',
  loss: 'network',
  duplication: 'network',
  reordering: 'network',
  'slow-node': 'network',
  'clock-jump': 'clock',
  'disk-full': 'disk',
  'flipped-byte': 'disk',
  'flipped-record-byte': 'disk',
  'stale-database': 'disk',
  'stale-record': 'disk',
  gone: 'disk',
}

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
    for (const lie of report.lies) this.#inject(`${liePrefix}${lie}`, 1)
  }

  /** One line: seeds, heights, faults injected by group, violations. */
  get line(): string {
    const groups = new Map<string, number>()
    for (const [kind, count] of this.#injected) {
      const group = groupOf(kind)
      groups.set(group, (groups.get(group) ?? 0) + count)
    }
    const faults = [...groups]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([group, count]) => `${count} ${group}`)
    return `${this.#seeds} seeds, ${this.#heightsWithMessages} heights with messages (${this.#heightsUnderFaults} under a fault), faults injected: ${faults.join(', ') || 'none'}, violations ${this.#violations}`
  }

  /** A line for each kind of fault: how often it was injected. */
  get faultLines(): string[] {
    return [...this.#injected]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, count]) => `${String(count).padStart(9)} ${kind}`)
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

function groupOf(kind: string): string {
  return kind.startsWith(liePrefix) ? 'lies' : (groupOfKind[kind as FaultKind] ?? kind)
}
