// Makes the faults of a scenario happen, and ends them. Keeps which nodes are tainted by what was done to their disks.
import { metaKeys } from '../storage/index.ts'
import { type DiskImage, emptyImage } from './disk.ts'
import type { SimulatedNode } from './node.ts'
import type { Random } from './random.ts'
import type { Fault, FaultKind } from './scenario.ts'
import type { Scheduler } from './scheduler.ts'
import type { Weather } from './weather.ts'

export interface FaultOptions {
  readonly scheduler: Scheduler
  readonly weather: Weather
  readonly nodes: readonly SimulatedNode[]
  readonly random: Random
  /** Every fault that ends has ended by then. */
  readonly healMs: number
  readonly trace: (text: string) => void
  /** What the node had promised alone is gone with its disk. */
  readonly onDiskLost: (node: SimulatedNode) => void
}

type NodeFault = Extract<Fault, { readonly node: number }>

export class FaultInjector {
  readonly #options: FaultOptions
  readonly #gone = new Set<SimulatedNode>()
  /** Both its record and its database were put back: it counts as a liar. */
  readonly #tainted = new Set<SimulatedNode>()
  readonly #putBack = new Set<SimulatedNode>()
  readonly #counts: Partial<Record<FaultKind, number>> = {}
  readonly #ends = new Set<() => void>()
  #isHealed = false

  constructor(options: FaultOptions) {
    this.#options = options
  }

  get counts(): Readonly<Partial<Record<FaultKind, number>>> {
    return this.#counts
  }

  /** Whether a fault is under way. */
  get isActive(): boolean {
    return this.#ends.size > 0 || this.#gone.size > 0
  }

  /** Whether a validator lost its record, and counts as a liar. */
  get hasTainted(): boolean {
    return this.#tainted.size > 0
  }

  isGone(node: SimulatedNode): boolean {
    return this.#gone.has(node)
  }

  isTainted(node: SimulatedNode): boolean {
    return this.#tainted.has(node)
  }

  /** Whether its database is not the last one it wrote. Asked at its start; true once. */
  wasPutBack(node: SimulatedNode): boolean {
    return this.#putBack.delete(node)
  }

