// Proofs as plain JSON values: what nodes write and verifiers read. docs/proofs.md specifies them for other languages.
// Bytes of a length that their meaning fixes (hashes, keys, signatures) are lower-case hex, all others base64.
import type { AbsenceProof, MerkleProof } from '../trie/verify.ts'

export const proofTypes = {
  finality: 'diseq/1/finality-proof',
  namespace: 'diseq/1/namespace-proof',
  trie: 'diseq/1/trie-proof',
  headers: 'diseq/1/header-chain',
  receipt: 'diseq/1/receipt',
  fork: 'diseq/1/fork',
  evidence: 'diseq/1/evidence',
} as const

export type ProofKind = keyof typeof proofTypes

/** A header and what makes its block final. */
export interface FinalHeaderJson {
  /** Base64 of the header's encoding; its SHA-256 is the block's id. */
  readonly header: string
  /** Base64 of the encoding of a finalization of that block. */
  readonly finalization: string
}

/** A message's place in the sequence. */
export interface FinalityProofJson extends FinalHeaderJson {
  readonly type: typeof proofTypes.finality
  /** Base64 of the message's encoding; its SHA-256 is its id. */
  readonly message: string
  /** Its place in the block, from 0. */
  readonly index: number
  /** RFC 9162 inclusion path in `sequenceRoot`, hex. */
  readonly path: readonly string[]
  /** That its data is in the trie; of the same block or another. */
  readonly trie?: TrieProofJson
}

export interface NamespaceMessageJson {
  readonly index: number
  /** Base64 of the message's encoding. */
  readonly message: string
}

/** All messages of the namespace in one block, in order. */
export interface NamespacePresentJson {
  /** Place of the namespace's leaf. */
  readonly position: number
  readonly messages: readonly NamespaceMessageJson[]
  readonly path: readonly string[]
}

export interface NamespaceLeafJson {
  readonly namespace: string
  readonly count: number
  readonly root: string
}

/** There are none: the leaves next to where its own would be. */
export interface NamespaceAbsentJson {
  /** Place that its leaf would have. */
  readonly position: number
  /** The leaf before and the leaf at that place, where there are such. */
  readonly neighbours: readonly NamespaceLeafJson[]
  /** Of both together. */
  readonly path: readonly string[]
}

/** All messages of a namespace in a range of blocks. */
export interface NamespaceProofJson {
  readonly type: typeof proofTypes.namespace
  readonly namespace: string
  /** Base64; consecutive, each the previous block of the next. */
  readonly headers: readonly string[]
  /** Of the last one: with it all before it are final. */
  readonly finalization: string
  /** One for each header. */
  readonly blocks: readonly (NamespacePresentJson | NamespaceAbsentJson)[]
}

/** That a key is in the trie after a block, or that it is not. */
export interface TrieProofJson extends FinalHeaderJson {
  readonly type: typeof proofTypes.trie
  readonly key: string
  /** In the original's form: of inclusion, or of absence. */
  readonly proof: MerkleProof | AbsenceProof
}

/** Consecutive headers, the last of them final. */
export interface HeaderChainJson {
  readonly type: typeof proofTypes.headers
  readonly headers: readonly string[]
  readonly finalization: string
}

/** A node's word that it has messages on its disk. */
export interface ReceiptJson {
  readonly type: typeof proofTypes.receipt
  /** The node's key. */
  readonly node: string
  readonly time: number
  /** Of the last block that was final for it. */
  readonly finalHeight: number
  readonly ids: readonly string[]
  readonly signature: string
}

/** Two final blocks of one height: more validators lied than the network stands. */
export interface ForkJson {
  readonly type: typeof proofTypes.fork
  readonly first: FinalHeaderJson
  readonly second: FinalHeaderJson
}

/** Two contradicting signatures of one validator. */
export interface EvidenceJson {
  readonly type: typeof proofTypes.evidence
  /** Base64 of the encoding of evidence: the data of a message in `diseq/evidence`. */
  readonly evidence: string
}

export type ProofJson =
  | FinalityProofJson
  | NamespaceProofJson
  | TrieProofJson
  | HeaderChainJson
  | ReceiptJson
  | ForkJson
  | EvidenceJson
