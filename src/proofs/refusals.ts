// Every way in which a proof can fail, by name. Callers branch on the name; the detail is for people.

/** What a verifier answers where a check fails; the sentences are in docs/proofs.md. */
export type Refusal =
  /** It is not of the form of a proof. */
  | 'malformed'
  /** It is another kind of proof. */
  | 'other-type'
  /** A header does not decode. */
  | 'bad-header'
  /** A header is of another chain. */
  | 'other-chain'
  /** A header names another validator set than genesis. */
  | 'other-validators'
  /** The finalization does not decode. */
  | 'bad-finalization'
  /** The finalization is of another height than the header. */
  | 'other-height'
  /** The finalization is of another block. */
  | 'other-block'
  /** The finalization is of a view before the block was made. */
  | 'early-view'
  /** A signer is no validator. */
  | 'unknown-validator'
  /** The signers have less power than a quorum. */
  | 'no-quorum'
  /** A signature does not hold. */
  | 'bad-signature'
  /** A message does not decode. */
  | 'bad-message'
  /** It is about another message. */
  | 'other-message'
  /** The message is not at this place of the block. */
  | 'not-in-sequence'
  /** A message or the proof is of another namespace. */
  | 'other-namespace'
  /** The namespace's messages are not in ascending order within the block. */
  | 'out-of-order'
  /** These are not the namespace's messages in this block, or not all of them. */
  | 'not-in-namespaces'
  /** The neighbours do not enclose the place of the namespace. */
  | 'not-between'
  /** The neighbours are not these leaves of the block. */
  | 'other-neighbours'
  /** A header is not that of the block after the one before it. */
  | 'broken-link'
  /** A header's time is not after that of the one before it. */
  | 'time-goes-back'
  /** The headers do not go on from the trusted block. */
  | 'not-after-trusted'
  /** The headers are of other heights than were asked for. */
  | 'other-range'
  /** It is about another key of the trie. */
  | 'other-key'
  /** The nodes do not show that the key is in the trie. */
  | 'not-in-trie'
  /** The nodes do not show that the key is absent from the trie. */
  | 'not-absent'
  /** The evidence does not decode, or its two parts do not contradict each other. */
  | 'bad-evidence'
  /** The node's key is none. */
  | 'bad-node-key'
  /** Both are the same block. */
  | 'same-block'
  /** The blocks are of two heights. */
  | 'two-heights'

export interface Refused {
  readonly ok: false
  readonly reason: Refusal
  /** Where, and what is wrong there: for people; may be empty. */
  readonly detail: string
}

export type Verdict<T> = ({ readonly ok: true } & T) | Refused

/** Thrown and caught inside this room. */
export class ProofRefused extends Error {
  readonly reason: Refusal
  readonly detail: string

  constructor(reason: Refusal, detail = '') {
    super(reason)
    this.reason = reason
    this.detail = detail
  }
}

/** What `check` proves, or why it refuses. Anything else that is thrown is a bug of ours and goes on. */
export function verdictOf<T extends object>(check: () => T): Verdict<T> {
  try {
    return { ok: true, ...check() }
  } catch (error) {
    if (error instanceof ProofRefused) return { ok: false, reason: error.reason, detail: error.detail }
    throw error
  }
}

/** Refuses unless the condition holds. */
export function demand(condition: boolean, reason: Refusal, detail?: string): asserts condition {
  if (!condition) throw new ProofRefused(reason, detail)
}
