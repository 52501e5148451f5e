// What the core remembers of the height under way, and a little of the next. Plain data: it can be copied,
// compared and written down, which the exhaustive search and the simulator do.
import type { Thresholds } from '../quorum/index.ts'
import type {
  Block,
  BlockId,
  BlockVote,
  Finalization,
  Height,
  Notarization,
  Nullification,
  NullifyVote,
  PoolCommitment,
  Proposal,
  ValidatorIndex,
  Verified,
  View,
} from '../types/index.ts'
import type { HeightContext, Input } from './input.ts'

/** Votes and proposals are kept for this many views above the current one; certificates need no such bound. */
export const viewsAhead = 8
/** Votes of views this far below the current one are let go; their certificates stay. */
export const viewsBehind = 64
/** Inputs of the next height kept per validator: a commitment, a proposal, three votes of two views. */
export const nextHeightInputsPerValidator = 8
/** Under this key of `CoreState.next`: certificates, which have no one sender. */
export const certificateSender: ValidatorIndex = -1

export interface CoreConfig {
  readonly powers: readonly number[]
  readonly thresholds: Thresholds
  /** This node's validator index; absent: it watches and never signs. */
  readonly self?: ValidatorIndex
}

/** What this validator signed in a view: restored from its record, so that nothing contradicts it. */
export interface OwnVotes {
  notarize?: BlockId
  nullify?: true
  finalize?: BlockId
  proposed?: BlockId
}

export interface ViewState {
  /** The first proposal of the view's leader; a second is evidence. */
  proposal?: Verified<Proposal>
  readonly notarizes: Map<ValidatorIndex, Verified<BlockVote>>
  readonly nullifies: Map<ValidatorIndex, Verified<NullifyVote>>
  readonly finalizes: Map<ValidatorIndex, Verified<BlockVote>>
  notarization?: Notarization
  nullification?: Nullification
  readonly own: OwnVotes
  /** The view's timer ended while it was the current one. */
  timedOut: boolean
  /** A leader's block is being made. */
  building: boolean
}

export type BlockVerdict = 'unchecked' | 'checking' | 'valid' | 'invalid'
export interface KnownBlock {
  readonly block: Block
  verdict: BlockVerdict
}

export interface CoreState {
  readonly config: CoreConfig
  context: HeightContext
  view: View
  /** V9: view 0's timer waits for a quorum of commitments or votes of power > l. */
  viewTimerArmed: boolean
  /** The wait for commitments beyond a quorum is over (P1). */
  graceOver: boolean
  graceArmed: boolean
  readonly views: Map<View, ViewState>
  readonly commitments: Map<ValidatorIndex, Verified<PoolCommitment>>
  readonly blocks: Map<BlockId, KnownBlock>
  /** Validators of whom anything of this height was seen (K3), and of whom a vote was (V9). */
  readonly heardOf: Set<ValidatorIndex>
  readonly votersSeen: Set<ValidatorIndex>
  hasWork: boolean
  emptyBlockDue: boolean
  /** The height for which a commitment was last asked of the driver. */
  commitmentAskedFor: Height
  /** It was asked for because there was work, so none is made if the pool has emptied meanwhile (K3). */
  commitmentIsTentative: boolean
  finalization?: Finalization
  /** Inputs of the next height, by validator, until it starts. */
  readonly next: Map<ValidatorIndex, Input[]>
}

export function createState(config: CoreConfig): CoreState {
  return {
    config,
    context: { height: 0, leaders: [], demoted: new Set() },
    view: 0,
    viewTimerArmed: false,
    graceOver: false,
    graceArmed: false,
    views: new Map(),
    commitments: new Map(),
    blocks: new Map(),
    heardOf: new Set(),
    votersSeen: new Set(),
    hasWork: false,
    emptyBlockDue: false,
    commitmentAskedFor: 0,
    commitmentIsTentative: false,
    next: new Map(),
  }
}

/** The state of a view, made when first asked for. */
export function viewOf(state: CoreState, view: View): ViewState {
  const known = state.views.get(view)
  if (known !== undefined) return known
  const fresh: ViewState = {
    notarizes: new Map(),
    nullifies: new Map(),
    finalizes: new Map(),
    own: {},
    timedOut: false,
    building: false,
  }
  state.views.set(view, fresh)
  return fresh
}
