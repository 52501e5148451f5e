// Builders for tests of the voting core. The core never verifies anything, it takes `Verified` things, so what is
// made here is simply declared to be verified; signatures are empty.

import {
  type CoreConfig,
  type CoreState,
  createState,
  type HeightContext,
  type Input,
  type Output,
  type RestoredHeight,
  step,
} from '../../src/consensus/index.ts'
import { thresholdsOf } from '../../src/quorum/index.ts'
import type {
  BatchId,
  Block,
  BlockId,
  Certificate,
  FaultModel,
  Hash,
  PoolCommitment,
  Proposal,
  ValidatorIndex,
  Verified,
  View,
  Vote,
} from '../../src/types/index.ts'

const unsigned = new Uint8Array()

export function verified<T>(value: T): Verified<T> {
  return value as Verified<T>
}

/** 32 bytes that spell `name`, so that a failing test shows which block it is about. */
export function aHash(name: string): Hash {
  return Buffer.from(name).toString('hex').padEnd(64, '0').slice(0, 64) as Hash
}

export function blockIdOf(name: string): BlockId {
  return aHash(name) as BlockId
}

export function nameOf(id: Hash): string {
  return Buffer.from(id, 'hex').toString().replaceAll('\0', '')
}

interface BlockOptions {
  readonly name?: string
  readonly height?: number
  readonly view?: View
  readonly leader?: ValidatorIndex
}

/** A block made in `view` (0) by `leader` (that view's, in the order 0, 1, 2 …). */
export function aBlock({ name = 'A', height = 1, view = 0, leader = view }: BlockOptions = {}): Block {
  return {
    id: blockIdOf(name),
    header: {
      version: 1,
      chainId: 'test',
      height,
      view,
      time: 1,
      previousBlockId: blockIdOf('previous'),
      leader,
      vrfProof: unsigned,
      commitmentsHash: aHash('commitments'),
      batchesHash: aHash('batches'),
      sequenceRoot: aHash('sequence'),
      messageCount: 0,
      namespacesRoot: aHash('namespaces'),
      namespaceCount: 0,
      stateHeight: height,
      stateRoot: aHash('state'),
      validatorsHash: aHash('validators'),
      nextValidatorsHash: aHash('validators'),
    },
    headerBytes: unsigned,
    signature: unsigned,
    commitments: [],
  }
}

interface VoteOptions {
  readonly kind?: Vote['kind']
  readonly height?: number
  readonly view?: View
  readonly validator?: ValidatorIndex
  readonly block?: string
}

export function aVote(options: VoteOptions = {}): Verified<Vote> {
  const { kind = 'notarize', height = 1, view = 0, validator = 0, block = 'A' } = options
  const base = { height, view, validator, signature: unsigned }
  return verified(kind === 'nullify' ? { kind, ...base } : { kind, ...base, blockId: blockIdOf(block) })
}

interface CertificateOptions {
  readonly kind?: Certificate['kind']
  readonly height?: number
  readonly view?: View
  readonly block?: string
  readonly signers?: readonly ValidatorIndex[]
}

export function aCertificate(options: CertificateOptions = {}): Verified<Certificate> {
  const { kind = 'notarization', height = 1, view = 0, block = 'A', signers = [0, 1, 2] } = options
  const signatures = signers.map((validator) => ({ validator, signature: unsigned }))
  const base = { height, view, signatures }
  return verified(kind === 'nullification' ? { kind, ...base } : { kind, ...base, blockId: blockIdOf(block) })
}

export function aNullification(view: View, height = 1): Verified<Certificate> {
  return aCertificate({ kind: 'nullification', view, height })
}

export function aNotarization(view: View, block = 'A', height = 1): Verified<Certificate> {
  return aCertificate({ kind: 'notarization', view, block, height })
}

export function aFinalization(view: View, block = 'A', height = 1): Verified<Certificate> {
  return aCertificate({ kind: 'finalization', view, block, height })
}

interface ProposalOptions {
  readonly height?: number
  readonly view?: View
  readonly leader?: ValidatorIndex
  readonly block: Block
  /** By id: the block does not travel with it. */
  readonly byId?: boolean
  readonly justification?: readonly Certificate[]
}

/** A proposal of `block` in `view` (its own: fresh) by `leader` (that view's, in the order 0, 1, 2 …). */
export function aProposal(options: ProposalOptions): Verified<Proposal> {
  const { block, view = block.header.view, height = block.header.height, leader = view } = options
  const { justification = [], byId = false } = options
  const base = { height, view, leader, blockId: block.id, signature: unsigned, justification }
  return verified(byId ? base : { ...base, block })
}

interface PoolCommitmentOptions {
  readonly validator: ValidatorIndex
  readonly height?: number
  /** Two with different content contradict each other. */
  readonly content?: number
}

export function aPoolCommitment(options: PoolCommitmentOptions): Verified<PoolCommitment> {
  const { validator, height = 1, content = 0 } = options
  const entries = content === 0 ? [] : [{ batchId: aHash(`batch ${content}`) as BatchId, receivedAt: 1 }]
  const bytes = Uint8Array.of(validator, content)
  return verified({ height, time: 1, entries, validator, bytes, signature: unsigned })
}

