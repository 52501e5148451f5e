// Seed -> scenario: how large the network is and how it is set, who lies in it, and what it is sent. What goes wrong when is
// fault-schedule.ts; who may lie or fail is frail-nodes.ts.
import { defaultLimits } from '../codec/index.ts'
import type { FaultModel, Message, ProtocolLimits } from '../types/index.ts'
import { completerLie, lieNames, twinLie } from './byzantine/index.ts'
import { type FaultGroup, faultGroups, faultsOf } from './fault-schedule.ts'
import { FrailNodes } from './frail-nodes.ts'
import { Random } from './random.ts'
import type { Liar, Scenario, Submission } from './scenario.ts'

export interface GenerateOptions {
  readonly seed: number
  /** Without it the seed decides. */
  readonly validators?: number
  /** Without it all of them. */
  readonly faults?: readonly FaultGroup[]
  readonly faultModel?: FaultModel
  /** Liars, if the faults have any, do these things. */
  readonly lies?: readonly string[]
  /** Times as long as the seed says until the network heals, with as many more faults: what a run costs at its
   *  beginning and its end weighs less. */
  readonly longer?: number
}

/** One seed in so many runs the real signatures and VRF. */
const realCryptoEvery = 10

export function scenarioOf(options: GenerateOptions): Scenario {
  const { seed, longer = 1 } = options
  const random = Random.stream(seed, 'scenario')
  const groups = options.faults ?? faultGroups
  const powers = powersOf(random, options.validators ?? random.pick([1, 3, 4, 4, 4, 4, 5, 7]))
  const faultModel = options.faultModel ?? (random.chance(0.15) ? 'crash' : 'byzantine')
  const limits = limitsOf(random)
  const healMs = random.between(3_000, 15_000) * longer
  const frail = new FrailNodes(powers, faultModel, random)
  const liars =
    groups.includes('liars') && (random.chance(0.6) || options.lies !== undefined)
      ? liarsOf({ random, company: Random.stream(seed, 'company'), frail, chosen: options.lies })
      : []
  const observers = random.chance(0.2) ? 1 : 0
  const nodes = powers.length + observers
  const faults = faultsOf({
    random: Random.stream(seed, 'schedule'),
    groups,
    nodes,
    healMs,
    longer,
    frail,
  })
  return {
    seed,
    powers,
    faultModel,
    limits,
    settings: {
      viewTimeoutMs: random.pick([150, 400, 800, 1_500]),
      viewTimeoutCapMs: random.pick([8_000, 30_000]),
      // In a third of the runs first views follow what was measured.
      viewTimeoutMinMs: seed % 3 === 2 ? 50 : 30_000,
      finalizeTimeoutMs: random.pick([100, 300, 1_000]),
      proposalGraceMs: random.pick([0, 20, 100]),
      emptyBlockIntervalMs: random.chance(0.1) ? 2_000 : 0,
      statusIntervalMs: random.pick([500, 2_000]),
      poolMaxBytes: 64 * 1024 * 1024,
      poolMaxBatches: random.pick([200, 2_000]),
      batchMaxDelayMs: random.pick([0, 5, 50]),
      batchMaxBytes: random.pick([512, 4_096]),
      backlogMaxMs: 4_000,
    },
    hasRealCrypto: seed % realCryptoEvery === 0,
    distance: random.chance(0.3)
      ? { kind: 'wan' }
      : { kind: 'uniform', minMs: random.within(0.1, 5), maxMs: random.within(5, 60) },
    clockOffsetsMs: Array.from({ length: nodes }, () =>
      groups.includes('clock') && random.chance(0.5) ? random.between(-3_000, 3_000) : 0,
    ),
    observers,
    liars,
    faults,
    submissions: submissionsOf(Random.stream(seed, 'messages'), { nodes, healMs }),
    healMs,
    // What was sent in all that time has to get through blocks that may be small.
    settleMs: 240_000 * longer,
  }
}

function powersOf(random: Random, count: number): number[] {
  const isEqual = random.chance(0.6)
  return Array.from({ length: count }, () => (isEqual ? 1 : random.between(1, 5)))
}

/** Small ones, so that a run meets them. */
function limitsOf(random: Random): ProtocolLimits {
  return {
    ...defaultLimits,
    maxMessageBytes: 1_024,
    maxBatchBytes: random.pick([2_048, 8_192]),
    maxBatchMessages: random.pick([4, 100]),
    maxBlockBatches: random.pick([3, 10, 100]),
    maxBlockBytes: random.pick([16_384, 131_072]),
    maxCommitmentEntries: random.pick([2, 6, 20, 200]),
  }
}

/** What is drawn by itself; the rest comes in company. */
const drawnLies = lieNames.filter((name) => name !== completerLie)

function liarsOf(options: {
  random: Random
  company: Random
  frail: FrailNodes
  chosen: readonly string[] | undefined
}): Liar[] {
  const { random, company, frail, chosen } = options
  const liars: Liar[] = []
  do {
    const node = frail.take({ lies: true })
    if (node === undefined) break
    const lies = random.shuffle(drawnLies).slice(0, random.pick([1, 1, 2, 3]))
    if (lies.includes(twinLie) && company.chance(0.5)) lies.push(completerLie)
    liars.push({ node, lies: chosen ?? lies })
  } while (random.chance(0.6))
  return liars
}

function submissionsOf(random: Random, { nodes, healMs }: { nodes: number; healMs: number }): Submission[] {
  const submissions: Submission[] = []
  const meanMs = random.pick([30, 150, 600])
  const sent: Message[] = []
  let atMs = 50
  while (atMs < healMs + 2_000) {
    const messages = Array.from({ length: random.pick([1, 1, 2, 6]) }, () => messageOf(random, sent))
    submissions.push({ atMs, node: random.between(0, nodes - 1), messages })
    atMs += random.exponential(meanMs) + (random.chance(0.02) ? 3_000 : 0)
  }
  return submissions
}

function messageOf(random: Random, sent: Message[]): Message {
  // The same message again, through another node perhaps: it must be in the chain once.
  if (sent.length > 0 && random.chance(0.1)) return random.pick(sent)
  const message: Message = {
    data: random.bytes(random.pick([1, 8, 40, 200])),
    timestamp: sent.length,
    ...(random.chance(0.3) ? { namespace: random.pick(['a', 'b', 'orders']) } : {}),
    ...(random.chance(0.1) ? { expiresAt: random.between(1, 60) } : {}),
  }
  sent.push(message)
  return message
}
