// What the core asks for. The driver performs a step's outputs in one fixed order: save, sign, send, the rest;
// nothing signed is on the wire before what it rests on is on disk (protocol D1).
import type {
  Block,
  BlockId,
  Certificate,
  Finalization,
  Height,
  PoolCommitment,
  Proposal,
  ValidatorIndex,
  View,
  Vote,
  VoteBody,
} from '../types/index.ts'
import type { Timer } from './input.ts'

export type Output =
  /** Durable before any signature that comes with it or after it. */
  | { readonly kind: 'save-certificate'; readonly certificate: Certificate }
  /** With the block's commitments and batches. */
  | { readonly kind: 'save-block'; readonly block: Block }
  /** Sign (the signing record may refuse), send, and feed back as an input. */
  | { readonly kind: 'sign-vote'; readonly body: VoteBody }
  /** As above. `block` travels with a fresh proposal; a repeat may go by id. */
  | { readonly kind: 'sign-proposal'; readonly proposal: Omit<Proposal, 'leader' | 'signature'> }
  /** Choose the entries (of the pool as it would be with `assuming` in the chain), sign, send, feed back. */
  | {
      readonly kind: 'make-commitment'
      readonly height: Height
      readonly assuming?: BlockId
      readonly evenIfEmpty: boolean
    }
  /** V8: a certificate seen for the first time. */
  | { readonly kind: 'forward-certificate'; readonly certificate: Certificate }
  /** Own frames from before a restart go out again. */
  | { readonly kind: 'resend-own' }
  | { readonly kind: 'arm-timer'; readonly timer: Timer; readonly growth: number }
  | {
      readonly kind: 'build-block'
      readonly height: Height
      readonly view: View
      readonly commitments: readonly PoolCommitment[]
    }
  | { readonly kind: 'check-block'; readonly block: Block }
  | { readonly kind: 'fetch-block'; readonly blockId: BlockId; readonly holders: readonly ValidatorIndex[] }
  /** Something of the height is missing that peers must have: ask them now. */
  | { readonly kind: 'fetch-view' }
  /** V7. The block may still have to be fetched (absent). Ends the height. */
  | { readonly kind: 'finalise'; readonly finalization: Finalization; readonly block?: Block }
  /** Two things of one validator that no honest one makes (protocol E1). */
  | { readonly kind: 'evidence'; readonly pair: readonly [Contradiction, Contradiction] }

export type Contradiction =
  | { readonly kind: 'proposal'; readonly proposal: Proposal }
  | { readonly kind: 'vote'; readonly vote: Vote }
  | { readonly kind: 'pool-commitment'; readonly commitment: PoolCommitment }
