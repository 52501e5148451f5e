// What the HTTP facade needs of the node behind it: read-only views, and the two doors through which something comes
// in (messages, and what validators signed). The node implements this; tests pass an in-memory fake. Nothing here may
// be changed by its receiver, and no function may throw for what a client sent: that is a returned reason.
import type {
  Block,
  BlockId,
  Evidence,
  FaultModel,
  Finalization,
  Hash,
  Height,
  Message,
  MessageId,
  PeerId,
  PoolCommitment,
  ProtocolLimits,
  PublicKey,
  SequencedMessage,
  TimeMs,
  Validator,
  ValidatorIndex,
  View,
  Vote,
} from '../types/index.ts'

export type SubmitRefusalCode =
  | 'pool-full'
  | 'too-large'
  | 'invalid-namespace'
  | 'reserved-namespace-invalid'
  | 'expired'

export interface SubmitRefusal {
  readonly kind: 'refused'
  readonly code: SubmitRefusalCode
  /** One plain sentence for the client. */
  readonly reason: string
  /** Which of the messages it is about, where it is about one. */
  readonly index?: number
  /** For `pool-full`: when trying again makes sense; whole seconds, at least 1. */
  readonly retryAfterSeconds?: number
}

export type Submission = { readonly kind: 'accepted'; readonly ids: readonly MessageId[] } | SubmitRefusal

/** Where a message stands. `unknown`: this node never saw it. */
export type MessageState =
  | { readonly state: 'pending' | 'unknown' }
  | { readonly state: 'final'; readonly height: Height; readonly index: number }
  | { readonly state: 'expired' | 'refused'; readonly reason?: string }

/** Told once for each final block, in order of height, after the block is durable. */
export interface FinalBlockEvent {
  readonly height: Height
  /** Ids of the block's messages, in order. */
  readonly messageIds: readonly MessageId[]
  /** Messages this node had accepted that can no longer be in the chain. */
  readonly dropped: readonly {
    readonly id: MessageId
    readonly state: 'expired' | 'refused'
    readonly reason?: string
  }[]
}

/** The way in for clients' messages, and what became of them. */
export interface SubmissionPort {
  /** All or none. Resolves `accepted` once all are durable on this node's disk, ids in the order given; a message that
   *  is known already is accepted again under its id. `address`: the client's, for quotas of the pool. */
  submitMessages(messages: readonly Message[], context: { readonly address: string }): Promise<Submission>
  /** One state for each id, in their order. */
  messageStates(ids: readonly MessageId[]): Promise<readonly MessageState[]>
  /** Calls `listener` for every block final from now on; the function returned ends it. Once it was told of a block,
   *  `messageStates` answers accordingly. */
  onFinalBlock(listener: (event: FinalBlockEvent) => void): () => void
}

export type BlockView =
  | { readonly kind: 'genesis'; readonly id: BlockId; readonly time: TimeMs }
  | {
      readonly kind: 'final'
      readonly block: Block
      /** In the block's order. */
      readonly messages: readonly SequencedMessage[]
      readonly finalization: Finalization
    }

export interface ChainPort {
  /** Height of the last final block; 0 with genesis alone. */
  tipHeight(): Height
  /** The final block at a height; undefined where there is none. */
  block(height: Height): Promise<BlockView | undefined>
  /** The genesis file, JSON. */
  genesisText(): string
  /** Limits of messages, batches and blocks, from genesis. */
  limits(): ProtocolLimits
  validators(): ValidatorsView
}

export interface ValidatorsView {
  readonly faultModel: FaultModel
  readonly powerTotal: number
  /** f: the power that may be faulty. */
  readonly faultyMax: number
  /** Q: the power that decides. */
  readonly quorum: number
  /** In the order of genesis; the index is the validator's. */
  readonly validators: readonly Validator[]
}

/** The root node of the trie after the last final block; null where it has no such child, or no leaf at all. */
export interface StateRootView {
  readonly hash: Uint8Array | null
  readonly left: Uint8Array | null
  readonly right: Uint8Array | null
}

export interface TriePort {
  stateRoot(): Promise<StateRootView>
  /** The inclusion proof of a 32-byte key against the latest root, as the original's JSON text; undefined where no
   *  leaf has that key. */
  merkleProof(key: Uint8Array): Promise<string | undefined>
  /** True as soon as the trie has the key. False: at once where no pending message has it, when the last such message
   *  is dropped, or when `signal` aborts. */
  waitForKey(key: Uint8Array, signal: AbortSignal): Promise<boolean>
}

