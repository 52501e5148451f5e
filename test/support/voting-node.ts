// One honest validator around a real voting core: a driver without a clock or sockets, and a disk that survives a
// crash. It performs outputs in the order of the real one: save, sign, send, then the rest; what was saved for a
// signature that never came is lost with the process.
import assert from 'node:assert/strict'
import {
  type CoreConfig,
  type CoreState,
  createState,
  type HeightContext,
  type Input,
  type Output,
  type RestoredHeight,
  step,
  type Timer,
} from '../../src/consensus/index.ts'
import type {
  Block,
  BlockId,
  Certificate,
  Finalization,
  Height,
  PoolCommitment,
  Proposal,
  ValidatorIndex,
  Verified,
  Vote,
} from '../../src/types/index.ts'
import { aPoolCommitment, verified } from './consensus.ts'

/** What validators send one another. */
export type Message = Extract<Input, { kind: 'pool-commitment' | 'proposal' | 'vote' | 'certificate' }>

/** What survives a crash. */
export interface Disk {
  readonly chain: Map<Height, { block: Block; finalization: Finalization }>
  readonly certificates: Certificate[]
  readonly blocks: Map<BlockId, Block>
  readonly votes: Vote[]
  readonly proposals: Proposal[]
  readonly commitments: Map<Height, PoolCommitment>
}

/** The rest of the world, as a validator sees it. */
export interface Surroundings {
  readonly contextOf: (height: Height) => HeightContext
  /** To every other validator. */
  readonly send: (from: ValidatorIndex, message: Message) => void
  readonly buildBlock: (options: {
    height: Height
    view: number
    leader: ValidatorIndex
  }) => Block | undefined
  readonly isValidBlock: (id: BlockId) => boolean
  readonly onSigned: (signed: Message) => void
  readonly onFinal: (finalization: Finalization, by: ValidatorIndex) => void
  readonly onEvidence: (output: Extract<Output, { kind: 'evidence' }>) => void
}

/** Where a crash interrupts the performing of outputs. */
export type CrashPoint = 'before-saving' | 'before-signing' | 'before-sending' | 'after-sending-one'

export type CoreStep = (state: CoreState, input: Input) => Output[]

function emptyDisk(): Disk {
  return {
    chain: new Map(),
    certificates: [],
    blocks: new Map(),
    votes: [],
    proposals: [],
    commitments: new Map(),
  }
}

export class VotingNode {
  readonly self: ValidatorIndex
  readonly disk: Disk = emptyDisk()
  /** Undefined while it is down. */
  core: CoreState | undefined
  readonly queue: Input[] = []
  timers: Timer[] = []
  /** Answers of work that takes time: checks, builds. */
  answers: Input[] = []
  wantedBlocks = new Set<BlockId>()
  asksForView = false
  /** A final block on its way into the chain. */
  appending: { block: Block; finalization: Finalization } | undefined
  hasWork = false
  /** Whether its pool would hold anything beyond the block under vote. */
  hasWorkAhead = false
  readonly #config: CoreConfig
  readonly #surroundings: Surroundings
  readonly #step: CoreStep
  #toldWork = false
  #pendingCertificates: Certificate[] = []
  #pendingBlocks: Block[] = []

  constructor(options: {
    config: CoreConfig & { readonly self: ValidatorIndex }
    surroundings: Surroundings
    /** In place of the core's own, to show that a fault is found. */
    step?: CoreStep
  }) {
    this.#config = options.config
    this.self = options.config.self
    this.#surroundings = options.surroundings
    this.#step = options.step ?? step
  }

  get tip(): Height {
    return this.disk.chain.size
  }

  get height(): Height {
    return this.tip + 1
  }

