// What a replica needs from the world: time, other nodes, keys. Implemented for real processes by clock.ts,
// network-ports.ts, own-keys.ts and the network's verifier, and by the simulator for imagined ones; storage comes as a
// ChainStore and a SigningRecord over their own small ports.
import type {
  BatchesRequest,
  BlocksRequest,
  FinalBlock,
  Frame,
  PeerStatus,
  ViewRequest,
} from '../codec/index.ts'
import type { Batch, Block, Certificate, PeerId, TimeMs, ValidatorIndex, Verified } from '../types/index.ts'

export interface Clock {
  /** Wall time; it may jump. Only what people and other nodes see as time is taken from it. */
  nowMs(): TimeMs
  /** Runs `action` once after `delayMs`; the function returned takes it back. */
  schedule(delayMs: number, action: () => void): () => void
}

/** A frame whose signatures hold; what `network/verify.ts` makes. */
export type VerifiedFrame = Frame & { readonly [K in never]: never }

export interface ConnectedPeer {
  readonly peerId: PeerId
  readonly validator: ValidatorIndex | null
}

/** The other nodes. Every request is bounded in time and size by the implementation and rejects on failure. */
export interface Transport {
  /** To everyone, sooner or later, or never: it may be lost. */
  publish(frame: Frame): void
  peers(): readonly ConnectedPeer[]
  requestStatus(peer: PeerId): Promise<PeerStatus>
  /** Frames come verified; those that are not are left out and counted against the peer. */
  requestView(peer: PeerId, request: ViewRequest): Promise<readonly Frame[]>
  requestBatches(peer: PeerId, request: BatchesRequest): Promise<readonly Batch[]>
  /** Decoded, not verified. */
  requestBlocks(peer: PeerId, request: BlocksRequest): AsyncIterable<FinalBlock>
  /** It sent what cannot be valid. */
  reportPeer(peer: PeerId, reason: string): void
}

/** Signatures of what comes by other ways than gossip: from disk, and by block sync. */
export interface Verifier {
  verifyFrame(frame: Frame): { readonly ok: boolean }
  /** The finalization by power, its maker's and its commitments' signatures, every batch's. */
  verifyFinalBlock(final: FinalBlock): { readonly ok: true } | { readonly ok: false; readonly detail: string }
}

export interface Keys {
  /** This node's index in the validator set, where it is one. */
  readonly validator: ValidatorIndex | undefined
  readonly nodeKey: Batch['author']
  /** Signs a batch's bytes as its author (kind `batch`). */
  signBatch(bytes: Uint8Array): Uint8Array
  /** ECVRF proof, 80 bytes; only a validator is asked. */
  proveVrf(alpha: Uint8Array): Uint8Array
}

/** The few log calls that a replica makes; pino's shape. */
export interface Log {
  debug(fields: object, text: string): void
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

export type Verdict = { readonly kind: 'valid' } | { readonly kind: 'invalid'; readonly reason: string }

/** Marks what was verified before it was stored, or made here out of verified things. */
export function trusted<T extends object>(value: T): Verified<T> {
  return value as Verified<T>
}

export type { Block, Certificate }
