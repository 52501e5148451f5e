// A network of honest voting nodes and of liars, whose every event (a delivery, a loss, a timer, a crash) is drawn by
// a seed; after which it can be made timely, to see the height end. There is no clock: chaos fires timers as it likes,
// and a timely network fires them only when nothing else is left to do.
import assert from 'node:assert/strict'
import type { HeightContext, Output } from '../../src/consensus/index.ts'
import { thresholdsOf } from '../../src/quorum/index.ts'
import type { Block, BlockId, FaultModel, Height, ValidatorIndex, View } from '../../src/types/index.ts'
import { aBlock, nameOf } from './consensus.ts'
import { Ledger } from './ledger.ts'
import { lieOf } from './liars.ts'
import type { Random } from './random.ts'
import { type CoreStep, type CrashPoint, type Message, VotingNode } from './voting-node.ts'

export interface WorldOptions {
  readonly powers: readonly number[]
  readonly faultModel: FaultModel
  readonly liars: readonly ValidatorIndex[]
  /** Down from the beginning, and for ever. */
  readonly absent?: readonly ValidatorIndex[]
  readonly random: Random
  /** The order of a height; drawn where absent. */
  readonly leaders?: readonly ValidatorIndex[]
  readonly step?: CoreStep
}

/** What the seed of a schedule makes likely, as weights of each kind of event. */
export interface Weather {
  readonly deliver: number
  readonly drop: number
  readonly duplicate: number
  readonly timer: number
  readonly crash: number
  readonly restart: number
  readonly push: number
  readonly serve: number
  readonly lie: number
  readonly work: number
  /** Nothing gets to or from it while the chaos lasts. */
  readonly isolated?: ValidatorIndex
}

/** Messages on their way at a time; the rest is lost. */
const networkMax = 400
const crashPoints: readonly CrashPoint[] = [
  'before-saving',
  'before-signing',
  'before-sending',
  'after-sending-one',
]

export class VotingWorld {
  readonly nodes: VotingNode[] = []
  readonly ledger: Ledger
  readonly blocks = new Map<BlockId, { block: Block; isValid: boolean }>()
  readonly finals = new Map<Height, { blockId: BlockId; view: View }>()
  crashCount = 0
  readonly #options: WorldOptions
  readonly #random: Random
  readonly #contexts = new Map<Height, HeightContext>()
  readonly #network: { from: ValidatorIndex; to: ValidatorIndex; message: Message }[] = []
  #isolated: ValidatorIndex | undefined
  #blockCount = 0
  /** Only while the network is untimely do builds fail. */
  #isTimely = false

  constructor(options: WorldOptions) {
    const { powers, faultModel, liars, absent = [], random } = options
    this.#options = options
    this.#random = random
    const thresholds = thresholdsOf(powers, faultModel)
    this.ledger = new Ledger({ powers, thresholds, liars: new Set(liars) })
    for (const self of powers.keys()) {
      if (!liars.includes(self) && !absent.includes(self)) this.#addNode(self, { powers, thresholds, self })
    }
  }

  #addNode(self: ValidatorIndex, config: ConstructorParameters<typeof VotingNode>[0]['config']): void {
    this.nodes.push(
      new VotingNode({
        config,
        ...(this.#options.step === undefined ? {} : { step: this.#options.step }),
        surroundings: {
          contextOf: (height) => this.contextOf(height),
          send: (from, message) => this.#broadcast(from, message),
          buildBlock: (details) => this.#buildBlock(details),
          isValidBlock: (id) => this.blocks.get(id)?.isValid ?? false,
          onSigned: (signed) => this.#onSigned(signed),
          onFinal: ({ height, blockId, view }) => {
            const known = this.finals.get(height)
            if (known === undefined) this.finals.set(height, { blockId, view })
            else assert.equal(blockId, known.blockId, `node ${self} has another block final at ${height}`)
          },
          onEvidence: (output) => this.#onEvidence(output),
        },
      }),
    )
  }

