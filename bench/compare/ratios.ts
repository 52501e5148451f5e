// Pair by pair: DISEQ's figure of a round divided by the peer's of the same round and load, and the median over rounds.
import type { StageFigures } from '../../src/bench/index.ts'

/** One load on one system in one round. */
export interface Turn {
  readonly round: number
  readonly figures: StageFigures
  /** Of the machine over the last minute, when the stage began. */
  readonly loadAverage: number
}

export interface Ratio {
  readonly peer: string
  readonly offered: number | 'max'
  readonly figure: string
  /** A round each; undefined where one of the two has no figure. */
  readonly rounds: readonly (number | undefined)[]
  /** Of the rounds that have one. */
  readonly median: number | undefined
}

const own = 'diseq'
const measured: readonly [string, (figures: StageFigures) => number][] = [
  ['final/s', ({ finalPerSecond }) => finalPerSecond],
  ['MB/s', ({ finalBytesPerSecond }) => finalBytesPerSecond],
  ['p50', ({ latency }) => latency.p50],
  ['p99', ({ latency }) => latency.p99],
  ['µs CPU/msg', ({ cpuMicrosPerMessage }) => cpuMicrosPerMessage],
]

export function ratiosOf(turns: readonly Turn[]): Ratio[] {
  const names = distinct(turns.map(({ figures }) => figures.target)).filter((name) => name !== own)
  const loads = distinct(turns.map(({ figures }) => figures.offered))
  const rounds = distinct(turns.map(({ round }) => round)).sort((a, b) => a - b)
  const find = (target: string, offered: number | 'max', round: number) =>
    turns.find((turn) => {
      const { figures } = turn
      return turn.round === round && figures.target === target && figures.offered === offered
    })?.figures
  return names.flatMap((peer) =>
    loads.flatMap((offered) =>
      measured.map(([figure, of]) => {
        const ratios = rounds.map((round) =>
          quotient(find(own, offered, round), find(peer, offered, round), of),
        )
        return { peer, offered, figure, rounds: ratios, median: medianOf(ratios) }
      }),
    ),
  )
}

/** As a table in Markdown. */
export function ratioTableOf(ratios: readonly Ratio[]): string {
  const count = Math.max(0, ...ratios.map(({ rounds }) => rounds.length))
  const titles = Array.from({ length: count }, (_, index) => `round ${index + 1}`)
  const rows = [
    ['peer', 'offered/s', 'diseq ÷ peer', ...titles, 'median'],
    ['---', '---:', '---', ...titles.map(() => '---:'), '---:'],
    ...ratios.map(({ peer, offered, figure, rounds, median }) => [
      peer,
      String(offered),
      figure,
      ...rounds.map(shown),
      shown(median),
    ]),
  ]
  return rows.map((row) => `| ${row.join(' | ')} |`).join('\n')
}

/** Who comes first in a round goes last in the next one: what the machine does meanwhile falls on each in turn. */
export function orderOf<T>(all: readonly T[], round: number): T[] {
  const first = round % Math.max(1, all.length)
  return [...all.slice(first), ...all.slice(0, first)]
}

function quotient(
  ours: StageFigures | undefined,
  theirs: StageFigures | undefined,
  of: (figures: StageFigures) => number,
): number | undefined {
  if (ours === undefined || theirs === undefined) return undefined
  const ratio = of(ours) / of(theirs)
  return Number.isFinite(ratio) ? ratio : undefined
}

function medianOf(values: readonly (number | undefined)[]): number | undefined {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low, high] = [sorted[sorted.length % 2 === 1 ? middle : middle - 1], sorted[middle]]
  return low === undefined || high === undefined ? undefined : (low + high) / 2
}

function shown(ratio: number | undefined): string {
  return ratio === undefined ? '–' : ratio.toFixed(2)
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)]
}
