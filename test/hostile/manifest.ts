// What is done to a network, and when: a plan in rounds, drawn from a seed, that any ground can carry out. One seed and
// length give one plan, and its JSON says all of it.
import { Random } from '../support/random.ts'

/** A direction between two nodes: what `from` sends to `to`. */
export interface Link {
  readonly from: number
  readonly to: number
}

export type FaultKind = Fault['kind']
/** Times are from the start of the round; a fault lasts `forMs`, then it is undone. */
export type Fault = { readonly atMs: number; readonly forMs: number } & (
  | {
      /** SIGKILL at once to all of them; started again after it. */
      readonly kind: 'kill'
      readonly nodes: readonly number[]
    }
  | { readonly kind: 'pause' | 'unplug'; readonly nodes: readonly number[] }
  | {
      /** Stopped as an operator does, and started at once; one after the other, each ready before the next. */
      readonly kind: 'restart' | 'rolling-restart'
      readonly nodes: readonly number[]
    }
  | {
      /** Groups that cannot reach one another. */
      readonly kind: 'partition'
      readonly groups: readonly (readonly number[])[]
    }
  | {
      /** Some pairs cannot reach each other, or only one way; by way of others all are connected. */
      readonly kind: 'partial-partition' | 'one-way'
      readonly links: readonly Link[]
    }
  | { readonly kind: 'loss'; readonly links: readonly Link[]; readonly percent: number }
  | { readonly kind: 'rate'; readonly nodes: readonly number[]; readonly kbitPerSecond: number }
  | { readonly kind: 'full-disk'; readonly nodes: readonly number[] }
  | {
      /** Killed, bytes of a file of its database flipped, started; where that shows, its database made anew. */
      readonly kind: 'corrupt-database'
      readonly nodes: readonly number[]
      readonly file: 'log' | 'table'
      /** Of the file's size, from 0 to below 1. */
      readonly places: readonly number[]
    }
  | { readonly kind: 'clock'; readonly nodes: readonly number[]; readonly offsetMs: number }
)

export interface Manifest {
  readonly version: 1
  readonly seed: number
  /** Of faults and the pauses between them; waiting for recovery comes on top. */
  readonly minutes: number
  readonly validators: number
  /** After the first third of the time, from a round on (0 is the first), nobody ends its process: its memory tells of
   *  the rest. */
  readonly witness: { readonly node: number; readonly sparedFromRound: number }
  /** The one whose home is on a disk so small that it can be filled. */
  readonly smallDisk: { readonly node: number; readonly mebibytes: number }
  /** The one whose clock can be set. */
  readonly ownClock: { readonly node: number }
  readonly load: { readonly requestsPerSecond: number }
  readonly rounds: readonly { readonly faults: readonly Fault[] }[]
}

export const faultKinds = [
  'kill',
  'pause',
  'restart',
  'rolling-restart',
  'unplug',
  'partition',
  'partial-partition',
  'one-way',
  'loss',
  'rate',
  'full-disk',
  'corrupt-database',
  'clock',
] as const satisfies readonly FaultKind[]

/** What a fault of a kind takes beyond its `forMs`, about: starts, checks. */
const extraMs: Partial<Record<FaultKind, number>> = {
  restart: 4_000,
  'rolling-restart': 16_000,
  'full-disk': 4_000,
  'corrupt-database': 12_000,
}
/** Between the last fault of a round and the first of the next, about. */
const settleMs = 5_000
/** Faults may be in the way of one another; more at a time tell less of each. */
const faultsMax = 3

export interface Shape {
  readonly seed: number
  readonly minutes: number
  readonly validators?: number
}

export function makeManifest({ seed, minutes, validators = 4 }: Shape): Manifest {
  const random = new Random(seed)
  const [witness = 0, small = 0, clocked = 0] = random.shuffled(indexes(validators))
  const draw = new Draw(random, { validators, witness, small, clocked })
  const rounds: { faults: Fault[] }[] = []
  const totalMs = minutes * 60_000
  let plannedMs = 0
  let sparedFromRound = 0
  while (plannedMs < totalMs) {
    const isFirstThird = plannedMs < totalMs / 3
    if (isFirstThird) sparedFromRound = rounds.length + 1
    const faults = draw.round(isFirstThird)
    rounds.push({ faults })
    const ends = faults.map(({ kind, atMs, forMs }) => atMs + forMs + (extraMs[kind] ?? 0))
    plannedMs += Math.max(...ends) + settleMs
  }
  return {
    version: 1,
    seed,
    minutes,
    validators,
    witness: { node: witness, sparedFromRound },
    // A chain of an hour's load, and as much again for `diseq check`.
    smallDisk: { node: small, mebibytes: 64 + 8 * Math.ceil(minutes) },
    ownClock: { node: clocked },
    load: { requestsPerSecond: 12 },
    rounds,
  }
}

interface Cast {
  readonly validators: number
  readonly witness: number
  readonly small: number
  readonly clocked: number
}

/** Draws faults. Kinds come as from a deck: each once before any comes again. */
class Draw {
  readonly #random: Random
  readonly #cast: Cast
  #deck: FaultKind[] = []

  constructor(random: Random, cast: Cast) {
    this.#random = random
    this.#cast = cast
  }

