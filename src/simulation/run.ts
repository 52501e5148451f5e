// One run of a scenario: nodes, network, faults and checks put together, from the first event to the last. The same
// scenario gives the same run, bit for bit.
import { encodeFrame, type Frame } from '../codec/index.ts'
import type { FinalEvent } from '../node/chain-head.ts'
import type { MessageId, PeerId } from '../types/index.ts'
import type { LiarTools } from './behaviour.ts'
import { busyLie, lies, twinLie } from './byzantine/index.ts'
import { Checks } from './checks/index.ts'
import type { Violation } from './checks/judge.ts'
import { FaultInjector } from './faults.ts'
import { genesisOf, peerIdOfNode } from './network-of.ts'
import { type Common, SimulatedNode } from './node.ts'
import { Random } from './random.ts'
import type { FaultKind, Liar, Scenario } from './scenario.ts'
import { Scheduler } from './scheduler.ts'
import { identityOf, realSchemes, standInSchemes } from './schemes.ts'
import { SharedVerifier } from './verifier.ts'
import { Weather } from './weather.ts'
import type { RequestKind } from './wire.ts'

export interface RunOptions {
  /** Called with one line for everything that a reader of a failed run wants to see. */
  readonly trace?: (line: string) => void
  /** Called as things happen, for whoever measures. */
  readonly onAccepted?: (node: number, atMs: number, ids: readonly MessageId[]) => void
  readonly onFinal?: (node: number, atMs: number, event: FinalEvent) => void
  /** Bytes leave a node for another: a frame, a request or an answer. */
  readonly onCarried?: (from: number, to: number, sizeBytes: number) => void
}

export interface RunReport {
  readonly seed: number
  readonly violation: Violation | undefined
  readonly heights: number
  readonly heightsWithMessages: number
  /** Of those, heights that became final while a fault was under way. */
  readonly heightsUnderFaults: number
  readonly messages: number
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>
  readonly lies: readonly string[]
  /** Checks that were made, by name. */
  readonly checks: Readonly<Record<string, number>>
  readonly events: number
  readonly virtualMs: number
  /** Digest of everything that was final: equal for equal runs. */
  readonly digest: string
}

/** Looks at bounds, and liars act, so often. */
const tickMs = 100
/** After all is final the network comes to rest within so long, and must stay idle for so long. */
const calmingMs = 5_000
const idleMs = 20_000
/** Events of one run; more of them means that something runs in circles. */
const eventsMax = 4_000_000

/** Runs a scenario to its end, or to the first violation. */
export async function run(scenario: Scenario, options: RunOptions = {}): Promise<RunReport> {
  const each = new Run(scenario, options)
  // In a real process it would end the node where it stands.
  const onUncaught = (error: unknown) => each.onUncaught(error)
  process.on('unhandledRejection', onUncaught)
  try {
    return await each.execute()
  } finally {
    process.off('unhandledRejection', onUncaught)
  }
}

class Run {
  readonly #scenario: Scenario
  readonly #options: RunOptions
  readonly #scheduler = new Scheduler()
  readonly #common: Common
  readonly #weather: Weather
  readonly #nodes: SimulatedNode[] = []
  readonly #checks: Checks
  readonly #faults: FaultInjector
  #violation: Violation | undefined

