// Checks proofs against a root hash that the caller trusts, such as a finalised header's `stateRoot`. This file is the
// trie's door for browsers and clients: all it imports is portable. It decides by hashing what was sent, as it was
// sent; the original's verifier filled in hashes itself and so took forged proofs.
//
// What makes it sound: the bits of the wanted key choose one child at every node, and each node is bound to the one
// before by its hash. So one root hash allows one path for a key, which ends with that key's leaf, with another leaf or
// at the root's empty side. No key can have an inclusion proof and an absence proof under one root, honest or not.

import { sha256 } from '../crypto/portable/hash.ts'
import {
  bitOf,
  encodeBranch,
  encodeLeaf,
  encodeRoot,
  equalBytes,
  HASH_BYTES,
  keyFromBits,
  keyOf,
} from './encoding.ts'
import {
  type AbsenceProof,
  type JsonBytes,
  type MerkleProof,
  PROOF_NODES_MAX,
  type ProofBranch,
  type ProofLeaf,
  type ProofNode,
  type ProofRoot,
  type ProofStep,
} from './proof.ts'
import { parseAbsenceProofJson, parseProofJson } from './proof-reader.ts'

export { keyFromBits, keyToBits } from './encoding.ts'
export * from './proof.ts'
export * from './proof-reader.ts'

/** Why a proof is refused. `malformed`: not of a proof's form at all (`parseProofJson` says where). */
export type ProofRefusal =
  | 'malformed'
  | 'wrong-length'
  | 'not-a-root-first'
  | 'not-a-leaf-last'
  | 'not-a-branch-between'
  | 'wrong-direction'
  | 'bad-branch'
  | 'bits-not-increasing'
  | 'bad-leaf'
  | 'leaf-off-its-path'
  | 'key-is-not-of-data'
  | 'hash-mismatch'
  | 'hash-field-mismatch'
  | 'other-key'
  | 'other-data'
  | 'key-is-present'
  | 'side-is-not-empty'

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: ProofRefusal }

const ACCEPTED: Verdict = { ok: true }

/** The 32-byte key under which the trie has a message's data. */
export function keyOfData(data: Uint8Array): Uint8Array {
  return keyOf(data, sha256)
}

/**
 * Whether `proof` shows that a message with this `data` is in the trie with this root hash (32 bytes). `key`, where the
 * caller has it from elsewhere, has to be the data's. `proof` is whatever arrived: a JSON text or a parsed value; takes
 * at most 259 hashes, never throws on JSON.
 */
export function verifyInclusion({
  rootHash,
  key,
  data,
  proof,
}: {
  readonly rootHash: Uint8Array
  readonly key?: Uint8Array
  readonly data: Uint8Array
  readonly proof: unknown
}): Verdict {
  const reading = parseProofJson(proof)
  return reading.ok ? checkInclusion({ rootHash, key, data, proof: reading.proof }) : refuse('malformed')
}

/** As `verifyInclusion`, of a proof that was read already. */
export function checkInclusion({
  rootHash,
  key,
  data,
  proof,
}: {
  readonly rootHash: Uint8Array
  readonly key?: Uint8Array | undefined
  readonly data: Uint8Array
  readonly proof: MerkleProof
}): Verdict {
  const keyOfData = keyOf(data, sha256)
  if (key !== undefined && !equalBytes(key, keyOfData)) return refuse('key-is-not-of-data')
  const path = followPath(rootHash, keyOfData, proof.nodes)
  if (path.kind === 'refused') return refuse(path.reason)
  if (path.kind === 'empty-side') return refuse('not-a-leaf-last')
  if (!equalBytes(path.key, keyOfData)) return refuse('other-key')
  return equalBytes(path.data, data) ? ACCEPTED : refuse('other-data')
}

/**
 * Whether `proof` shows that no leaf has this 32-byte `key` in the trie with this root hash (32 bytes; all zero for the
 * empty trie, as in headers). It relies on the root being that of a canonical trie, as a finalised header's is. Takes
 * at most 259 hashes, never throws on JSON.
 */
export function verifyAbsence({
  rootHash,
  key,
  proof,
}: {
  readonly rootHash: Uint8Array
  readonly key: Uint8Array
  readonly proof: unknown
}): Verdict {
  const reading = parseAbsenceProofJson(proof)
  return reading.ok ? checkAbsence({ rootHash, key, proof: reading.proof }) : refuse('malformed')
}

/** As `verifyAbsence`, of a proof that was read already. */
export function checkAbsence({
  rootHash,
  key,
  proof,
}: {
  readonly rootHash: Uint8Array
  readonly key: Uint8Array
  readonly proof: AbsenceProof
}): Verdict {
  const { key: bits, nodes } = proof
  const provenKey = keyFromBits(bits)
  if (provenKey === undefined || !equalBytes(provenKey, key)) return refuse('other-key')
  if (rootHash.length === HASH_BYTES && rootHash.every((byte) => byte === 0)) return checkEmptyTrie(nodes)
  const path = followPath(rootHash, key, nodes)
  if (path.kind === 'refused') return refuse(path.reason)
  if (path.kind === 'leaf' && equalBytes(path.key, key)) return refuse('key-is-present')
  return ACCEPTED
}

function refuse(reason: ProofRefusal): Verdict {
  return { ok: false, reason }
}

/** The empty trie has no hash: its proof is the root of nulls, its trusted hash the zeros that no SHA-256 gives. */
function checkEmptyTrie(nodes: readonly ProofStep[]): Verdict {
  const [first] = nodes
  if (first === undefined || nodes.length > 1) return refuse('wrong-length')
  const [isRight, node] = first
  if (!('Root' in node)) return refuse('not-a-root-first')
  if (isRight) return refuse('wrong-direction')
  const { hash, left, right } = node.Root
  return hash === null && left === null && right === null ? ACCEPTED : refuse('hash-mismatch')
}