  start(): void {
    const height = this.tip + 1
    this.core = createState(this.#config)
    this.#toldWork = false
    this.setWork(this.hasWork)
    const context = this.#surroundings.contextOf(height)
    this.queue.push({ kind: 'start-height', context, restored: this.#restored(height) })
    const ahead = this.disk.commitments.get(height + 1)
    if (ahead !== undefined) this.queue.push({ kind: 'pool-commitment', commitment: verified(ahead) })
  }

  /** Goes on from a state that something else brought about. */
  adopt(state: { core: CoreState; timers: readonly Timer[]; answers: readonly Input[] }): void {
    this.core = state.core
    this.timers = [...state.timers]
    this.answers = [...state.answers]
    this.setWork(this.hasWork)
  }

  crash(): void {
    this.core = undefined
    this.queue.length = 0
    this.timers = []
    this.answers = []
    this.wantedBlocks = new Set()
    this.asksForView = false
    this.appending = undefined
    this.#pendingCertificates = []
    this.#pendingBlocks = []
  }

  setWork(hasWork: boolean): void {
    this.hasWork = hasWork
    if (this.core === undefined || this.#toldWork === hasWork) return
    this.#toldWork = hasWork
    this.queue.push({ kind: 'pool', hasWork })
  }

  /** Takes up to `inputsMax` of the waiting inputs, then performs what came of them. */
  turn(inputsMax: number, crashPoint?: CrashPoint): void {
    const core = this.core
    if (core === undefined || this.queue.length === 0) return
    const outputs = this.queue.splice(0, inputsMax).flatMap((input) => this.#step(core, input))
    this.#perform(outputs, crashPoint)
  }

  /** The block is in the chain: the next height begins before anything else that waits. */
  append(final: { block: Block; finalization: Finalization }): void {
    this.appending = undefined
    if (final.block.header.height !== this.height) return
    this.disk.chain.set(this.height, final)
    this.disk.certificates.length = 0
    this.disk.blocks.clear()
    this.disk.commitments.delete(this.tip)
    this.disk.votes.length = 0
    this.disk.proposals.length = 0
    this.timers = []
    this.answers = []
    this.wantedBlocks.clear()
    this.asksForView = false
    this.#pendingCertificates = []
    this.#pendingBlocks = []
    this.#surroundings.onFinal(final.finalization, this.self)
    this.queue.unshift({ kind: 'start-height', context: this.#surroundings.contextOf(this.height) })
  }

  /** What it pushes to its peers from time to time: its own frames, and every certificate of the height. */
  ownMessages(): Message[] {
    const { core, self } = this
    if (core === undefined || core.context.height !== this.height) return []
    const messages: Message[] = this.certificates().map((certificate) => ({
      kind: 'certificate',
      certificate,
    }))
    for (const [viewNumber, view] of core.views) {
      for (const tally of [view.notarizes, view.nullifies, view.finalizes]) {
        const vote = tally.get(self)
        if (vote !== undefined) messages.push({ kind: 'vote', vote })
      }
      const { proposal } = view
      if (viewNumber === core.view && proposal?.leader === self) messages.push({ kind: 'proposal', proposal })
    }
    const commitment = core.commitments.get(self)
    if (commitment !== undefined) messages.push({ kind: 'pool-commitment', commitment })
    return messages
  }

  certificates(): Verified<Certificate>[] {
    const { core } = this
    if (core === undefined) return []
    const { finalization } = core
    const held = [...core.views.values()].flatMap(({ notarization, nullification }) =>
      [notarization, nullification].filter((certificate) => certificate !== undefined),
    )
    return [...held, ...(finalization === undefined ? [] : [finalization])].map((certificate) =>
      verified<Certificate>(certificate),
    )
  }

  #perform(outputs: readonly Output[], crashPoint: CrashPoint | undefined): void {
    const unsigned: Output[] = []
    for (const output of outputs) {
      if (output.kind === 'save-certificate') this.#pendingCertificates.push(output.certificate)
      if (output.kind === 'save-block') this.#pendingBlocks.push(output.block)
      if (output.kind === 'sign-vote' || output.kind === 'sign-proposal' || output.kind === 'make-commitment')
        unsigned.push(output)
    }
    const signed = crashPoint === 'before-saving' ? undefined : this.#signAndSend(unsigned, crashPoint)
    if (signed === undefined || crashPoint !== undefined) {
      this.crash()
      return
    }
    this.queue.unshift(...signed)
    for (const output of outputs) this.#performLater(output)
  }

  /** Undefined where the crash came in between. */
  #signAndSend(unsigned: readonly Output[], crashPoint: CrashPoint | undefined): Message[] | undefined {
    if (unsigned.length > 0) this.#save()
    if (crashPoint === 'before-signing') return undefined
    const signed = unsigned.flatMap((output) => this.#sign(output))
    if (crashPoint === 'before-sending') return undefined
    for (const message of crashPoint === 'after-sending-one' ? signed.slice(0, 1) : signed)
      this.#surroundings.send(this.self, message)
    return signed
  }

  #save(): void {
    this.disk.certificates.push(...this.#pendingCertificates)
    for (const block of this.#pendingBlocks) this.disk.blocks.set(block.id, block)
    this.#pendingCertificates = []
    this.#pendingBlocks = []
  }

  #sign(output: Output): Message[] {
    const signed = this.#signed(output)
    if (signed === undefined) return []
    this.#surroundings.onSigned(signed)
    if (signed.kind === 'vote') this.disk.votes.push(signed.vote)
    if (signed.kind === 'proposal') this.disk.proposals.push(signed.proposal)
    if (signed.kind === 'pool-commitment')
      this.disk.commitments.set(signed.commitment.height, signed.commitment)
    return [signed]
  }

  #signed(output: Output): Message | undefined {
    const { self } = this
    switch (output.kind) {
      case 'sign-vote': {
        const { body } = output
        this.#checkSaved(output)
        return { kind: 'vote', vote: verified({ ...body, validator: self, signature: unsigned }) }
      }
      case 'sign-proposal': {
        const { proposal } = output
        for (const certificate of proposal.justification) this.#checkCertificateSaved(certificate)
        return { kind: 'proposal', proposal: verified({ ...proposal, leader: self, signature: unsigned }) }
      }
      case 'make-commitment': {
        // The record has one of a height, and refuses another.
        if (this.disk.commitments.has(output.height) || output.height <= this.tip) return undefined
        const isListingAny = output.assuming === undefined ? this.hasWork : this.hasWorkAhead
        if (!isListingAny && !output.evenIfEmpty) return undefined
        const commitment = aPoolCommitment({ validator: self, height: output.height })
        return { kind: 'pool-commitment', commitment }
      }
      default:
        return undefined
    }
  }

  /** D1: what a vote rests on is on disk. */
  #checkSaved({ body }: Extract<Output, { kind: 'sign-vote' }>): void {
    const { certificates, blocks } = this.disk
    if (body.kind === 'notarize') assert.ok(blocks.has(body.blockId), 'notarized a block that is not saved')
    const entered = certificates.some(
      ({ kind, view }) =>
        (kind !== 'finalization' && view === body.view - 1) ||
        (kind === 'notarization' && view === body.view),
    )
    assert.ok(body.view === 0 || entered, `voted in view ${body.view} without the certificate that led there`)
    if (body.kind !== 'finalize') return
    const isSaved = certificates.some(
      (certificate) =>
        certificate.kind === 'notarization' &&
        certificate.view === body.view &&
        certificate.blockId === body.blockId,
    )
    assert.ok(isSaved, 'finalized on a notarization that is not saved')
  }

  #checkCertificateSaved({ kind, view }: Certificate): void {
    const isSaved = this.disk.certificates.some((saved) => saved.kind === kind && saved.view === view)
    assert.ok(isSaved, 'proposed on a certificate that is not saved')
  }

  #performLater(output: Output): void {
    const { self } = this
    switch (output.kind) {
      case 'forward-certificate':
        this.#surroundings.send(self, { kind: 'certificate', certificate: verified(output.certificate) })
        return
      case 'arm-timer':
        if (output.timer.kind !== 'empty-block') this.timers.push(output.timer)
        return
      case 'build-block': {
        const { height, view } = output
        const block = this.#surroundings.buildBlock({ height, view, leader: self })
        this.answers.push(
          block === undefined
            ? { kind: 'block-unbuildable', height, view }
            : { kind: 'block-built', height, view, block },
        )
        return
      }
      case 'check-block': {
        const { id } = output.block
        this.answers.push({
          kind: 'block-checked',
          blockId: id,
          valid: this.#surroundings.isValidBlock(id),
        })
        return
      }
      case 'fetch-block':
        this.wantedBlocks.add(output.blockId)
        return
      case 'fetch-view':
        this.asksForView = true
        return
      case 'resend-own':
        for (const message of this.ownMessages()) this.#surroundings.send(self, message)
        return
      case 'finalise':
        if (output.block !== undefined && output.finalization.height === this.height)
          this.appending = { block: output.block, finalization: output.finalization }
        return
      case 'evidence':
        this.#surroundings.onEvidence(output)
    }
  }

  #restored(height: Height): RestoredHeight {
    const { certificates, blocks, votes, proposals, commitments } = this.disk
    const own = commitments.get(height)
    return {
      certificates: certificates.map((certificate) => verified(certificate)),
      blocks: [...blocks.values()],
      votes: votes.map((vote) => verified(vote)),
      proposals: proposals.map((proposal) => verified(proposal)),
      commitments: own === undefined ? [] : [verified(own)],
    }
  }
}

const unsigned = new Uint8Array()
