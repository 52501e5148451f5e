// One run of a scenario: nodes, network, faults and checks put together, from the first event to the last. The same
// scenario gives the same run, bit for bit.
import type { FinalEvent } from '../node/chain-head.ts'
import type { MessageId, PeerId } from '../types/index.ts'
import { Behaviours } from './behaviours.ts'
import { lies, twinLie } from './byzantine/index.ts'
import { Checks } from './checks/index.ts'
import type { Violation } from './checks/judge.ts'
import { FaultInjector } from './faults.ts'
import { liarToolsOf } from './liar-tools.ts'
import { Links } from './links.ts'
import { genesisOf, peerIdOfNode } from './network-of.ts'
import { SimulatedNode } from './node.ts'
import type { Common } from './process.ts'
import { Random } from './random.ts'
import type { FaultKind, Liar, Scenario } from './scenario.ts'
import { Scheduler } from './scheduler.ts'
import { identityOf, realSchemes, standInSchemes } from './schemes.ts'
import { Settling } from './settling.ts'
import { SharedVerifier } from './verifier.ts'
import { Weather } from './weather.ts'

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
/** Events of one run; more of them means that something runs in circles. Larger networks have more: everybody tells
 *  everybody. */
const eventsMax = 4_000_000
const eventsMaxNodes = 20

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
  readonly #nodes: SimulatedNode[] = []
  readonly #links: Links
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
    const trace = (text: string) => this.#trace(text)
    const weather = new Weather({ random: Random.stream(seed, 'weather'), distance })
    this.#links = new Links({
      nodes: this.#nodes,
      weather,
      scheduler: this.#scheduler,
      trace,
      onCarried: (from, to, sizeBytes) => options.onCarried?.(from, to, sizeBytes),
    })
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
      weather,
      nodes: this.#nodes,
      random: Random.stream(seed, 'faults'),
      healMs: scenario.healMs,
      trace,
      onDiskLost: (node) => {
        this.#checks.onDiskLost(node.number)
      },
    })
  }

  async execute(): Promise<RunReport> {
    const scenario = this.#scenario
    const scheduler = this.#scheduler
    const most = eventsMax * Math.max(1, this.#nodes.length / eventsMaxNodes) ** 2
    const isViolated = () => this.#violation !== undefined || scheduler.eventCount > most
    for (const node of this.#nodes) node.start()
    for (const submission of scenario.submissions)
      scheduler.after(submission.atMs, () => void this.#submit(submission))
    for (const fault of scenario.faults) this.#faults.schedule(fault)
    this.#everyTick()
    await scheduler.runUntil(scenario.healMs, isViolated)
    this.#trace('the network heals')
    this.#faults.heal()
    await new Settling({
      scenario,
      scheduler,
      nodes: this.#nodes,
      faults: this.#faults,
      checks: this.#checks,
      violate: (check, text) => this.#violate(check, text),
      isViolated,
    }).run()
    if (scheduler.eventCount > most)
      this.#violate('bounds', `more than ${most} events: something runs in circles`)
    if (this.#violation === undefined) this.#checks.onEnd((text) => this.#violate('vacuous', text))
    for (const node of this.#nodes) node.crash({ losesPower: false })
    return this.#report()
  }

  onUncaught(error: unknown): void {
    this.#violate('uncaught', error instanceof Error ? (error.stack ?? error.message) : String(error))
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
      pageRandom: Random.stream(this.#scenario.seed, `pages ${number}`),
      trieRandom: Random.stream(this.#scenario.seed, `trie ${number}`),
      events: {
        onBroadcast: (frame) => {
          if (!node.isLiar) this.#checks.onSent(frame)
          this.#links.broadcast(node, frame)
        },
        peers: () => this.#links.peersOf(node),
        carry: (request) => this.#links.carry(node, request),
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
      const tools = liarToolsOf(each, side, {
        scenario: this.#scenario,
        common: this.#common,
        links: this.#links,
      })
      const all = liar.lies.map((name) => {
        const make = lies[name]
        if (make === undefined) throw new RangeError(`there is no way of lying called ${name}`)
        return make(tools)
      })
      each.behaviours = new Behaviours(all)
    }
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
        if (node.isUp) node.behaviours.onTick()
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
