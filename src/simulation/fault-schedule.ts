// What goes wrong in a run, and when: of quiet runs little, of rough ones much, all of it over before the network heals but
// for nodes that are gone for good. How a fault is done is faults.ts.
import type { FrailNodes } from './frail-nodes.ts'
import type { Random } from './random.ts'
import type { Fault } from './scenario.ts'

/** Groups of faults that a run may be restricted to. */
export const faultGroups = ['network', 'crash', 'disk', 'clock', 'liars'] as const
export type FaultGroup = (typeof faultGroups)[number]

export interface FaultRules {
  readonly random: Random
  readonly groups: readonly FaultGroup[]
  readonly nodes: number
  readonly healMs: number
  readonly longer: number
  readonly frail: FrailNodes
}

/** In order of time. */
export function faultsOf(rules: FaultRules): Fault[] {
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
