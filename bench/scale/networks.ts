// How large a network may be: validators over measured round trips between twelve regions, some of them down from the
// start, by the simulator (real replicas; imagined clock, wire and disk). All of the simulator's checks run meanwhile.
import { defaultLimits } from '../../src/codec/index.ts'
import { type Fault, run, type Scenario, type Submission } from '../../src/simulation/index.ts'
import { Random } from '../../src/simulation/random.ts'

export interface NetworkFigures {
  readonly validators: number
  readonly down: number
  readonly heights: number
  /** Of those measured for the latency: accepted after the first 16 blocks. */
  readonly messages: number
  /** From the answer to the client until its node has the block final. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Views of a height: of the first 16, in which leaders that are down still have their turn, and of the rest. */
  readonly viewsFirst: number
  readonly viewsLater: number
  /** Received by a validator for each block under load: frames once from whoever sends them, requests, answers. */
  readonly bytesPerNodeAndBlock: number
}

export interface Network {
  readonly validators: number
  readonly down: number
  /** One message each 3 s, while who is absent comes to lead last; then the load. */
  readonly warmUpMs: number
  readonly loadMs: number
  /** One run each: a seed puts the validators into other regions. */
  readonly seeds: readonly number[]
}

/** Of messages, and between two submissions. */
const messageBytes = 200
const pauseMs = 100
const warmUpPauseMs = 3_000
/** The first blocks, after which who is absent leads last (protocol L2). */
const absenceBlocks = 16

export async function measureNetwork(network: Network): Promise<NetworkFigures> {
  const { validators, down, seeds } = network
  const latencies: number[] = []
  const viewsFirst: number[] = []
  const viewsLater: number[] = []
  let [receivedBytes, countedBlocks] = [0, 0]
  for (const seed of seeds) {
    const found = await measureRun({ ...network, seed })
    latencies.push(...found.latencies)
    viewsFirst.push(...found.views.slice(0, absenceBlocks))
    viewsLater.push(...found.views.slice(absenceBlocks))
    receivedBytes += found.receivedBytes
    countedBlocks += found.countedBlocks
  }
  latencies.sort((a, b) => a - b)
  return {
    validators,
    down,
    heights: viewsFirst.length + viewsLater.length,
    messages: latencies.length,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    viewsFirst: mean(viewsFirst),
    viewsLater: mean(viewsLater),
    bytesPerNodeAndBlock: receivedBytes / (validators - down) / Math.max(1, countedBlocks),
  }
}

async function measureRun(options: Omit<Network, 'seeds'> & { readonly seed: number }) {
  const { down, warmUpMs, loadMs } = options
  const acceptedAt = new Map<string, { node: number; atMs: number }>()
  const latencies: number[] = []
  const views: number[] = []
  let [receivedBytes, countedBlocks, nowMs] = [0, 0, 0]
  const isLoaded = () => nowMs > warmUpMs && nowMs <= warmUpMs + loadMs
  const report = await run(scenarioOf(options), {
    onAccepted: (node, atMs, ids) => {
      nowMs = atMs
      if (isLoaded() && views.length >= absenceBlocks)
        for (const id of ids) acceptedAt.set(id, { node, atMs })
    },
    onFinal: (node, atMs, { height, final, messageIds }) => {
      nowMs = atMs
      if (height === views.length + 1) {
        views.push(final.finalization.view + 1)
        if (isLoaded()) countedBlocks += 1
      }
      for (const id of messageIds) {
        const accepted = acceptedAt.get(id)
        if (accepted?.node === node) latencies.push(atMs - accepted.atMs)
      }
    },
    onCarried: (_, to, sizeBytes) => {
      if (isLoaded() && to >= down) receivedBytes += sizeBytes
    },
  })
  if (report.violation !== undefined) throw new Error(`${report.violation.check}: ${report.violation.text}`)
  return { latencies, views, receivedBytes, countedBlocks }
}

/** The settings are those of a real node. The first `down` validators are down. */
function scenarioOf(options: Omit<Network, 'seeds'> & { readonly seed: number }): Scenario {
  const { validators, down, warmUpMs, loadMs, seed } = options
  const endMs = warmUpMs + loadMs
  const random = Random.stream(seed, 'scale')
  const submissions: Submission[] = []
  for (let atMs = pauseMs; atMs < endMs; atMs += atMs < warmUpMs ? warmUpPauseMs : pauseMs) {
    const message = { data: random.bytes(messageBytes), timestamp: submissions.length }
    submissions.push({
      atMs: atMs + random.within(0, 50),
      node: random.between(down, validators - 1),
      messages: [message],
    })
  }
  const faults = Array.from({ length: down }, (_, node): Fault => ({ kind: 'gone', atMs: 0, node }))
  return {
    seed,
    powers: Array.from({ length: validators }, () => 1),
    faultModel: 'byzantine',
    limits: defaultLimits,
    settings: {
      viewTimeoutMs: 1_500,
      // Timers that follow nothing, so that networks can be compared.
      viewTimeoutMinMs: 1_500,
      viewTimeoutCapMs: 30_000,
      finalizeTimeoutMs: 1_000,
      proposalGraceMs: 20,
      emptyBlockIntervalMs: 0,
      statusIntervalMs: 2_000,
      poolMaxBytes: 64 * 1024 * 1024,
      poolMaxBatches: 10_000,
      batchMaxDelayMs: 5,
      batchMaxBytes: 256 * 1024,
      backlogMaxMs: 4_000,
    },
    hasRealCrypto: false,
    distance: { kind: 'wan' },
    clockOffsetsMs: Array.from({ length: validators }, () => 0),
    observers: 0,
    liars: [],
    faults,
    submissions,
    healMs: endMs,
    settleMs: 240_000,
  }
}

function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}
