import type { Hash, PeerId, PublicKey, TimeMs, VrfPublicKey } from './primitives.ts'

export type FaultModel = 'byzantine' | 'crash'

/** A member of the validator set; its index is its place in `Genesis.validators`. */
export interface Validator {
  /** For people; at most 64 bytes of UTF-8, may be empty. */
  readonly name: string
  readonly votingKey: PublicKey
  readonly vrfKey: VrfPublicKey
  /** The libp2p identity of its node. */
  readonly peerId: PeerId
  /** The same identity's Ed25519 key: the author of its batches. */
  readonly nodeKey: PublicKey
  /** u32, at least 1. */
  readonly power: number
}

/** Limits that the validity of messages, batches and blocks depends on; the same for all nodes. */
export interface ProtocolLimits {
  /** Bytes of one encoded message. */
  readonly maxMessageBytes: number
  /** Bytes of one encoded batch (signed bytes, without the signature). */
  readonly maxBatchBytes: number
  readonly maxBatchMessages: number
  readonly maxBlockBatches: number
  /** Sum of a block's batch sizes. */
  readonly maxBlockBytes: number
  /** Kmax; the entries of a pool commitment are at most min(Kmax, ⌊1 MiB / 40n⌋). */
  readonly maxCommitmentEntries: number
}

export interface Genesis {
  /** 1 to 32 of `a-z 0-9 -`. */
  readonly chainId: string
  readonly time: TimeMs
  readonly faultModel: FaultModel
  readonly limits: ProtocolLimits
  readonly validators: readonly Validator[]
  /** SHA-256 of the canonical encoding: id(0), and part of every signature. */
  readonly hash: Hash
  readonly validatorsHash: Hash
}
