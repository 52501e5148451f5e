import type { BatchId, Height, MessageId, PublicKey, TimeMs, ValidatorIndex } from './primitives.ts'

/** What a client submits (protocol §2). */
export interface Message {
  /** 1 to 64 bytes of UTF-8; absent: the message belongs to none. */
  readonly namespace?: string
  readonly data: Uint8Array
  /** u32, the client's own; it has no meaning to the protocol. */
  readonly timestamp: number
  /** The last height whose block may include it. */
  readonly expiresAt?: Height
}

/** Messages that one node collected and signed: the unit of gossip and of ordering. */
export interface Batch {
  readonly id: BatchId
  /** The node's libp2p identity key. */
  readonly author: PublicKey
  readonly messages: readonly Message[]
  /** Ids of `messages`, in the same order. */
  readonly messageIds: readonly MessageId[]
  /** The signed bytes, exactly as they travel. */
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
}

export interface PoolCommitmentEntry {
  readonly batchId: BatchId
  readonly receivedAt: TimeMs
}

/** A validator's signed list of the batches it holds and when it received them (protocol §3.1). */
export interface PoolCommitment {
  readonly height: Height
  readonly time: TimeMs
  /** Strictly ascending by batch id, every `receivedAt` at most `time`. */
  readonly entries: readonly PoolCommitmentEntry[]
  readonly validator: ValidatorIndex
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
}