export interface CoreOptions {
  /** Absent: validator 3; `'watcher'`: a node that votes nothing. */
  readonly self?: ValidatorIndex | 'watcher'
  readonly powers?: readonly number[]
  readonly faultModel?: FaultModel
  readonly height?: number
  /** In place of 0, 1, 2 …: view v is led by validator v mod n. */
  readonly leaders?: readonly ValidatorIndex[]
  readonly demoted?: readonly ValidatorIndex[]
  readonly hasWork?: boolean
  readonly restored?: Partial<RestoredHeight>
}

/** A core at the start of a height, with what it said so far. */
export class TestCore {
  readonly state: CoreState
  /** Everything it said since the height started. */
  readonly said: Output[] = []
  readonly #leaders: readonly ValidatorIndex[]
  readonly #demoted: readonly ValidatorIndex[]

  constructor(options: CoreOptions = {}) {
    const { powers = [1, 1, 1, 1], self = 3 } = options
    const config: CoreConfig = {
      powers,
      thresholds: thresholdsOf(powers, options.faultModel ?? 'byzantine'),
      ...(self === 'watcher' ? {} : { self }),
    }
    this.state = createState(config)
    this.#leaders = options.leaders ?? powers.map((_, validator) => validator)
    this.#demoted = options.demoted ?? []
    if (options.hasWork) this.gets({ kind: 'pool', hasWork: true })
    this.startsHeight(options.height ?? 1, options.restored)
  }

  startsHeight(height: number, restored?: Partial<RestoredHeight>): Output[] {
    const context: HeightContext = { height, leaders: this.#leaders, demoted: new Set(this.#demoted) }
    const nothing = { certificates: [], blocks: [], commitments: [], votes: [], proposals: [] }
    return this.gets({
      kind: 'start-height',
      context,
      ...(restored === undefined ? {} : { restored: { ...nothing, ...restored } }),
    })
  }

  /** Gives it inputs one after another; the outputs of all of them. */
  gets(...inputs: readonly Input[]): Output[] {
    const outputs = inputs.flatMap((input) => step(this.state, input))
    this.said.push(...outputs)
    return outputs
  }

  getsVote(options: VoteOptions): Output[] {
    return this.gets({ kind: 'vote', vote: aVote(options) })
  }

  /** Votes that are equal but for the voter. */
  getsVotesOf(validators: readonly ValidatorIndex[], options: VoteOptions): Output[] {
    return validators.flatMap((validator) => this.getsVote({ ...options, validator }))
  }

  getsCertificate(certificate: Verified<Certificate>): Output[] {
    return this.gets({ kind: 'certificate', certificate })
  }

  getsProposal(options: ProposalOptions): Output[] {
    return this.gets({ kind: 'proposal', proposal: aProposal(options) })
  }

  /** A proposal, and the driver's word that its block is right. */
  getsCheckedProposal(options: ProposalOptions): Output[] {
    const blockId = options.block.id
    return [...this.getsProposal(options), ...this.gets({ kind: 'block-checked', blockId, valid: true })]
  }

  getsCommitmentsOf(validators: readonly ValidatorIndex[], height = 1): Output[] {
    return validators.flatMap((validator) =>
      this.gets({ kind: 'pool-commitment', commitment: aPoolCommitment({ validator, height }) }),
    )
  }

  viewTimerEnds(view: View): Output[] {
    return this.gets({ kind: 'timer', timer: { kind: 'view', height: this.state.context.height, view } })
  }

  finalizeTimerEnds(view: View): Output[] {
    return this.gets({ kind: 'timer', timer: { kind: 'finalize', height: this.state.context.height, view } })
  }

  graceEnds(): Output[] {
    return this.gets({ kind: 'timer', timer: { kind: 'grace', height: this.state.context.height } })
  }

  /** Every vote it wanted signed since the start, as text. */
  get votes(): string[] {
    return votesIn(this.said)
  }
}

export function aCoreWithContext(options: CoreOptions = {}): TestCore {
  return new TestCore(options)
}

/** The outputs of one kind. */
export function only<K extends Output['kind']>(
  outputs: readonly Output[],
  kind: K,
): Extract<Output, { kind: K }>[] {
  return outputs.filter((output): output is Extract<Output, { kind: K }> => output.kind === kind)
}

/** Votes that outputs ask to be signed, as `notarize 0 A` or `nullify 2`. */
export function votesIn(outputs: readonly Output[]): string[] {
  return only(outputs, 'sign-vote').map(({ body }) =>
    body.kind === 'nullify' ? `nullify ${body.view}` : `${body.kind} ${body.view} ${nameOf(body.blockId)}`,
  )
}

/** Proposals that outputs ask to be signed, as `0 A fresh` or `1 A again`. */
export function proposalsIn(outputs: readonly Output[]): string[] {
  return only(outputs, 'sign-proposal').map(
    ({ proposal }) =>
      `${proposal.view} ${nameOf(proposal.blockId)} ${proposal.block === undefined ? 'again' : 'fresh'}`,
  )
}

/** Timers that outputs arm, as `view 1 growth 1`. */
export function timersIn(outputs: readonly Output[]): string[] {
  return only(outputs, 'arm-timer').map(({ timer, growth }) =>
    'view' in timer ? `${timer.kind} ${timer.view} growth ${growth}` : timer.kind,
  )
}
