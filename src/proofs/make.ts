// Makes proofs out of what a node has stored. Pure: the caller reads the blocks. Not part of `diseq/verify`.
import {
  bytesToHex,
  encodeCertificate,
  encodeEvidence,
  encodeHeader,
  encodeMessage,
  type Sha256,
} from '../codec/index.ts'
import { merklePath, merkleRangePath } from '../sequencing/merkle.ts'
import {
  compareNamespaces,
  encodeNamespaceLeaf,
  type NamespaceLeaf,
  type NamespaceTree,
  namespaceTree,
  sequencePath,
} from '../sequencing/roots.ts'
import type { AbsenceProof, MerkleProof } from '../trie/verify.ts'
import type { Evidence, Finalization, Hash, Header, SequencedMessage } from '../types/index.ts'
import {
  type EvidenceJson,
  type FinalHeaderJson,
  type FinalityProofJson,
  type HeaderChainJson,
  type NamespaceAbsentJson,
  type NamespacePresentJson,
  type NamespaceProofJson,
  proofTypes,
  type ReceiptJson,
  type TrieProofJson,
} from './formats.ts'
import { toBase64 } from './json.ts'
import type { ReceiptBody } from './receipt.ts'

/** A stored block's header and what made it final. */
export interface FinalHeader {
  readonly header: Header
  readonly finalization: Finalization
}

export function finalHeaderJson({ header, finalization }: FinalHeader): FinalHeaderJson {
  return { header: headerText(header), finalization: toBase64(encodeCertificate(finalization)) }
}

/** Of message `index` of the block whose messages these are. RangeError where it has no such message. */
export function makeFinalityProof({
  block,
  messages,
  index,
  trie,
  sha256,
}: {
  readonly block: FinalHeader
  readonly messages: readonly SequencedMessage[]
  readonly index: number
  readonly trie?: TrieProofJson
  readonly sha256: Sha256
}): FinalityProofJson {
  const path = sequencePath(
    messages.map(({ id }) => id),
    index,
    sha256,
  )
  const sequenced = messages[index]
  if (sequenced === undefined) throw new RangeError(`no message ${index}`)
  const message = toBase64(encodeMessage(sequenced.message))
  const proof = { type: proofTypes.finality, ...finalHeaderJson(block), message, index, path }
  return trie === undefined ? proof : { ...proof, trie }
}

/** Consecutive headers, all final by the finalization of the last. */
export function makeHeaderChain(headers: readonly Header[], finalization: Finalization): HeaderChainJson {
  const texts = headers.map(headerText)
  return { type: proofTypes.headers, headers: texts, finalization: toBase64(encodeCertificate(finalization)) }
}

export function makeTrieProof(
  block: FinalHeader,
  key: Hash,
  proof: MerkleProof | AbsenceProof,
): TrieProofJson {
  return { type: proofTypes.trie, ...finalHeaderJson(block), key, proof }
}

/** One block of a namespace proof. */
export type NamespaceBlockJson = NamespacePresentJson | NamespaceAbsentJson

/** What one block has of a namespace, out of the block's messages (none needed where `namespaceCount` is 0). */
export function namespaceBlock({
  namespace,
  messages,
  sha256,
}: {
  readonly namespace: string
  readonly messages: readonly SequencedMessage[]
  readonly sha256: Sha256
}): NamespaceBlockJson {
  const tree = namespaceTree(messages, sha256)
  const position = tree.leaves.findIndex((leaf) => compareNamespaces(leaf.namespace, namespace) >= 0)
  const leaf = tree.leaves[position]
  if (leaf?.namespace !== namespace)
    return absentFrom(tree, position === -1 ? tree.leaves.length : position, sha256)
  const path = merklePath(tree.leaves.map(leafBytes), position, sha256).map(bytesToHex)
  const shown = leaf.pairs.map(({ index }) => {
    const sequenced = messages[index]
    if (sequenced === undefined) throw new RangeError(`no message ${index}`)
    return { index, message: toBase64(encodeMessage(sequenced.message)) }
  })
  return { position, messages: shown, path }
}

/** A range of consecutive blocks, `blocks` in the order of `headers`. */
export function makeNamespaceProof(
  namespace: string,
  headers: readonly Header[],
  finalization: Finalization,
  blocks: readonly NamespaceBlockJson[],
): NamespaceProofJson {
  const chain = makeHeaderChain(headers, finalization)
  return {
    type: proofTypes.namespace,
    namespace,
    headers: chain.headers,
    finalization: chain.finalization,
    blocks,
  }
}

export function evidenceJson(evidence: Evidence): EvidenceJson {
  return { type: proofTypes.evidence, evidence: toBase64(encodeEvidence(evidence)) }
}

/** `signature`: of `encodeReceiptBody(body)`, kind `receipt`, by the node's key. */
export function receiptJson(body: ReceiptBody, node: string, signature: Uint8Array): ReceiptJson {
  const { time, finalHeight, ids } = body
  return { type: proofTypes.receipt, node, time, finalHeight, ids, signature: bytesToHex(signature) }
}

function absentFrom({ leaves }: NamespaceTree, position: number, sha256: Sha256): NamespaceAbsentJson {
  const first = Math.max(0, position - 1)
  const neighbours = leaves.slice(first, position + 1)
  const range = { index: first, count: neighbours.length }
  const path =
    neighbours.length === 0 ? [] : merkleRangePath(leaves.map(leafBytes), range, sha256).map(bytesToHex)
  return {
    position,
    neighbours: neighbours.map(({ namespace, pairs, root }) => ({ namespace, count: pairs.length, root })),
    path,
  }
}

function leafBytes(leaf: NamespaceLeaf): Uint8Array {
  return encodeNamespaceLeaf({ ...leaf, count: leaf.pairs.length })
}

function headerText(header: Header): string {
  return toBase64(encodeHeader(header))
}
