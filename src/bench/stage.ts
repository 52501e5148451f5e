// One stage of a run: a load for a while, after a warm-up, and what came of it.
import { setTimeout as pause } from 'node:timers/promises'
import { Following } from './following.ts'
import { Offer } from './offer.ts'
import { loopbackBytes, type Usage, usageOf } from './processes.ts'
import { quantile, Tally } from './tally.ts'
import type { Target } from './target.ts'
import type { Workload } from './workload.ts'

export interface StageOptions {
  readonly rate: number | 'max'
  readonly groupSize: number
  readonly inFlight: number
  readonly pendingMax: number
  readonly warmUpMs: number
  readonly durationMs: number
  /** How long what is accepted is waited for at the end. */
  readonly drainMs: number
  readonly onProgress: (line: string) => void
}

export interface ProcessFigures {
  readonly name: string
  /** Of one core. */
  readonly cpuShare: number
  readonly residentMaxBytes: number
  readonly diskBytesPerSecond: number
}

/** Of the time after the warm-up; times in milliseconds. */
export interface StageFigures {
  readonly target: string
  readonly offered: number | 'max'
  readonly messages: string
  readonly seconds: number
  readonly finalPerSecond: number
  readonly finalBytesPerSecond: number
  readonly blocksPerSecond: number
  /** From due to be sent to seen final by a reader. */
  readonly latency: {
    readonly p50: number
    readonly p90: number
    readonly p99: number
    readonly max: number
    readonly count: number
  }
  /** Of the whole stage, warm-up included. */
  readonly sent: number
  readonly accepted: number
  readonly refused: number
  readonly failedRequests: number
  /** Accepted and not final by the end. */
  readonly missing: number
  readonly doubled: number
  readonly processes: readonly ProcessFigures[]
  readonly generatorCpuShare: number
  readonly cpuMicrosPerMessage: number
  readonly loopbackBytesPerMessage: number | undefined
  /** How the target's own counters grew in that time. */
  readonly counters: Readonly<Record<string, number>>
}

const sampleMs = 500
const nowMs = () => performance.now()

/** Runs the stage. Rejects where the target cannot be followed. */
export async function runStage(
  target: Target,
  workload: Workload,
  options: StageOptions,
): Promise<StageFigures> {
  const tally = new Tally()
  let failedRequests = 0
  const following = await Following.begin(target, workload, tally)
  const offer = new Offer({
    ...options,
    target,
    workload,
    tally,
    nowMs,
    onError: (error) => {
      failedRequests += 1
      if (failedRequests <= 3) options.onProgress(`a request failed: ${String(error)}`)
    },
  })
  offer.start()
  await pause(options.warmUpMs)
  const start = await snapshot(target, following.seen)
  const residentMax = new Map<number, number>()
  while (nowMs() < start.atMs + options.durationMs && following.failure === undefined) {
    await pause(Math.min(sampleMs, start.atMs + options.durationMs - nowMs()))
    for (const { pid } of target.processes) {
      const residentBytes = usageOf(pid)?.residentBytes ?? 0
      residentMax.set(pid, Math.max(residentMax.get(pid) ?? 0, residentBytes))
    }
  }
  const end = await snapshot(target, following.seen)
  await offer.stop()
  const deadlineMs = nowMs() + options.drainMs
  while (tally.finalCount < tally.acceptedCount && nowMs() < deadlineMs && following.failure === undefined)
    await pause(20)
  following.end()
  if (following.failure !== undefined) throw following.failure

  const seconds = (end.atMs - start.atMs) / 1000
  const finalCount = tally.finalBetween(start.atMs, end.atMs)
  const latencies = tally.latencies(start.atMs, end.atMs)
  const processes = target.processes.map(({ name, pid }) => {
    const [before, after] = [start.usage.get(pid), end.usage.get(pid)]
    return {
      name,
      cpuShare: difference(before?.cpuSeconds, after?.cpuSeconds) / seconds,
      residentMaxBytes: residentMax.get(pid) ?? 0,
      diskBytesPerSecond: difference(before?.diskBytes, after?.diskBytes) / seconds,
    }
  })
  const cpuShare = processes.reduce((sum, process) => sum + process.cpuShare, 0)
  return {
    target: target.name,
    offered: options.rate,
    messages: workload.description,
    seconds,
    finalPerSecond: finalCount / seconds,
    finalBytesPerSecond: (end.bytes - start.bytes) / seconds,
    blocksPerSecond: (end.blocks - start.blocks) / seconds,
    latency: {
      p50: quantile(latencies, 0.5),
      p90: quantile(latencies, 0.9),
      p99: quantile(latencies, 0.99),
      max: latencies.at(-1) ?? Number.NaN,
      count: latencies.length,
    },
    sent: tally.count,
    accepted: tally.acceptedCount,
    refused: tally.refusedCount,
    failedRequests,
    missing: tally.missingCount(),
    doubled: tally.doubledCount,
    processes,
    generatorCpuShare: difference(start.ownCpuSeconds, end.ownCpuSeconds) / seconds,
    cpuMicrosPerMessage: (1e6 * cpuShare * seconds) / Math.max(1, finalCount),
    loopbackBytesPerMessage:
      start.loopback === undefined || end.loopback === undefined
        ? undefined
        : (end.loopback - start.loopback) / Math.max(1, finalCount),
    counters: grown(start.counters, end.counters),
  }
}

interface Snapshot {
  readonly atMs: number
  readonly usage: ReadonlyMap<number, Usage>
  readonly ownCpuSeconds: number
  readonly loopback: number | undefined
  readonly blocks: number
  readonly bytes: number
  readonly counters: Readonly<Record<string, number>>
}

async function snapshot(target: Target, seen: { blocks: number; bytes: number }): Promise<Snapshot> {
  const counters = await (target.counters?.() ?? Promise.resolve({})).catch(() => ({}))
  const usage = new Map<number, Usage>()
  for (const { pid } of target.processes) {
    const used = usageOf(pid)
    if (used !== undefined) usage.set(pid, used)
  }
  const { user, system } = process.cpuUsage()
  return {
    atMs: nowMs(),
    usage,
    ownCpuSeconds: (user + system) / 1e6,
    loopback: loopbackBytes(),
    ...seen,
    counters,
  }
}

function difference(before: number | undefined, after: number | undefined): number {
  return before === undefined || after === undefined ? Number.NaN : after - before
}

function grown(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Record<string, number> {
  const entries = Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)] as const)
  return Object.fromEntries(entries.filter(([, value]) => value > 0))
}