/** Where the bits of a key lead, or why the nodes do not show it. */
type Path =
  | { readonly kind: 'leaf'; readonly key: Uint8Array; readonly data: Uint8Array }
  | { readonly kind: 'empty-side' }
  | Refused
interface Refused {
  readonly kind: 'refused'
  readonly reason: ProofRefusal
}

/** Where the next node has to be, and what it has to hash to. */
interface Edge {
  readonly isRight: boolean
  readonly hash: Uint8Array | null
  /** The bit by which it was chosen. */
  readonly bit: number
}

/** The bits of the wanted key by which the way was chosen. */
interface Walked {
  readonly key: Uint8Array
  readonly bits: readonly number[]
}

/** Rules (a) to (f) of the strict verifier in the notes on the original's encodings. */
function followPath(rootHash: Uint8Array, key: Uint8Array, nodes: readonly ProofStep[]): Path {
  const [first, ...others] = nodes
  const leaf = others.pop()
  if (first === undefined || nodes.length > PROOF_NODES_MAX) return refused('wrong-length')
  if (key.length !== HASH_BYTES) return refused('other-key')
  const [isRight, root] = first
  if (!('Root' in root)) return refused('not-a-root-first')
  if (isRight) return refused('wrong-direction')

  let edge = throughRoot(root.Root, rootHash, key)
  const bits = [0]
  for (const step of others) {
    if ('reason' in edge) return edge
    if (!('Branch' in step[1])) return refused('not-a-branch-between')
    edge = throughBranch(step[0], step[1].Branch, edge, key)
    if (!('reason' in edge)) bits.push(edge.bit)
  }
  if ('reason' in edge) return edge
  if (leaf === undefined) return edge.hash === null ? { kind: 'empty-side' } : refused('side-is-not-empty')
  return toLeaf(leaf, edge, { key, bits })
}

function refused(reason: ProofRefusal): Refused {
  return { kind: 'refused', reason }
}

function throughRoot(root: ProofRoot, rootHash: Uint8Array, key: Uint8Array): Edge | Refused {
  const left = childOf(root.left)
  const right = childOf(root.right)
  if (left === undefined || right === undefined) return refused('hash-mismatch')
  // A root without children is never hashed: it is the empty trie, whose hash is null.
  if (left === null && right === null) return refused('hash-mismatch')
  const wrong = checkHash({ Root: root }, encodeRoot(left, right), rootHash)
  return wrong ?? edgeAt(0, key, left, right)
}

function throughBranch(isRight: boolean, branch: ProofBranch, edge: Edge, key: Uint8Array): Edge | Refused {
  if (isRight !== edge.isRight) return refused('wrong-direction')
  const [bit] = branch.key
  const left = childOf(branch.left)
  const right = childOf(branch.right)
  if (bit === undefined || branch.key.length !== 1 || !left || !right) return refused('bad-branch')
  if (bit <= edge.bit) return refused('bits-not-increasing')
  const wrong = checkHash({ Branch: branch }, encodeBranch(bit, left, right), edge.hash)
  return wrong ?? edgeAt(bit, key, left, right)
}

function toLeaf([isRight, node]: ProofStep, edge: Edge, walked: Walked): Path {
  if (!('Leaf' in node)) return refused('not-a-leaf-last')
  if (isRight !== edge.isRight) return refused('wrong-direction')
  const leaf = contentOf(node.Leaf)
  if (leaf === undefined) return refused('bad-leaf')
  const wrong = checkHash(node, encodeLeaf(leaf.key, leaf.data), edge.hash)
  if (wrong !== undefined) return wrong
  // In a canonical trie a leaf lies only where its own bits lead.
  const isOnPath = walked.bits.every((bit) => bitOf(leaf.key, bit) === bitOf(walked.key, bit))
  if (!isOnPath) return refused('leaf-off-its-path')
  const isOfData = equalBytes(keyOf(leaf.data, sha256), leaf.key)
  return isOfData ? { kind: 'leaf', ...leaf } : refused('key-is-not-of-data')
}

function edgeAt(bit: number, key: Uint8Array, left: Uint8Array | null, right: Uint8Array | null): Edge {
  const isRight = bitOf(key, bit) === 1
  return { isRight, hash: isRight ? right : left, bit }
}

/** A child is null or 32 bytes; undefined for anything else. */
function childOf(child: JsonBytes | null): Uint8Array | null | undefined {
  if (child === null) return null
  return child.length === HASH_BYTES ? Uint8Array.from(child) : undefined
}

function contentOf({ prefix, key: keyBits, data }: ProofLeaf) {
  const key = keyFromBits(keyBits)
  if (prefix !== null || key === undefined || data === null) return undefined
  return { key, data: Uint8Array.from(data) }
}

/** The node as sent has the expected hash, and says so itself (a null `hash`, which the original ignored, is refused
 *  as well: a proof has one form). */
function checkHash(node: ProofNode, encoded: Uint8Array, expected: Uint8Array | null): Refused | undefined {
  const hash = sha256(encoded)
  if (expected === null || !equalBytes(hash, expected)) return refused('hash-mismatch')
  const field = 'Root' in node ? node.Root.hash : 'Branch' in node ? node.Branch.hash : node.Leaf.hash
  const isTrue = field !== null && equalBytes(Uint8Array.from(field), hash)
  return isTrue ? undefined : refused('hash-field-mismatch')
}
