import type { Batch, Message, PoolCommitment } from './message.ts'
import type { BatchId, BlockId, Hash, Height, MessageId, TimeMs, ValidatorIndex, View } from './primitives.ts'

/** Protocol §3.4, in encoding order. */
export interface Header {
  readonly version: number
  readonly chainId: string
  readonly height: Height
  /** The view in which the block was made; repeats keep it. */
  readonly view: View
  readonly time: TimeMs
  readonly previousBlockId: BlockId
  /** Its maker: `leader(height, view)`. */
  readonly leader: ValidatorIndex
  /** ECVRF proof, 80 bytes. */
  readonly vrfProof: Uint8Array
  readonly commitmentsHash: Hash
  readonly batchesHash: Hash
  readonly sequenceRoot: Hash
  readonly messageCount: number
  readonly namespacesRoot: Hash
  readonly namespaceCount: number
  readonly stateHeight: Height
  /** The trie's root after block `stateHeight`; 32 zero bytes for the empty trie. */
  readonly stateRoot: Hash
  readonly validatorsHash: Hash
  readonly nextValidatorsHash: Hash
}

/** What a leader makes and voters check. Its content (batches, messages) is a function of it and the chain. */
export interface Block {
  readonly id: BlockId
  readonly header: Header
  readonly headerBytes: Uint8Array
  /** The maker's signature of its proposal of this block in `header.view` (kind `proposal`). */
  readonly signature: Uint8Array
  /** Ascending by validator index, at most one of each. */
  readonly commitments: readonly PoolCommitment[]
}

/** A message in its place. */
export interface SequencedMessage {
  readonly id: MessageId
  readonly message: Message
}

/** What a block's commitments and the chain make of the pool: the block's content, in order. */
export interface BlockContent {
  readonly batchIds: readonly BatchId[]
  readonly batches: readonly Batch[]
  readonly messages: readonly SequencedMessage[]
}