export type SignedKindOfRoute = 'commit' | 'propose'

/** What a validator signed, as it came by HTTP; the signature is not checked yet. */
export interface SignedSubmission {
  readonly bytes: Uint8Array
  /** 64 bytes. */
  readonly signature: Uint8Array
  /** The validator's voting key; it may be no validator's at all. */
  readonly validator: PublicKey
}

export type SignedOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'rejected'; readonly reason: string }

export interface ConsensusPort {
  /** Verifies it, hands it to consensus and gossips it on. `commit`: a pool commitment or a vote; `propose`: a
   *  proposal. Resolves when it was verified and handed over, not when anything came of it. */
  submitSigned(kind: SignedKindOfRoute, signed: SignedSubmission): Promise<SignedOutcome>
  commitments(): CommitmentsView
  /** Two contradicting signatures of one validator; at most one entry for each validator. */
  evidence(): readonly Evidence[]
}

/** The height under way. */
export interface CommitmentsView {
  readonly height: Height
  readonly view: View
  readonly commitments: readonly PoolCommitment[]
  readonly votes: readonly Vote[]
}

export interface PoolMessage {
  readonly id: MessageId
  readonly message: Message
  /** When this node first had it. */
  readonly receivedAt: TimeMs
}

export interface PoolView {
  /** Of the whole pool, whatever the limit was. */
  readonly messageCount: number
  readonly sizeBytes: number
  /** Oldest first, at most `limit`; a snapshot that stays as it is while it is written out. */
  readonly messages: readonly PoolMessage[]
}

export interface PeerView {
  readonly peerId: PeerId
  readonly address: string
  readonly direction: 'inbound' | 'outbound'
  /** Its index, where the peer is a validator's node. */
  readonly validator: ValidatorIndex | null
  /** Its last final block, where it told. */
  readonly finalHeight: Height | null
}

export interface StatusView {
  readonly chainId: string
  readonly genesisHash: Hash
  /** Of this software. */
  readonly version: string
  readonly peerId: PeerId
  /** This node's index in the validator set; null where it only follows. */
  readonly validator: ValidatorIndex | null
  readonly finalHeight: Height
  readonly finalBlockId: BlockId
  readonly finalBlockTime: TimeMs
  /** 32 zero bytes for the empty trie. */
  readonly stateRoot: Hash
  /** The height and view under way. */
  readonly height: Height
  readonly view: View
  readonly peerCount: number
  readonly startedAt: TimeMs
}

export type Readiness =
  | { readonly isReady: true }
  /** Why not, in one plain sentence: catching up, no peers, shutting down. */
  | { readonly isReady: false; readonly reason: string }

/** The node's own view of itself and its surroundings. */
export interface NodePort {
  readiness(): Readiness
  status(): StatusView
  peers(): readonly PeerView[]
  /** `limit`: the most messages wanted; all of them where it is absent. */
  pool(options: { readonly limit?: number }): PoolView
  /** The Prometheus text; `/metrics` exists only where this does. */
  metricsText?(): Promise<string> | string
}

/** A proof as JSON text, as docs/proofs.md specifies it; undefined where there is nothing to prove yet. */
export type ProofText = string | undefined

/** What the node can prove to strangers. Ranges are consecutive blocks; one ends early at the latest block, or where it
 *  has become large. */
export interface ProofPort {
  /** Where a message is. Undefined: it is not final. `withTrie`: also that its data is in the latest trie. */
  finalityProof(id: MessageId, options: { readonly withTrie: boolean }): Promise<ProofText>
  /** All messages of a namespace in blocks from 1 on. Undefined: block `from` is not final. */
  namespaceProof(
    namespace: string,
    range: { readonly from: Height; readonly count: number },
  ): Promise<ProofText>
  /** That a 32-byte key is in the trie, or that it is not: after the block at `height`, or the latest.
   *  `too-old`: that trie is no longer kept. Undefined: there is no such block. */
  trieProof(key: Uint8Array, height: Height | undefined): Promise<ProofText | 'too-old'>
  /** Headers from 1 on, the last with its finalization. Undefined: block `from` is not final. */
  headers(range: { readonly from: Height; readonly count: number }): Promise<ProofText>
  /** This node's signed word that it has accepted these messages. */
  receipt(ids: readonly MessageId[]): string
}

export interface ApiPorts extends SubmissionPort, ChainPort, TriePort, ConsensusPort, ProofPort, NodePort {}
