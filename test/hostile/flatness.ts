// Whether memory and open files stay flat, said so that it can fail: what is usual in the last third of a run is held
// against what was usual in the middle third, of one process that lived through both.

export interface Sample {
  readonly atMs: number
  readonly pid: number
  /** Memory of its own, without mapped files: those are the system's cache. */
  readonly memoryBytes: number
  readonly openFiles: number
}

export interface Flatness {
  readonly memoryBytes: readonly [middle: number, last: number]
  readonly openFiles: readonly [middle: number, last: number]
}

const mebibyte = 2 ** 20
/** A heap breathes between collections; what leaks with each message, block or connection passes this within an hour. */
export const memoryGrowthMax = { factor: 1.2, bytes: 32 * mebibyte }
/** A few connections and tables more or less. */
export const openFilesGrowthMax = 16
/** Nobody may come near what a small machine has. */
export const memoryMaxBytes = 1_024 * mebibyte
const samplesMin = 10
/** A heap grows to its working size in the first minutes of a process, by half and more: in a shorter run that would pass
 *  for a leak. Open files are judged in every run. */
export const memoryRunMinMs = 10 * 60_000

/** Medians of the middle and the last third of a run. Undefined where the process of its end was not there, or was
 *  seen too seldom, in both. */
export function flatnessOf(samples: readonly Sample[], runMs: number): Flatness | undefined {
  const pid = samples.at(-1)?.pid
  const own = samples.filter((sample) => sample.pid === pid)
  const middle = own.filter(({ atMs }) => atMs >= runMs / 3 && atMs < (2 * runMs) / 3)
  const last = own.filter(({ atMs }) => atMs >= (2 * runMs) / 3)
  if (middle.length < samplesMin || last.length < samplesMin) return undefined
  const both = (of: (sample: Sample) => number): [number, number] => [
    median(middle.map(of)),
    median(last.map(of)),
  ]
  return { memoryBytes: both((sample) => sample.memoryBytes), openFiles: both((sample) => sample.openFiles) }
}

/** What grew beyond the bounds, a sentence each. */
export function growthOf({ memoryBytes, openFiles }: Flatness, runMs: number): string[] {
  const found: string[] = []
  const { factor, bytes } = memoryGrowthMax
  if (runMs >= memoryRunMinMs && memoryBytes[1] > memoryBytes[0] * factor + bytes)
    found.push(`memory grew from ${inMebibytes(memoryBytes[0])} to ${inMebibytes(memoryBytes[1])}`)
  if (openFiles[1] > openFiles[0] + openFilesGrowthMax)
    found.push(`open files grew from ${openFiles[0]} to ${openFiles[1]}`)
  return found
}

export function inMebibytes(bytes: number): string {
  return `${Math.round(bytes / mebibyte)} MiB`
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
