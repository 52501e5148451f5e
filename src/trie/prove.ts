// Makes proofs: the nodes from the root along a key's own bits. What they prove, and why, is said in README.md.

import { bitOf, equalBytes, keyToBits } from './encoding.ts'
import { TrieError } from './errors.ts'
import type { LeafNode, TrieNodes } from './nodes.ts'
import type { LeafDataSource } from './ports.ts'
import type { AbsenceProof, MerkleProof, ProofStep } from './proof.ts'
import { rootToJson, type TrieRoot } from './root.ts'

/**
 * Shows that a leaf with this 32-byte `key` is in the trie; undefined where there is none (never another leaf's proof,
 * which the original answered). `dataOf` is asked once at most.
 */
export function proveInclusion(
  root: TrieRoot,
  key: Uint8Array,
  nodes: TrieNodes,
  dataOf: LeafDataSource,
): MerkleProof | undefined {
  const leaf = leafOnPath(root, key, nodes)
  if (leaf === undefined || !equalBytes(leaf.key, key)) return undefined
  return { nodes: pathOf(root, key, nodes, dataOf) }
}

/** Shows that no leaf with this 32-byte `key` is in the trie; undefined where there is one. */
export function proveAbsence(
  root: TrieRoot,
  key: Uint8Array,
  nodes: TrieNodes,
  dataOf: LeafDataSource,
): AbsenceProof | undefined {
  const leaf = leafOnPath(root, key, nodes)
  if (leaf !== undefined && equalBytes(leaf.key, key)) return undefined
  return { absent: true, key: keyToBits(key), nodes: pathOf(root, key, nodes, dataOf) }
}

/**
 * The leaf at which a walk along the bits of `key` ends: the one with that key if there is one, else the one by which
 * its absence is shown; undefined on an empty side. For callers that read its data before they ask for a proof.
 */
export function leafOnPath(root: TrieRoot, key: Uint8Array, nodes: TrieNodes): LeafNode | undefined {
  const side = bitOf(key, 0) === 0 ? root.left : root.right
  if (side === null) return undefined
  let node = nodes.load(side)
  while (node.kind === 'branch') node = nodes.load(bitOf(key, node.bit) === 0 ? node.left : node.right)
  return node
}

function pathOf(root: TrieRoot, key: Uint8Array, nodes: TrieNodes, dataOf: LeafDataSource): ProofStep[] {
  const steps: ProofStep[] = [[false, { Root: rootToJson(root) }]]
  let isRight = bitOf(key, 0) === 1
  let ref = isRight ? root.right : root.left
  // Bits increase on the way down: at most 255 branches and a leaf.
  while (ref !== null) {
    const hash = Array.from(ref.hash)
    const node = nodes.load(ref)
    if (node.kind === 'leaf') {
      const data = dataOf(node.reference)
      if (data === undefined) throw new TrieError({ code: 'missing-data', reference: node.reference })
      const leaf = { prefix: null, key: keyToBits(node.key), hash, data: Array.from(data) }
      steps.push([isRight, { Leaf: leaf }])
      return steps
    }
    const [left, right] = [Array.from(node.left.hash), Array.from(node.right.hash)]
    steps.push([isRight, { Branch: { key: [node.bit], hash, left, right } }])
    isRight = bitOf(key, node.bit) === 1
    ref = isRight ? node.right : node.left
  }
  return steps
}
