import type { Block } from './block.ts'
import type { BlockId, Height, ValidatorIndex, View } from './primitives.ts'

export type VoteKind = 'notarize' | 'nullify' | 'finalize'

interface VoteBase {
  readonly height: Height
  readonly view: View
  readonly validator: ValidatorIndex
  readonly signature: Uint8Array
}
export interface BlockVote extends VoteBase {
  readonly kind: 'notarize' | 'finalize'
  readonly blockId: BlockId
}
export interface NullifyVote extends VoteBase {
  readonly kind: 'nullify'
}
export type Vote = BlockVote | NullifyVote

/** What a vote signs. */
export type VoteBody =
  | {
      readonly kind: 'notarize' | 'finalize'
      readonly height: Height
      readonly view: View
      readonly blockId: BlockId
    }
  | { readonly kind: 'nullify'; readonly height: Height; readonly view: View }

export interface CertificateSignature {
  readonly validator: ValidatorIndex
  readonly signature: Uint8Array
}
interface CertificateBase {
  readonly height: Height
  readonly view: View
  /** Strictly ascending by validator; their power is a quorum and every one verifies. */
  readonly signatures: readonly CertificateSignature[]
}
export interface Notarization extends CertificateBase {
  readonly kind: 'notarization'
  readonly blockId: BlockId
}
export interface Finalization extends CertificateBase {
  readonly kind: 'finalization'
  readonly blockId: BlockId
}
export interface Nullification extends CertificateBase {
  readonly kind: 'nullification'
}
export type Certificate = Notarization | Nullification | Finalization

/** A leader's one proposal of a view (protocol §3.6): a fresh block, or a notarized one of a lower view again. */
export interface Proposal {
  readonly height: Height
  readonly view: View
  readonly blockId: BlockId
  readonly leader: ValidatorIndex
  /** Over (height, view, blockId), kind `proposal`. For a fresh block it is the block's own signature. */
  readonly signature: Uint8Array
  /** Absent where a repeat is sent by id; the receiver fetches it. */
  readonly block?: Block
  /** U(0) … U(view−1), or N(v',B) and U(v'+1) … U(view−1); unsigned, each proves itself. */
  readonly justification: readonly Certificate[]
}

/** Kinds of signed payload two of which can contradict each other. */
export type SignedKind = 'pool-commitment' | 'proposal' | VoteKind

/** What one validator signed, as it travelled. */
export interface SignedPayload {
  readonly kind: SignedKind
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
}

/** Two signatures that no honest validator makes; `first.bytes` are the smaller (then `first.kind`). */
export interface Evidence {
  readonly validator: ValidatorIndex
  readonly height: Height
  readonly first: SignedPayload
  readonly second: SignedPayload
}
