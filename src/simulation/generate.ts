// Seed -> scenario: how large the network is, what goes wrong in it, and who lies, always within the fault model: liars
// have at most power l, and together with those whose disk or record is lost or who are gone, at most f.
import { defaultLimits } from '../codec/index.ts'
import type { FaultModel, Message, ProtocolLimits } from '../types/index.ts'
import { completerLie, lieNames, twinLie } from './byzantine/index.ts'
import { thresholdsOfModel } from './checks/judge.ts'
import { Random } from './random.ts'
import type { Fault, Liar, Scenario, Submission } from './scenario.ts'

/** Groups of faults that a run may be restricted to. */
export const faultGroups = ['network', 'crash', 'disk', 'clock', 'liars'] as const
export type FaultGroup = (typeof faultGroups)[number]

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
    validators: powers.length,
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

/** Whom the fault model still allows to lose more than its process. */
class FrailNodes {
  readonly #powers: readonly number[]
  readonly #random: Random
  readonly #chosen = new Set<number>()
  #faultyLeft: number
  #lyingLeft: number

  constructor(powers: readonly number[], model: FaultModel, random: Random) {
    const { faulty, lying } = thresholdsOfModel(powers, model)
    this.#powers = powers
    this.#random = random
    this.#faultyLeft = faulty
    this.#lyingLeft = lying
  }

  /** A validator that may fail, or lie; undefined where no more may. */
  take({ lies }: { lies: boolean }): number | undefined {
    const left = lies ? Math.min(this.#faultyLeft, this.#lyingLeft) : this.#faultyLeft
    const able = [...this.#powers.keys()].filter(
      (node) => !this.#chosen.has(node) && (this.#powers[node] ?? 0) <= left,
    )
    if (able.length === 0) return undefined
    const node = this.#random.pick(able)
    const power = this.#powers[node] ?? 0
    this.#chosen.add(node)
    this.#faultyLeft -= power
    if (lies) this.#lyingLeft -= power
    return node
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

interface FaultRules {
  readonly random: Random
  readonly groups: readonly FaultGroup[]
  readonly nodes: number
  readonly validators: number
  readonly healMs: number
  readonly longer: number
  readonly frail: FrailNodes
}

function faultsOf(rules: FaultRules): Fault[] {
  const { random, groups, healMs, longer } = rules
  const makers = groups.flatMap((group) => faultMakers[group])
  if (makers.length === 0) return []
  // From quiet runs to rough ones.
  const count = random.pick([0, 3, 8, 20]) * longer
  const faults: Fault[] = []
  for (let made = 0; made < count; made++) {
    const atMs = random.between(0, Math.floor(healMs * 0.9))
    const forMs = Math.min(Math.ceil(random.exponential(healMs / longer / 6)) + 50, healMs - atMs)
    const fault = random.pick(makers)({ ...rules, atMs, forMs })
    if (Array.isArray(fault)) faults.push(...fault)
    else if (fault !== undefined) faults.push(fault as Fault)
  }
  return faults.sort((a, b) => a.atMs - b.atMs)
}

type MakeFault = (
  rules: FaultRules & { readonly atMs: number; readonly forMs: number },
) => Fault | readonly Fault[] | undefined

const crash: MakeFault = ({ random, nodes, atMs, forMs }) => ({
  kind: 'crash',
  atMs,
  forMs,
  node: random.between(0, nodes - 1),
  moment: random.pick(['now', 'before-write', 'after-write', 'after-write']),
  skip: random.between(0, 6),
  losesPower: random.chance(0.5),
})

/** The power fails for all: what the network knows is then what the disks know. */
const blackout: MakeFault = ({ random, nodes, atMs, forMs }) =>
  [...Array(nodes).keys()].map((node) => ({
    kind: 'crash',
    atMs: atMs + random.between(0, random.pick([0, 30])),
    forMs: forMs + random.between(0, 200),
    node,
    moment: random.pick(['now', 'before-write', 'after-write']),
    skip: 0,
    losesPower: true,
  }))

const disk = (
  make: (base: { atMs: number; forMs: number; node: number; random: Random }) => Fault,
): MakeFault => {
  return ({ random, frail, atMs, forMs }) => {
    const node = frail.take({ lies: false })
    return node === undefined ? undefined : make({ atMs, forMs, node, random })
  }
}

const faultMakers: Readonly<Record<FaultGroup, readonly MakeFault[]>> = {
  liars: [],
  crash: [crash, crash, crash, blackout],
  network: [
    ({ random, nodes, atMs, forMs }) => {
      const groups: number[][] = [[], [], []]
      for (let node = 0; node < nodes; node++) groups[random.between(0, random.pick([1, 2]))]?.push(node)
      return { kind: 'partition', atMs, forMs, groups: groups.filter(({ length }) => length > 0) }
    },
    ({ random, nodes, atMs, forMs }) => {
      const shuffled = random.shuffle([...Array(nodes).keys()])
      const [from, to] = [random.between(1, nodes), random.between(1, nodes)]
      return { kind: 'one-way-cut', atMs, forMs, from: shuffled.slice(0, from), to: shuffled.slice(-to) }
    },
    ({ random, atMs, forMs }) => ({ kind: 'loss', atMs, forMs, rate: random.pick([0.05, 0.3, 0.7]) }),
    ({ random, atMs, forMs }) => ({ kind: 'duplication', atMs, forMs, rate: random.within(0.05, 0.5) }),
    ({ random, atMs, forMs }) => ({
      kind: 'reordering',
      atMs,
      forMs,
      rate: random.within(0.05, 0.5),
      maxMs: random.pick([100, 1_000, 3_000]),
    }),
    ({ random, nodes, atMs, forMs }) => ({
      kind: 'slow-node',
      atMs,
      forMs,
      node: random.between(0, nodes - 1),
      lagMs: random.pick([5, 50, 400]),
    }),
  ],
  disk: [
    ({ random, nodes, atMs, forMs }) => ({
      kind: 'disk-full',
      atMs,
      forMs,
      node: random.between(0, nodes - 1),
    }),
    disk(({ atMs, forMs, node }) => ({ kind: 'flipped-byte', atMs, forMs, node })),
    disk(({ atMs, forMs, node }) => ({ kind: 'flipped-record-byte', atMs, forMs, node })),
    disk(({ atMs, forMs, node, random }) => ({
      kind: 'stale-database',
      atMs,
      forMs,
      node,
      agoMs: random.between(100, 5_000),
      withRecord: false,
    })),
    disk(({ atMs, forMs, node, random }) => ({
      kind: 'stale-record',
      atMs,
      forMs,
      node,
      agoMs: random.pick([20, 100, 500, 3_000]),
    })),
    disk(({ atMs, node }) => ({ kind: 'gone', atMs, node })),
    ({ random, frail, atMs, forMs }) => {
      const node = frail.take({ lies: true })
      if (node === undefined) return undefined
      return {
        kind: 'stale-database',
        atMs,
        forMs,
        node,
        agoMs: random.between(100, 5_000),
        withRecord: true,
      }
    },
  ],
  clock: [
    ({ random, nodes, atMs }) => ({
      kind: 'clock-jump',
      atMs,
      node: random.between(0, nodes - 1),
      byMs: random.pick([-60_000, -2_000, -100, 100, 5_000, 600_000]),
    }),
  ],
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
