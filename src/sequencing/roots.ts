// The two roots over a block's messages (protocol §3.4). Both are RFC 9162 trees with SHA-256: a leaf hashes as
// SHA-256(0x00 ‖ leaf bytes), an inner node as SHA-256(0x01 ‖ left ‖ right), the empty tree as SHA-256 of nothing.
//
// sequenceRoot: leaf i is the 32 bytes of the id of the block's message i.
// namespacesRoot: one leaf for each namespace that a message of the block names, in ascending order of the
//   namespace's UTF-8 bytes (unsigned, a prefix first): u8 length ‖ namespace ‖ u32 count ‖ root, where root (32
//   bytes) is over the namespace's `count` pairs: leaf bytes u32 index ‖ message id, in ascending order of index, the
//   message's place in the block from 0 on. Messages without a namespace are in no leaf. Integers are big-endian.
import { ByteWriter, bytesToHex, compareBytes, hexToBytes, isHexOf, type Sha256 } from '../codec/index.ts'
import type { Hash, MessageId, SequencedMessage } from '../types/index.ts'
import { merklePath, merkleRoot, verifyMerklePath } from './merkle.ts'

const utf8 = new TextEncoder()

/** Root over the block's message ids in order. */
export function sequenceRoot(messageIds: readonly MessageId[], sha256: Sha256): Hash {
  return bytesToHex(merkleRoot(messageIds.map(hexToBytes), sha256)) as Hash
}

/** Path of message `index` to `sequenceRoot`, lowest sibling first; RangeError where there is no such message. */
export function sequencePath(messageIds: readonly MessageId[], index: number, sha256: Sha256): Hash[] {
  return merklePath(messageIds.map(hexToBytes), index, sha256).map((node) => bytesToHex(node) as Hash)
}

/** Whether `messageId` is message `index` of the `count` messages under `root`. Takes anything and never throws. */
export function verifySequencePath({
  root,
  messageId,
  index,
  count,
  path,
  sha256,
}: {
  readonly root: Hash
  readonly messageId: MessageId
  readonly index: number
  /** The header's `messageCount`. */
  readonly count: number
  readonly path: readonly Hash[]
  readonly sha256: Sha256
}): boolean {
  if (![root, messageId, ...path].every((hash) => isHexOf(hash, 32))) return false
  return verifyMerklePath({
    root: hexToBytes(root),
    leaf: hexToBytes(messageId),
    index,
    size: count,
    path: path.map(hexToBytes),
    sha256,
  })
}

/** A message's place in its block, as the namespaces tree holds it. */
export interface NamespacePair {
  readonly index: number
  readonly id: MessageId
}

/** One leaf of the namespaces tree, with what its root is over. */
export interface NamespaceLeaf {
  readonly namespace: string
  readonly root: Hash
  /** Ascending by index; their number is the leaf's count. */
  readonly pairs: readonly NamespacePair[]
}

export interface NamespaceTree {
  readonly root: Hash
  /** In byte order of the namespace; their number is the header's `namespaceCount`. */
  readonly leaves: readonly NamespaceLeaf[]
}

/** The namespaces tree of a block's messages, given in their order. */
export function namespaceTree(messages: readonly SequencedMessage[], sha256: Sha256): NamespaceTree {
  const pairsOf = new Map<string, NamespacePair[]>()
  let next = 0
  for (const { id, message } of messages) {
    const index = next++
    if (message.namespace === undefined) continue
    const pairs = pairsOf.get(message.namespace)
    if (pairs === undefined) pairsOf.set(message.namespace, [{ index, id }])
    else pairs.push({ index, id })
  }
  const leaves = [...pairsOf]
    .map(([namespace, pairs]) => ({ namespace, pairs, root: namespaceRoot(pairs, sha256) }))
    .sort((a, b) => compareNamespaces(a.namespace, b.namespace))
  const encoded = leaves.map((leaf) => encodeNamespaceLeaf({ ...leaf, count: leaf.pairs.length }))
  return { root: bytesToHex(merkleRoot(encoded, sha256)) as Hash, leaves }
}

/** Root over one namespace's pairs. */
export function namespaceRoot(pairs: readonly NamespacePair[], sha256: Sha256): Hash {
  const leaves = pairs.map(({ index, id }) => new ByteWriter(36).u32(index).hex(id, 32).finish())
  return bytesToHex(merkleRoot(leaves, sha256)) as Hash
}

/** Leaf bytes of a namespace, as above; RangeError where a field is out of bounds. */
export function encodeNamespaceLeaf(leaf: {
  readonly namespace: string
  readonly count: number
  readonly root: Hash
}): Uint8Array {
  return new ByteWriter(128).text(leaf.namespace).u32(leaf.count).hex(leaf.root, 32).finish()
}

/** Order of the leaves: by UTF-8 bytes, which is not the order of JavaScript strings. */
export function compareNamespaces(a: string, b: string): number {
  return compareBytes(utf8.encode(a), utf8.encode(b))
}
