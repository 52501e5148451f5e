// What the core is told. Everything from the network is verified before it comes here; everything is of the
// height under way or, where the core says so, of the next.
import type {
  Block,
  BlockId,
  Certificate,
  Height,
  PoolCommitment,
  Proposal,
  ValidatorIndex,
  Verified,
  View,
  Vote,
} from '../types/index.ts'

/** A timer of the height under way, armed by an output. */
export type Timer =
  | { readonly kind: 'view'; readonly height: Height; readonly view: View }
  | { readonly kind: 'finalize'; readonly height: Height; readonly view: View }
  | { readonly kind: 'grace'; readonly height: Height }
  | { readonly kind: 'empty-block'; readonly height: Height }

/** The chain's part in a height: what follows from the block before it. */
export interface HeightContext {
  readonly height: Height
  /** `leaderOrder` for this height. */
  readonly leaders: readonly ValidatorIndex[]
  /** Those a leader does not wait for (L2). */
  readonly demoted: ReadonlySet<ValidatorIndex>
}

/** What was on disk about the height when the node started. */
export interface RestoredHeight {
  /** Certificates, blocks and commitments of the height, own commitment included. */
  readonly certificates: readonly Verified<Certificate>[]
  readonly blocks: readonly Block[]
  readonly commitments: readonly Verified<PoolCommitment>[]
  /** Everything the signing record holds of the height. */
  readonly votes: readonly Verified<Vote>[]
  readonly proposals: readonly Verified<Proposal>[]
}

export type Input =
  | { readonly kind: 'start-height'; readonly context: HeightContext; readonly restored?: RestoredHeight }
  | { readonly kind: 'pool-commitment'; readonly commitment: Verified<PoolCommitment> }
  | { readonly kind: 'proposal'; readonly proposal: Verified<Proposal> }
  | { readonly kind: 'vote'; readonly vote: Verified<Vote> }
  | { readonly kind: 'certificate'; readonly certificate: Verified<Certificate> }
  /** A block that was asked for by id. */
  | { readonly kind: 'block'; readonly block: Block }
  /** Answers `check-block`: recomputed, with every batch in hand. */
  | { readonly kind: 'block-checked'; readonly blockId: BlockId; readonly valid: boolean }
  /** Answers `build-block`. */
  | { readonly kind: 'block-built'; readonly height: Height; readonly view: View; readonly block: Block }
  | { readonly kind: 'block-unbuildable'; readonly height: Height; readonly view: View }
  /** Whether the pool holds a batch that the next block could take; told on every change. */
  | { readonly kind: 'pool'; readonly hasWork: boolean }
  | { readonly kind: 'timer'; readonly timer: Timer }
