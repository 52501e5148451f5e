// Makes proofs: the nodes from the root along a key's own bits. What they prove, and why, is said in README.md.

import { bitOf, equalBytes, HASH_BYTES, keyToBits } from './encoding.ts'
import { TrieError } from './errors.ts'
import type { Page, PageRef } from './page.ts'
import type { TriePages } from './pages.ts'
import type { LeafDataSource, LeafReference } from './ports.ts'
import type { AbsenceProof, MerkleProof, ProofStep } from './proof.ts'
import { rootToJson, type TrieRoot, type TrieSide, topOf } from './root.ts'

/** A leaf: its key, and the message that brought it first. */
export interface LeafNode {
  readonly key: Uint8Array
  readonly hash: Uint8Array
  readonly reference: LeafReference
}

/** The way along the bits of a key. */
export interface TriePath {
  /** The root, and the branches. */
  readonly steps: readonly ProofStep[]
  /** Whether it leaves the last of them to the right. */
  readonly isRight: boolean
  /** Where it ends: the leaf with that key if there is one, else the one by which its absence is shown; undefined on an
   *  empty side. */
  readonly leaf: LeafNode | undefined
}

/** A branch on the way to a leaf. */
interface BranchOnPath {
  readonly bit: number
  readonly hash: Uint8Array
  readonly left: Uint8Array
  readonly right: Uint8Array
}

/**
 * Shows that a leaf with this 32-byte `key` is in the trie; undefined where there is none (never another leaf's proof,
 * which the original answered). `dataOf` is asked once at most.
 */
export function proveInclusion(
  root: TrieRoot,
  key: Uint8Array,
  pages: TriePages,
  dataOf: LeafDataSource,
): MerkleProof | undefined {
  return inclusionOf(pathTo(root, key, pages), key, dataOf)
}

/** The same of the way to `key`. */
export function inclusionOf(
  path: TriePath,
  key: Uint8Array,
  dataOf: LeafDataSource,
): MerkleProof | undefined {
  return isThere(path, key) ? { nodes: nodesOf(path, dataOf) } : undefined
}

/** Shows that no leaf with this 32-byte `key` is in the trie; undefined where there is one. */
export function proveAbsence(
  root: TrieRoot,
  key: Uint8Array,
  pages: TriePages,
  dataOf: LeafDataSource,
): AbsenceProof | undefined {
  return absenceOf(pathTo(root, key, pages), key, dataOf)
}

/** The same of the way to `key`. */
export function absenceOf(path: TriePath, key: Uint8Array, dataOf: LeafDataSource): AbsenceProof | undefined {
  if (isThere(path, key)) return undefined
  return { absent: true, key: keyToBits(key), nodes: nodesOf(path, dataOf) }
}

/** Whether the way to `key` ends at its leaf. */
export function isThere({ leaf }: TriePath, key: Uint8Array): boolean {
  return leaf !== undefined && equalBytes(leaf.key, key)
}

/** The walk along the bits of `key`. */
export function pathTo(root: TrieRoot, key: Uint8Array, pages: TriePages): TriePath {
  const steps: ProofStep[] = [[false, { Root: rootToJson(topOf(root)) }]]
  let isRight = bitOf(key, 0) === 1
  const side = isRight ? root.right : root.left
  if (side === null) return { steps, isRight, leaf: undefined }
  const leaf = walk(side, key, pages, ({ bit, hash, left, right }) => {
    const branch = { key: [bit], hash: Array.from(hash), left: Array.from(left), right: Array.from(right) }
    steps.push([isRight, { Branch: branch }])
    isRight = bitOf(key, bit) === 1
  })
  return { steps, isRight, leaf }
}

/** The nodes of a proof: those of the way, and the leaf with its data. */
function nodesOf({ steps, isRight, leaf }: TriePath, dataOf: LeafDataSource): ProofStep[] {
  if (leaf === undefined) return [...steps]
  const data = dataOf(leaf.reference)
  if (data === undefined) throw new TrieError({ code: 'missing-data', reference: leaf.reference })
  const node = {
    prefix: null,
    key: keyToBits(leaf.key),
    hash: Array.from(leaf.hash),
    data: Array.from(data),
  }
  return [...steps, [isRight, { Leaf: node }]]
}

/** From a side down along the bits of `key`: at most 255 branches, since bits increase on the way. */
function walk(
  side: TrieSide,
  key: Uint8Array,
  pages: TriePages,
  onBranch: (branch: BranchOnPath) => void,
): LeafNode {
  let ref: PageRef | undefined = side.below
  let leaf: LeafNode = {
    key: side.key,
    hash: side.hash,
    reference: { height: side.newest, index: side.index },
  }
  while (ref !== undefined) {
    const page = pages.load(ref)
    const at = walkPage(page, key, onBranch)
    const { keyIn, keyAt, newest, index, below } = page.entry(at)
    ref = below
    if (ref === undefined) {
      const reference = { height: newest, index }
      leaf = { key: keyIn.slice(keyAt, keyAt + HASH_BYTES), hash: page.hashOf(at, at + 1), reference }
    }
  }
  return leaf
}

/** The entry of a page to which the bits of `key` lead. */
function walkPage(page: Page, key: Uint8Array, onBranch: (branch: BranchOnPath) => void): number {
  return page.onPath(key, (start, split, end) =>
    onBranch({
      bit: page.gap(split),
      hash: page.hashOf(start, end),
      left: page.hashOf(start, split),
      right: page.hashOf(split, end),
    }),
  )
}
