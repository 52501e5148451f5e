// The figures of a run for people: a table a line a stage.
import type { StageFigures } from './stage.ts'

const columns: readonly [string, (figures: StageFigures) => string][] = [
  ['system', ({ target }) => target],
  ['offered/s', ({ offered }) => (offered === 'max' ? 'max' : whole(offered))],
  ['final/s', ({ finalPerSecond }) => whole(finalPerSecond)],
  ['MB/s', ({ finalBytesPerSecond }) => (finalBytesPerSecond / 1e6).toFixed(2)],
  ['p50 ms', ({ latency }) => milliseconds(latency.p50)],
  ['p90', ({ latency }) => milliseconds(latency.p90)],
  ['p99', ({ latency }) => milliseconds(latency.p99)],
  ['max', ({ latency }) => milliseconds(latency.max)],
  ['blocks/s', ({ blocksPerSecond }) => blocksPerSecond.toFixed(1)],
  ['cores', ({ processes }) => sum(processes.map(({ cpuShare }) => cpuShare)).toFixed(2)],
  ['µs CPU/msg', ({ cpuMicrosPerMessage }) => whole(cpuMicrosPerMessage)],
  ['generator', ({ generatorCpuShare }) => generatorCpuShare.toFixed(2)],
  ['MiB/node', ({ processes }) => residentOf(processes)],
  [
    'disk B/msg',
    ({ processes, finalPerSecond }) =>
      perMessage(
        processes.map(({ diskBytesPerSecond: rate }) => rate),
        finalPerSecond,
      ),
  ],
  ['wire B/msg', ({ loopbackBytesPerMessage: bytes }) => (bytes === undefined ? '' : whole(bytes))],
  ['syncs/s', ({ counters, seconds }) => syncsPerSecond(counters, seconds)],
  ['refused', ({ refused }) => String(refused)],
  ['failed', ({ failedRequests }) => String(failedRequests)],
  ['missing', ({ missing }) => String(missing)],
  ['doubled', ({ doubled }) => String(doubled)],
]

/** Of a node's metrics: how many writes it waited for until they were on disk. */
const syncCount = /^diseq_storage_write_seconds_count\{.*sync="true"/

/** Stages as the rows of a table in Markdown. */
export function tableOf(stages: readonly StageFigures[]): string {
  const rows = [
    columns.map(([title]) => title),
    columns.map(() => '---:'),
    ...stages.map((stage) => columns.map(([, cell]) => cell(stage))),
  ]
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)))
  return rows
    .map((row) => `| ${row.map((cell, at) => cell.padStart(widths[at] ?? 0)).join(' | ')} |`)
    .join('\n')
}

function residentOf(processes: StageFigures['processes']): string {
  if (processes.length === 0) return ''
  const mebibytes = processes.map(({ residentMaxBytes }) => residentMaxBytes / 2 ** 20)
  return `${whole(Math.min(...mebibytes))}–${whole(Math.max(...mebibytes))}`
}

/** Durable writes of all nodes, where they count them. */
function syncsPerSecond(counters: StageFigures['counters'], seconds: number): string {
  const counts = Object.entries(counters).filter(([name]) => syncCount.test(name))
  return counts.length === 0 ? '' : whole(sum(counts.map(([, count]) => count)) / seconds)
}

function perMessage(rates: readonly number[], finalPerSecond: number): string {
  return rates.length === 0 || finalPerSecond === 0 ? '' : whole(sum(rates) / finalPerSecond)
}

function milliseconds(value: number): string {
  return value < 100 ? value.toFixed(1) : value.toFixed(0)
}

function whole(value: number): string {
  return value.toFixed(0)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