  constructor(scenario: Scenario, options: RunOptions) {
    const { seed, settings, distance } = scenario
    this.#scenario = scenario
    this.#options = options
    const { genesis, thresholds } = genesisOf(scenario)
    const schemes = scenario.hasRealCrypto ? realSchemes : standInSchemes
    const verifier = new SharedVerifier({ genesis, thresholds, schemes })
    this.#common = { genesis, verifier, settings, schemes, scheduler: this.#scheduler }
    this.#weather = new Weather({ random: Random.stream(seed, 'weather'), distance })
    this.#checks = new Checks({
      genesis,
      schemes: this.#common.schemes,
      isHonest: (validator) => !this.#isTainted(validator),
      report: (check, text) => this.#violate(check, text),
    })
    const validators = scenario.powers.length
    for (let number = 0; number < validators + scenario.observers; number++) {
      this.#addNode(number, number < validators ? number : undefined)
    }
    for (const liar of scenario.liars) this.#makeLiar(liar)
    this.#faults = new FaultInjector({
      scheduler: this.#scheduler,
      weather: this.#weather,
      nodes: this.#nodes,
      random: Random.stream(seed, 'faults'),
      healMs: scenario.healMs,
      trace: (text) => this.#trace(text),
      onDiskLost: (node) => {
        this.#checks.onDiskLost(node.number)
      },
    })
  }

  async execute(): Promise<RunReport> {
    const { scenario, scheduler } = { scenario: this.#scenario, scheduler: this.#scheduler }
    const isViolated = () => this.#violation !== undefined || scheduler.eventCount > eventsMax
    for (const node of this.#nodes) node.start()
    for (const submission of scenario.submissions)
      scheduler.after(submission.atMs, () => void this.#submit(submission))
    for (const fault of scenario.faults) this.#faults.schedule(fault)
    this.#everyTick()
    await scheduler.runUntil(scenario.healMs, isViolated)
    this.#trace('the network heals')
    this.#faults.heal()
    const until = scenario.healMs + scenario.settleMs
    await scheduler.runUntil(until, () => isViolated() || this.#isSettled())
    if (!isViolated()) this.#checkSettled()
    if (!isViolated()) await this.#stayIdle(isViolated)
    if (scheduler.eventCount > eventsMax)
      this.#violate('bounds', `more than ${eventsMax} events: something runs in circles`)
    if (this.#violation === undefined) this.#checks.onEnd((text) => this.#violate('vacuous', text))
    for (const node of this.#nodes) node.crash({ losesPower: false })
    return this.#report()
  }

  onUncaught(error: unknown): void {
    this.#violate('uncaught', error instanceof Error ? (error.stack ?? error.message) : String(error))
  }

  /** An idle network sends no commitments and makes no blocks, whatever liars do without messages of their own. */
  async #stayIdle(isViolated: () => boolean): Promise<void> {
    await this.#scheduler.runUntil(this.#scheduler.nowMs + calmingMs, isViolated)
    const height = this.#checks.agreement.height
    await this.#scheduler.runUntil(this.#scheduler.nowMs + idleMs, isViolated)
    if (isViolated()) return
    const made = this.#checks.agreement.blocks
      .slice(height)
      .filter(({ messageIds }) => messageIds.length === 0)
    if (made.length > 2 && !this.#isMoving)
      this.#violate('idle', `${made.length} empty blocks were made within ${idleMs} ms of idleness`)
    // A message that a liar kept back may have become final just now.
    await this.#scheduler.runUntil(this.#scheduler.nowMs + calmingMs, () => isViolated() || this.#isSettled())
    if (!isViolated()) this.#checkSettled()
  }

  #checkSettled(): void {
    this.#checks.onSettled(this.#heights(), { isMoving: this.#isMoving })
  }

  /** Whether blocks are made although no one submits anything. */
  get #isMoving(): boolean {
    const { settings, liars } = this.#scenario
    return settings.emptyBlockIntervalMs > 0 || liars.some((liar) => liar.lies.includes(busyLie))
  }

  #isSettled(): boolean {
    const lastMs = this.#scenario.submissions.at(-1)?.atMs ?? 0
    if (this.#scheduler.nowMs < lastMs + 1_000 || this.#checks.promises.open().length > 0) return false
    const { height } = this.#checks.agreement
    return this.#heights().every((node) => node.height === height)
  }

  #heights(): { node: number; height: number | undefined }[] {
    return this.#nodes
      .filter((node) => !this.#faults.isGone(node) && !node.isLiar)
      .map((node) => ({ node: node.number, height: node.replica?.head.state.height }))
  }

  #isTainted(validator: number): boolean {
    return this.#nodes.some(
      (node) => node.validator === validator && (node.isLiar || this.#faults.isTainted(node)),
    )
  }

  #addNode(number: number, validator: number | undefined): SimulatedNode {
    const keyOf = validator ?? number
    const node: SimulatedNode = new SimulatedNode({
      number,
      validator,
      peerId: peerIdOfNode(keyOf),
      identity: identityOf(keyOf),
      common: this.#common,
      random: Random.stream(this.#scenario.seed, `node ${number}`),
      events: {
        onBroadcast: (frame) => this.#broadcast(node, frame),
        peers: () => this.#peersOf(node),
        carry: (peer, kind, body, answer) => this.#carry(node, { peer, kind, body, answer }),
        onSeen: (frame) => this.#checks.onFrame(frame),
        onBadFrame: (peer, reason) => this.#onBadFrame(node, peer, reason),
        onReport: (peer, reason) => this.#onReport(node, peer, reason),
        toldHeight: () => this.#checks.agreement.height,
        onFinal: (event) => {
          this.#trace(
            `node ${number} finalises ${event.height} (${event.messageIds.length} messages, view ${event.final.finalization.view})`,
          )
          this.#options.onFinal?.(node.number, this.#scheduler.nowMs, event)
          if (!node.isLiar) this.#checks.onFinal(node.number, event, this.#moment())
        },
        onStarted: () => {
          const { height, blockId } = node.replica?.head.state ?? { height: 0, blockId: undefined }
          this.#trace(`node ${number} is up at height ${height}${node.isMute ? ', and signs nothing' : ''}`)
          if (!node.isLiar && blockId !== undefined)
            this.#checks.onStarted(number, { height, blockId, wasPutBack: this.#faults.wasPutBack(node) })
        },
        onFatal: (error) => {
          if (!node.isLiar && !this.#faults.isTainted(node))
            this.#violate(
              'fatal',
              `node ${number} stopped: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
            )
        },
        onCrashed: () => this.#trace(`node ${number} goes down`),
        onLog: (level, text, fields) => {
          if (this.#options.trace !== undefined)
            this.#trace(`node ${number} ${level}: ${text} ${JSON.stringify(fields)}`)
        },
      },
    })
    node.clockOffsetMs = this.#scenario.clockOffsetsMs[keyOf] ?? 0
    this.#nodes.push(node)
    return node
  }

  #makeLiar(liar: Liar): void {
    const node = this.#nodes[liar.node]
    if (node === undefined) return
    const sides = [node]
    if (liar.lies.includes(twinLie)) sides.push(this.#addNode(this.#nodes.length, node.validator))
    for (const [side, each] of sides.entries()) {
      const tools = this.#toolsOf(each, side)
      each.behaviours = liar.lies.flatMap((name) => {
        const make = lies[name]
        if (make === undefined) throw new RangeError(`there is no way of lying called ${name}`)
        return [make(tools)]
      })
    }
  }

  #toolsOf(node: SimulatedNode, side: number): LiarTools {
    const send = (to: number, bytes: Uint8Array) => {
      const target = this.#nodes[to]
      if (target !== undefined && node.isUp) this.#deliver(node, target, bytes)
    }
    return {
      self: node.validator ?? -1,
      side,
      genesis: this.#common.genesis,
      elapsedMs: () => this.#scheduler.nowMs,
      healMs: this.#scenario.healMs,
      random: Random.stream(this.#scenario.seed, `liar ${node.number}`),
      others: this.#nodes.filter(({ peerId }) => peerId !== node.peerId).map(({ number }) => number),
      replica: () => node.replica,
      nowMs: () => node.nowMs(),
      sign: (kind, bytes) => node.signAnything(kind, bytes),
      send,
      sendFrame: (to, frame) => send(to, encodeFrame(frame)),
      after: (delayMs, action) => {
        this.#scheduler.after(delayMs, action)
      },
    }
  }

  #broadcast(from: SimulatedNode, frame: Frame): void {
    if (!from.isLiar) this.#checks.onSent(frame)
    const bytes = from.isLiar ? undefined : encodeFrame(frame)
    for (const to of this.#nodes) {
      if (to.peerId === from.peerId) continue
      if (bytes !== undefined) {
        this.#deliver(from, to, bytes)
        continue
      }
      let frames: readonly Frame[] = [frame]
      for (const behaviour of from.behaviours)
        frames = frames.flatMap((each) => behaviour.onSend?.(each, to.number) ?? [each])
      for (const each of frames) this.#deliver(from, to, encodeFrame(each))
    }
  }

  #deliver(from: SimulatedNode, to: SimulatedNode, bytes: Uint8Array): void {
    this.#options.onCarried?.(from.number, to.number, bytes.length)
    for (const delayMs of this.#weather.fateOf(from.number, to.number))
      this.#scheduler.after(delayMs + to.lagMs, () => to.receive(bytes, from))
  }

  #carry(
    from: SimulatedNode,
    request: { peer: PeerId; kind: RequestKind; body: Uint8Array; answer: (body: Uint8Array) => void },
  ): void {
    const { peer, kind, body, answer } = request
    if (from.behaviours.some((behaviour) => behaviour.asks?.(kind) === false)) return
    // A liar with a twin answers each peer with one of the two.
    const candidates = this.#nodes.filter((node) => node.peerId === peer && node.isUp)
    const to = candidates[from.number % Math.max(1, candidates.length)]
    const [thereMs] = to === undefined ? [] : this.#weather.fateOf(from.number, to.number)
    if (to === undefined || thereMs === undefined) return
    this.#options.onCarried?.(from.number, to.number, body.length)
    this.#scheduler.after(thereMs + to.lagMs, () => {
      const delayMs = to.behaviours.reduce((sum, behaviour) => sum + (behaviour.answerDelayMs?.() ?? 0), 0)
      to.answer(kind, body, from).then(
        (reply) => {
          if (reply === undefined) return
          this.#options.onCarried?.(to.number, from.number, reply.length)
          const [backMs] = this.#weather.fateOf(to.number, from.number)
          if (backMs !== undefined) this.#scheduler.after(backMs + delayMs + from.lagMs, () => answer(reply))
        },
        // The process that should answer failed while it did: no answer comes.
        (error: unknown) => this.#trace(`node ${to.number} did not answer: ${String(error)}`),
      )
    })
  }

  #peersOf(node: SimulatedNode): { peerId: PeerId; validator: number | null }[] {
    const peers = new Map<PeerId, { peerId: PeerId; validator: number | null }>()
    for (const other of this.#nodes) {
      if (other.peerId === node.peerId || other.replica === undefined) continue
      if (this.#weather.isCut(node.number, other.number) && this.#weather.isCut(other.number, node.number))
        continue
      peers.set(other.peerId, { peerId: other.peerId, validator: other.validator ?? null })
    }
    return [...peers.values()]
  }

  #onBadFrame(node: SimulatedNode, peer: PeerId, reason: string): void {
    const sender = this.#nodes.find(({ peerId }) => peerId === peer)
    if (sender?.isLiar !== false || this.#faults.isTainted(sender)) return
    this.#violate(
      'verification',
      `node ${node.number} refuses a frame of honest node ${sender.number}: ${reason}`,
    )
  }

  #onReport(node: SimulatedNode, peer: PeerId, reason: string): void {
    this.#trace(
      `node ${node.number} reports ${this.#nodes.find(({ peerId }) => peerId === peer)?.number}: ${reason}`,
    )
    this.#onBadFrame(node, peer, reason)
  }

  async #submit({ node: number, messages }: Scenario['submissions'][number]): Promise<void> {
    const node = this.#nodes[number]
    if (node?.replica === undefined) return
    let submission: Awaited<ReturnType<SimulatedNode['submit']>>
    try {
      submission = await node.submit(messages)
    } catch (error) {
      this.#trace(`node ${number} fails to take messages: ${String(error)}`)
      return
    }
    if (submission.kind === 'refused') {
      this.#trace(`node ${number} refuses messages: ${submission.code}`)
      return
    }
    if (node.isLiar || this.#faults.isTainted(node)) return
    const accepted = submission.ids.flatMap((id, at) => {
      const message = messages[at]
      return message === undefined ? [] : [{ id, message }]
    })
    this.#options.onAccepted?.(number, this.#scheduler.nowMs, submission.ids)
    this.#checks.onAccepted(number, this.#scheduler.nowMs, accepted)
  }

  #everyTick(): void {
    this.#scheduler.after(tickMs, () => {
      for (const node of this.#nodes) {
        for (const behaviour of node.behaviours) if (node.isUp) behaviour.onTick?.()
        if (node.replica !== undefined && !node.isLiar)
          this.#checks.onLook(node.number, node.replica, this.#scenario.settings)
      }
      this.#everyTick()
    })
  }

  #moment() {
    return {
      atMs: this.#scheduler.nowMs,
      hasFaults: this.#faults.isActive || this.#scenario.liars.length > 0,
      isHealed: this.#scheduler.nowMs > this.#scenario.healMs,
      hasLiars: this.#scenario.liars.length > 0 || this.#faults.hasTainted,
    }
  }

  #violate(check: string, text: string): void {
    this.#trace(`VIOLATION of ${check}: ${text}`)
    this.#violation ??= { check, text, atMs: this.#scheduler.nowMs }
  }

  #trace(text: string): void {
    this.#options.trace?.(`${this.#scheduler.nowMs.toFixed(1).padStart(9)} ${text}`)
  }

  #report(): RunReport {
    return {
      seed: this.#scenario.seed,
      violation: this.#violation,
      ...this.#checks.summary(),
      faults: this.#faults.counts,
      lies: this.#scenario.liars.flatMap(({ lies: names }) => names),
      events: this.#scheduler.eventCount,
      virtualMs: this.#scheduler.nowMs,
    }
  }
}
