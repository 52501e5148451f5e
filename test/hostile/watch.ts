// Looks at the nodes all through a run: what they take of the machine, what their records say that they signed, and
// whether any ends that nobody ended.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homePaths } from '../../src/node/home.ts'
import { SignatureLedger } from '../support/signature-ledger.ts'
import { flatnessOf, growthOf, inMebibytes, memoryMaxBytes, memoryRunMinMs, type Sample } from './flatness.ts'
import type { GroundNode } from './ground.ts'

/** More often than a signing record forgets: it is written anew after some hundred signatures. */
const periodMs = 1_000

export class Watch {
  readonly ledger = new SignatureLedger()
  /** Nodes that a fault may end just now. */
  readonly mayEnd = new Set<number>()
  readonly #nodes: readonly GroundNode[]
  readonly #samples: Sample[][]
  readonly #problems: string[] = []
  readonly #startedAt = performance.now()
  readonly #timer: NodeJS.Timeout

  constructor(nodes: readonly GroundNode[]) {
    this.#nodes = nodes
    this.#samples = nodes.map(() => [])
    this.#timer = setInterval(() => this.look(), periodMs)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  get problems(): string[] {
    return [...this.#problems, ...this.ledger.conflicts.map((conflict) => `signed twice: ${conflict}`)]
  }

  /** Once more, now: before a record is used by another process, and at the end. */
  look(): void {
    for (const [index, node] of this.#nodes.entries()) {
      if (existsSync(homePaths(node.home).signingRecord)) this.ledger.addRecordOf(node.home, index)
      this.#sample(index, node)
      const { ending } = node
      if (ending === undefined || this.mayEnd.has(index)) continue
      // Once is enough.
      this.mayEnd.add(index)
      this.#problems.push(`${node.name} ended by itself (${ending}):\n${node.tail(20)}`)
    }
  }

  /** What grew that should not. @param witness the node whose process lived through the last two thirds. */
  growth(witness: number): { readonly problems: readonly string[]; readonly lines: readonly string[] } {
    const runMs = performance.now() - this.#startedAt
    const problems: string[] = []
    const lines: string[] = []
    for (const [index, samples] of this.#samples.entries()) {
      const name = `node${index}`
      const peak = Math.max(0, ...samples.map(({ memoryBytes }) => memoryBytes))
      const files = Math.max(0, ...samples.map(({ openFiles }) => openFiles))
      lines.push(`${name}: at most ${inMebibytes(peak)} and ${files} open files, ${samples.length} looks`)
      if (peak > memoryMaxBytes) problems.push(`${name} took ${inMebibytes(peak)}`)
    }
    const flatness = flatnessOf(this.#samples[witness] ?? [], runMs)
    if (flatness === undefined) problems.push(`node${witness} was not seen long enough to tell what it takes`)
    else {
      const { memoryBytes, openFiles } = flatness
      const memory = memoryBytes.map(inMebibytes).join(', then ')
      if (runMs < memoryRunMinMs) lines.push('too short a run to judge memory')
      lines.push(`node${witness}, middle and last third: ${memory}; open files ${openFiles.join(', then ')}`)
      for (const growth of growthOf(flatness, runMs)) problems.push(`node${witness}: ${growth}`)
    }
    return { problems, lines }
  }

  #sample(index: number, { pid, isRunning }: GroundNode): void {
    if (pid === undefined || !isRunning) return
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      const kibibytes = Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1])
      const openFiles = readdirSync(`/proc/${pid}/fd`).length
      if (Number.isNaN(kibibytes)) return
      const atMs = performance.now() - this.#startedAt
      this.#samples[index]?.push({ atMs, pid, memoryBytes: kibibytes * 1_024, openFiles })
    } catch (error) {
      // It ended between two looks.
      if (!(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')))
        throw error
    }
  }
}