  schedule(fault: Fault): void {
    const { scheduler } = this.#options
    if (
      (fault.kind === 'stale-database' || fault.kind === 'stale-record') &&
      this.#nodeOf(fault) !== undefined
    ) {
      this.#scheduleStale(fault)
      return
    }
    scheduler.after(fault.atMs, () => {
      if (!this.#isHealed) this.#begin(fault)
    })
  }

  /** Ends all that still lasts, and brings up who is not gone. */
  heal(): void {
    this.#isHealed = true
    for (const end of [...this.#ends]) end()
    for (const node of this.#options.nodes) {
      node.crashAtWrite = undefined
      if (!this.#gone.has(node)) node.start()
    }
  }

  #begin(fault: Fault): void {
    this.#count(fault)
    this.#options.trace(`fault: ${JSON.stringify(fault)}`)
    const { weather } = this.#options
    switch (fault.kind) {
      case 'partition': {
        const groupOf = new Map(fault.groups.flatMap((group, at) => group.map((node) => [node, at] as const)))
        const cuts = (from: number, to: number) => (groupOf.get(from) ?? 0) !== (groupOf.get(to) ?? 0)
        this.#lasting(fault.forMs, weather.disturb({ cuts }))
        return
      }
      case 'one-way-cut': {
        const [from, to] = [new Set(fault.from), new Set(fault.to)]
        this.#lasting(fault.forMs, weather.disturb({ cuts: (a, b) => from.has(a) && to.has(b) }))
        return
      }
      case 'loss':
        this.#lasting(fault.forMs, weather.disturb({ loss: fault.rate }))
        return
      case 'duplication':
        this.#lasting(fault.forMs, weather.disturb({ duplication: fault.rate }))
        return
      case 'reordering':
        this.#lasting(fault.forMs, weather.disturb({ delay: { rate: fault.rate, maxMs: fault.maxMs } }))
        return
      default: {
        const node = this.#nodeOf(fault)
        if (node !== undefined && !this.#gone.has(node)) this.#beginAt(node, fault)
      }
    }
  }

  #beginAt(node: SimulatedNode, fault: NodeFault): void {
    switch (fault.kind) {
      case 'crash':
        // A liar's twin runs on the same machine.
        for (const each of this.#options.nodes) if (each.peerId === node.peerId) this.#crash(each, fault)
        return
      case 'slow-node':
        node.lagMs = fault.lagMs
        this.#lasting(fault.forMs, () => {
          node.lagMs = 0
        })
        return
      case 'clock-jump':
        node.clockOffsetMs += fault.byMs
        return
      case 'disk-full':
        node.disk.isFull = true
        node.record.isFull = true
        this.#lasting(fault.forMs, () => {
          node.disk.isFull = false
          node.record.isFull = false
          if (!this.#gone.has(node)) node.start()
        })
        return
      case 'flipped-byte':
        node.disk.isDamaged = true
        this.#lasting(fault.forMs, () => this.#replaceDisk(node, emptyImage))
        return
      case 'flipped-record-byte':
        this.#flipRecord(node, fault.forMs)
        return
      case 'gone':
        this.#gone.add(node)
        node.crash({ losesPower: true })
        this.#options.onDiskLost(node)
        return
      case 'stale-database':
      case 'stale-record':
    }
  }

  #crash(node: SimulatedNode, fault: Extract<Fault, { kind: 'crash' }>): void {
    const { moment, skip, losesPower, forMs } = fault
    if (moment === 'now') node.crash({ losesPower })
    else node.crashAtWrite = { moment: moment === 'before-write' ? 'before' : 'after', skip, losesPower }
    this.#lasting(forMs, () => {
      node.crashAtWrite = undefined
      if (!this.#gone.has(node)) node.start()
    })
  }

  /** An image is taken first, and put back later. */
  #scheduleStale(fault: Extract<Fault, { kind: 'stale-database' | 'stale-record' }>): void {
    const { scheduler } = this.#options
    const node = this.#nodeOf(fault)
    if (node === undefined) return
    let image: { database: DiskImage; record: Uint8Array | undefined } | undefined
    scheduler.after(Math.max(0, fault.atMs - fault.agoMs), () => {
      image = { database: node.disk.image(), record: node.record.content }
    })
    scheduler.after(fault.atMs, () => {
      if (this.#isHealed || image === undefined || this.#gone.has(node)) return
      node.crash({ losesPower: false })
      // A copy that is missing only what the database does not know of yet is as good as the record itself; but not
      // where the database lost what it knew (protocol D3): that is the stale database with its record, a liar's.
      if (fault.kind === 'stale-record' && node.disk.hasLost(metaKeys.signingNumber)) {
        this.#lasting(fault.forMs, () => node.start())
        return
      }
      this.#count(fault)
      this.#options.trace(`fault: ${JSON.stringify(fault)}`)
      if (fault.kind === 'stale-record') {
        node.record.restore(image.record)
        this.#lasting(fault.forMs, () => node.start())
        return
      }
      if (fault.withRecord) {
        this.#tainted.add(node)
        node.record.restore(image.record)
      }
      this.#replaceDisk(node, image.database, fault.forMs)
    })
  }

  #replaceDisk(node: SimulatedNode, image: DiskImage, forMs = 0): void {
    if (this.#gone.has(node)) return
    node.crash({ losesPower: false })
    node.disk.restore(image)
    this.#putBack.add(node)
    this.#options.onDiskLost(node)
    if (forMs === 0) node.start()
    else this.#lasting(forMs, () => node.start())
  }

  /** The node is stopped, a byte of its record flips; it must not sign with it. Its operator brings the right one back. */
  #flipRecord(node: SimulatedNode, forMs: number): void {
    const { random } = this.#options
    node.crash({ losesPower: false })
    const { content } = node.record
    if (content === undefined || content.length === 0) {
      node.start()
      return
    }
    const damaged = content.slice()
    const at = random.between(0, damaged.length - 1)
    damaged[at] = (damaged[at] ?? 0) ^ (1 << random.between(0, 7))
    node.record.restore(damaged)
    node.start()
    this.#lasting(forMs, () => {
      // Where the flip was in what a crash had cut short anyway, the record is whole without it and may have grown.
      if (node.isUp && !node.isMute) return
      node.crash({ losesPower: false })
      node.record.restore(content)
      if (!this.#gone.has(node)) node.start()
    })
  }

  /** Runs `end` after a time, or when the network heals. */
  #lasting(forMs: number, end: () => void): void {
    const once = () => {
      if (this.#ends.delete(once)) end()
    }
    this.#ends.add(once)
    this.#options.scheduler.after(forMs, once)
  }

  #count({ kind }: Fault): void {
    this.#counts[kind] = (this.#counts[kind] ?? 0) + 1
  }

  #nodeOf(fault: Fault): SimulatedNode | undefined {
    return 'node' in fault ? this.#options.nodes[fault.node] : undefined
  }
}