  /** One to three faults. What is done to a node itself is one fault a round; what is done to the network between them
   *  goes with anything. */
  round(isFirstThird: boolean): Fault[] {
    const faults: Fault[] = []
    const free = new Set(indexes(this.#cast.validators))
    const count = 1 + this.#random.below(faultsMax)
    const passedOver: FaultKind[] = []
    while (faults.length < count && passedOver.length < faultKinds.length) {
      const kind = this.#nextKind()
      const fault = this.#fault(kind, { free, isFirstThird })
      if (fault === undefined) {
        passedOver.push(kind)
        continue
      }
      faults.push(fault)
      for (const node of nodesOf(fault)) free.delete(node)
    }
    this.#deck.push(...passedOver)
    return faults
  }

  #nextKind(): FaultKind {
    if (this.#deck.length === 0) this.#deck = this.#random.shuffled(faultKinds)
    return this.#deck.pop() ?? 'kill'
  }

  /** Undefined where the nodes that it needs have another fault. */
  #fault(
    kind: FaultKind,
    { free, isFirstThird }: { free: ReadonlySet<number>; isFirstThird: boolean },
  ): Fault | undefined {
    const random = this.#random
    const { validators, witness, small, clocked } = this.#cast
    const times = { atMs: random.below(3_000), forMs: this.#duration() }
    // Whose process may end.
    const mortal = [...free].filter((node) => isFirstThird || node !== witness)
    const [one] = random.shuffled(mortal)
    switch (kind) {
      case 'kill': {
        const isEverybody = isFirstThird && free.size === validators && random.chance(0.4)
        const nodes = isEverybody ? indexes(validators) : some(random, mortal)
        return nodes.length === 0 ? undefined : { kind, ...times, nodes }
      }
      case 'pause':
      case 'unplug': {
        const nodes = some(random, [...free])
        return nodes.length === 0 ? undefined : { kind, ...times, nodes }
      }
      case 'restart':
        return one === undefined ? undefined : { kind, ...times, forMs: 0, nodes: [one] }
      case 'rolling-restart':
        if (free.size < validators) return undefined
        return { kind, ...times, forMs: 0, nodes: random.shuffled(mortal) }
      case 'partition':
        return { kind, ...times, groups: this.#groups() }
      case 'partial-partition': {
        const pair = this.#pairs(1 + random.below(validators - 1))
        const links = pair.flatMap(({ from, to }) => [
          { from, to },
          { from: to, to: from },
        ])
        return { kind, ...times, links }
      }
      case 'one-way':
        return { kind, ...times, links: this.#pairs(1 + random.below(validators)) }
      case 'loss': {
        const links = random.chance(0.5) ? allLinks(validators) : this.#pairs(3)
        return { kind, ...times, links, percent: 2 + random.below(30) }
      }
      case 'rate': {
        const nodes = some(random, indexes(validators))
        return { kind, ...times, nodes, kbitPerSecond: 200 + random.below(1_800) }
      }
      case 'full-disk':
        return free.has(small) ? { kind, ...times, nodes: [small] } : undefined
      case 'corrupt-database': {
        const victims = mortal.filter((node) => node !== witness)
        const victim = random.pick(victims)
        if (victim === undefined) return undefined
        const places = Array.from({ length: 1 + random.below(3) }, () => random.next())
        const file = random.chance(0.5) ? 'log' : 'table'
        return { kind, ...times, forMs: 1_000 + random.below(3_000), nodes: [victim], file, places }
      }
      case 'clock': {
        const sign = random.chance(0.5) ? 1 : -1
        const offsetMs = sign * (1_000 + random.below(random.chance(0.5) ? 10_000 : 3_600_000))
        return free.has(clocked) ? { kind, ...times, nodes: [clocked], offsetMs } : undefined
      }
    }
  }

  /** Mostly short, now and then longer than timeouts are. */
  #duration(): number {
    return this.#random.chance(0.15) ? 12_000 + this.#random.below(18_000) : 2_000 + this.#random.below(6_000)
  }

  #groups(): number[][] {
    const order = this.#random.shuffled(indexes(this.#cast.validators))
    const cut = 1 + this.#random.below(order.length - 1)
    return [order.slice(0, cut), order.slice(cut)]
  }

  /** That many different pairs, each in one direction. */
  #pairs(count: number): Link[] {
    const pairs = allLinks(this.#cast.validators).filter(({ from, to }) => from < to)
    const chosen = this.#random.shuffled(pairs).slice(0, count)
    return chosen.map(({ from, to }) => (this.#random.chance(0.5) ? { from, to } : { from: to, to: from }))
  }
}

/** The nodes to which it is done; none for what lies between nodes. */
export function nodesOf(fault: Fault): readonly number[] {
  return 'nodes' in fault && fault.kind !== 'rate' ? fault.nodes : []
}

export function allLinks(validators: number): Link[] {
  const nodes = indexes(validators)
  return nodes.flatMap((from) => nodes.filter((to) => to !== from).map((to) => ({ from, to })))
}

/** One of them mostly, seldom more. */
function some(random: Random, nodes: readonly number[]): number[] {
  const count = random.chance(0.7) ? 1 : 1 + random.below(nodes.length)
  return random.shuffled(nodes).slice(0, count)
}

function indexes(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}