  contextOf(height: Height): HeightContext {
    const known = this.#contexts.get(height)
    if (known !== undefined) return known
    const { powers, leaders } = this.#options
    const order = leaders ?? this.#random.shuffled([...powers.keys()])
    const context = { height, leaders: order, demoted: new Set<ValidatorIndex>() }
    this.#contexts.set(height, context)
    return context
  }

  /** Makes a block known whose content is right. */
  addBlock(block: Block): void {
    this.blocks.set(block.id, { block, isValid: true })
  }

  start(): void {
    for (const node of this.nodes) node.start()
  }

  /** Draws events until there were `count` of them. */
  chaos(count: number, weather: Weather): void {
    this.#isolated = weather.isolated
    const kinds = Object.entries(this.#events()).map(([kind, run]) => ({
      run,
      weight: weather[kind as Exclude<keyof Weather, 'isolated'>],
    }))
    const total = kinds.reduce((sum, { weight }) => sum + weight, 0)
    for (let event = 0; event < count; event++) {
      let at = this.#random.next() * total
      for (const { run, weight } of kinds) {
        at -= weight
        if (at >= 0) continue
        run()
        break
      }
    }
    this.#isolated = undefined
  }

  /** From now on everything arrives: runs until every node is at `height`. Returns the highest view that a height
   *  needed beyond the one it was in. */
  becomeTimely(
    height: Height,
    { liesGoOn = false, roundsMax = 400 }: { liesGoOn?: boolean; roundsMax?: number } = {},
  ): number {
    this.#isTimely = true
    for (const node of this.nodes) if (node.core === undefined) node.start()
    const heightBefore = this.#highestHeight()
    const entered = this.nodes.map(({ core, height }) => (height === heightBefore ? (core?.view ?? 0) : 0))
    const viewsBefore = Math.max(this.ledger.highestView(heightBefore), ...entered)
    let viewsNeeded = 0
    for (let round = 0; round < roundsMax; round++) {
      this.#settle(height)
      if (this.nodes.every((node) => node.height >= height)) {
        for (const [at, { view }] of this.finals) {
          if (at >= heightBefore)
            viewsNeeded = Math.max(viewsNeeded, view - (at === heightBefore ? viewsBefore : 0))
        }
        return viewsNeeded
      }
      for (let lie = 0; liesGoOn && lie < 10; lie++) this.#lie()
      const before = this.#progress()
      for (const node of this.nodes) {
        node.setWork(true)
        for (const message of node.ownMessages()) this.#broadcast(node.self, message)
        this.#sync(node)
      }
      this.#settle(height)
      if (this.#progress() === before) this.#fireLowest()
    }
    throw new assert.AssertionError({ message: `no progress in a timely network: ${this.describe()}` })
  }

  describe(): string {
    return this.nodes
      .map(({ self, core, height }) => {
        const own = [...(core?.views ?? [])].map(([view, state]) => {
          const { notarize, finalize, nullify, proposed } = state.own
          const parts = [
            state.notarization === undefined ? '' : `N ${nameOf(state.notarization.blockId)}`,
            state.nullification === undefined ? '' : 'U',
            notarize === undefined ? '' : `notarize ${nameOf(notarize)}`,
            finalize === undefined ? '' : `finalize ${nameOf(finalize)}`,
            nullify === undefined ? '' : 'nullify',
            proposed === undefined ? '' : `proposed ${nameOf(proposed)}`,
          ]
          return `${view}: ${parts.filter((part) => part !== '').join(', ')}`
        })
        const commitments = [...(core?.commitments.keys() ?? [])].join(' ')
        return `\n  node ${self} at ${height}/${core?.view} (leaders ${core?.context.leaders}; commitments of ${commitments}) ${own.join('; ')}`
      })
      .join('')
  }

  #events(): Record<Exclude<keyof Weather, 'isolated'>, () => void> {
    const random = this.#random
    const someone = () => random.pick(this.nodes)
    return {
      deliver: () => {
        const sent = random.take(this.#network)
        const node = this.nodes.find(({ self }) => self === sent?.to)
        if (node === undefined || sent === undefined) return
        if (node.core !== undefined) node.queue.push(sent.message)
        if (random.chance(0.8)) node.turn(1 + random.below(4))
      },
      drop: () => void random.take(this.#network),
      duplicate: () => {
        const sent = random.pick(this.#network)
        if (sent !== undefined) this.#network.push(sent)
      },
      timer: () => {
        const node = someone()
        if (node === undefined) return
        const timer = random.take(node.timers)
        if (timer !== undefined) node.queue.push({ kind: 'timer', timer })
        node.turn(1 + random.below(4))
      },
      crash: () => {
        const node = someone()
        if (node?.core === undefined) return
        if (random.chance(0.5)) node.turn(1 + random.below(4), random.pick(crashPoints))
        else node.crash()
        if (node.core === undefined) this.crashCount += 1
      },
      restart: () => {
        for (const node of this.nodes) if (node.core === undefined) node.start()
      },
      push: () => {
        const node = someone()
        for (const message of node?.ownMessages() ?? []) this.#broadcast(node?.self ?? 0, message)
      },
      serve: () => {
        const node = someone()
        if (node === undefined) return
        this.#serve(node)
        node.turn(1 + random.below(4))
      },
      lie: () => this.#lie(),
      work: () => {
        const node = someone()
        node?.setWork(random.chance(0.7))
        if (node !== undefined) node.hasWorkAhead = random.chance(0.5)
      },
    }
  }

  /** Work that takes time answers; a block or what is missing of a view is fetched from somebody who has it. */
  #serve(node: VotingNode): void {
    const random = this.#random
    if (node.core === undefined) return
    const answer = random.take(node.answers)
    if (answer !== undefined) node.queue.push(answer)
    const { appending } = node
    if (appending !== undefined && random.chance(0.7)) {
      node.append(appending)
      if (random.chance(0.5)) node.setWork(false)
    }
    const peer = random.pick(this.nodes)
    if (peer?.core === undefined || peer.self === this.#isolated || node.self === this.#isolated) return
    for (const blockId of [...node.wantedBlocks]) {
      const held = peer.core.blocks.get(blockId)
      if (held === undefined) continue
      node.wantedBlocks.delete(blockId)
      node.queue.push({ kind: 'block', block: held.block })
    }
    if (node.asksForView && peer.core.context.height === node.height) {
      node.asksForView = false
      for (const certificate of peer.certificates()) node.queue.push({ kind: 'certificate', certificate })
      for (const { proposal } of peer.core.views.values())
        if (proposal !== undefined) node.queue.push({ kind: 'proposal', proposal })
    }
    if (random.chance(0.1)) this.#sync(node)
  }

  /** Block sync: the next block of the chain, of anyone who has it. */
  #sync(node: VotingNode): void {
    const final = this.nodes
      .map(({ disk }) => disk.chain.get(node.height))
      .find((known) => known !== undefined)
    if (final !== undefined && node.core?.context.height === node.height && node.self !== this.#isolated)
      node.append(final)
  }

  #broadcast(from: ValidatorIndex, message: Message): void {
    if (from === this.#isolated) return
    for (const { self: to } of this.nodes) {
      if (to === from || to === this.#isolated) continue
      this.#network.push({ from, to, message })
      if (this.#network.length > networkMax && !this.#isTimely) this.#random.take(this.#network)
    }
  }

  /** All that is on its way arrives, and all that is asked for is answered; until `height` begins everywhere. */
  #settle(height: Height): void {
    for (let round = 0; round < 10_000; round++) {
      const sent = this.#network.splice(0)
      for (const { to, message } of sent) this.nodes.find(({ self }) => self === to)?.queue.push(message)
      let isBusy = sent.length > 0
      for (const node of this.nodes) {
        isBusy ||= node.queue.length + node.answers.length > 0 || node.appending !== undefined
        node.turn(64)
        node.queue.push(...node.answers.splice(0))
        if (node.appending !== undefined) node.append(node.appending)
        for (const blockId of [...node.wantedBlocks]) {
          const held = this.nodes
            .map(({ core }) => core?.blocks.get(blockId))
            .find((known) => known !== undefined)
          if (held === undefined) continue
          node.wantedBlocks.delete(blockId)
          node.queue.push({ kind: 'block', block: held.block })
          isBusy = true
        }
      }
      if (!isBusy || this.nodes.every((node) => node.height >= height)) return
    }
    throw new assert.AssertionError({ message: `messages without end: ${this.describe()}` })
  }

  /** Timers end in the order in which they were armed: those of the lowest view first; a leader's short grace before
   *  any of a view. */
  #fireLowest(): void {
    const armed = this.nodes.flatMap((node) =>
      node.timers
        .filter(
          (timer) => timer.height === node.height && (!('view' in timer) || timer.view === node.core?.view),
        )
        .map((timer) => ({ node, timer, view: 'view' in timer ? timer.view : -1, height: timer.height })),
    )
    const height = Math.min(...armed.map((item) => item.height))
    const view = Math.min(...armed.filter((item) => item.height === height).map((item) => item.view))
    for (const item of armed) {
      if (item.height !== height || item.view !== view) continue
      item.node.timers = item.node.timers.filter((timer) => timer !== item.timer)
      item.node.queue.push({ kind: 'timer', timer: item.timer })
    }
  }

  #progress(): string {
    return this.nodes
      .map(({ core, height }) => {
        const views = [...(core?.views.values() ?? [])].map(
          (view) =>
            `${view.notarizes.size},${view.nullifies.size},${view.finalizes.size},${Object.keys(view).length}`,
        )
        return `${height}/${core?.view}/${core?.commitments.size}/${core?.blocks.size}/${views.join(';')}`
      })
      .join('|')
  }

  #highestHeight(): Height {
    return Math.max(...this.nodes.map((node) => node.height))
  }

  #buildBlock(details: { height: Height; view: View; leader: ValidatorIndex }): Block | undefined {
    if (!this.#isTimely && this.#random.chance(0.1)) return undefined
    return this.makeBlock({ ...details, isValid: true })
  }

  /** A block that nobody has proposed yet. */
  makeBlock(details: { height: Height; view: View; leader: ValidatorIndex; isValid: boolean }): Block {
    const { height, view, leader, isValid } = details
    this.#blockCount += 1
    const block = aBlock({
      name: `${height}.${view} of ${leader} no ${this.#blockCount}`,
      height,
      view,
      leader,
    })
    this.blocks.set(block.id, { block, isValid })
    return block
  }

  #onSigned(signed: Message): void {
    if (signed.kind === 'vote') this.ledger.addVote(signed.vote)
    if (signed.kind === 'proposal') this.ledger.addProposal(signed.proposal)
    if (signed.kind === 'pool-commitment') this.ledger.addCommitment(signed.commitment)
  }

  #onEvidence({ pair }: Extract<Output, { kind: 'evidence' }>): void {
    for (const item of pair) {
      const signer =
        item.kind === 'proposal'
          ? item.proposal.leader
          : item.kind === 'vote'
            ? item.vote.validator
            : item.commitment.validator
      assert.ok(this.#options.liars.includes(signer), `evidence against the honest validator ${signer}`)
    }
  }

  /** A liar says to some what suits it: any vote, a proposal where it leads, a certificate that it can assemble. */
  #lie(): void {
    const random = this.#random
    const liar = random.pick(this.#options.liars)
    const target = random.pick(this.nodes)
    if (liar === undefined || target?.core === undefined) return
    const { height } = target
    const view = Math.max(0, target.core.view + random.below(4) - 1)
    const message = lieOf(this, { liar, height, view, random })
    if (message === undefined) return
    for (const node of this.nodes)
      if (node.core !== undefined && node.self !== this.#isolated && random.chance(0.5))
        node.queue.push(message)
  }
}
