// Puts a group of leaves into a trie, in one pass: every node that changes is made, hashed and written once for the
// whole group. The shape depends on the set of keys only (canonical), so the order of leaves, the way they are grouped
// and leaves that are there already make no difference to the root.

import {
  bitOf,
  encodeRoot,
  fillBranch,
  firstDifference,
  HASH_BYTES,
  KEY_BITS,
  newBranchBytes,
} from './encoding.ts'
import type { NodeRef, TrieNodes } from './nodes.ts'
import type { LeafReference } from './ports.ts'
import { type NodeRecord, RecordWriter, rootRecord } from './records.ts'
import type { TrieRoot } from './root.ts'

export interface NewLeaf {
  readonly key: Uint8Array
  readonly leafHash: Uint8Array
  readonly reference: LeafReference
}

export interface Inserted {
  readonly root: TrieRoot
  /** What the store needs for `root`, the root's own record last. To be readable before `root` is used again. */
  readonly newNodes: readonly NodeRecord[]
  /** Hashes of nodes of the trie before that this one no longer has. A trie only grows, so no later one has them
   *  either: a store may drop them once the older roots need not be proven against. */
  readonly replacedNodes: readonly Uint8Array[]
  /** How many leaves were not there before. */
  readonly added: number
}

/**
 * The trie of the leaves of `root` and of `leaves`. Of leaves with one key the first stays, whether it was there
 * before or comes twice in the group. `root` remains as it was. Throws `TrieError` where the source lacks a node, and
 * `RangeError` for a key or leaf hash that is not 32 bytes.
 */
export function insertLeaves(root: TrieRoot, leaves: readonly NewLeaf[], nodes: TrieNodes): Inserted {
  const fresh = leavesToAdd(root, leaves, nodes)
  if (fresh.length === 0) return { root, newNodes: [], replacedNodes: [], added: 0 }
  return new Insertion(fresh, nodes).into(root)
}

/** A leaf that is not in the trie yet. */
interface FreshLeaf extends NewLeaf {
  /** The first bit in which its key differs from the leaf that its own bits lead to; 0 on an empty side. With every
   *  branch on the way there whose bit is lower it agrees so far; at the first with a greater bit it has left. */
  readonly leavesPathAt: number
}

/** Sorted by key, each key once, those in the trie left out. */
function leavesToAdd(root: TrieRoot, leaves: readonly NewLeaf[], nodes: TrieNodes): FreshLeaf[] {
  const fresh: FreshLeaf[] = []
  let previous: NewLeaf | undefined
  // The sort is stable: of equal keys the first given stays first.
  for (const leaf of [...leaves].sort(byKey)) {
    if (leaf.key.length !== HASH_BYTES || leaf.leafHash.length !== HASH_BYTES) {
      throw new RangeError('the key and the hash of a leaf have 32 bytes each')
    }
    if (previous !== undefined && byKey(previous, leaf) === 0) continue
    previous = leaf
    const leavesPathAt = whereItLeaves(root, leaf.key, nodes)
    if (leavesPathAt < KEY_BITS) {
      fresh.push({ key: leaf.key, leafHash: leaf.leafHash, reference: leaf.reference, leavesPathAt })
    }
  }
  return fresh
}

function byKey(a: NewLeaf, b: NewLeaf): number {
  for (let index = 0; index < HASH_BYTES; index += 1) {
    const difference = (a.key[index] ?? 0) - (b.key[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function whereItLeaves(root: TrieRoot, key: Uint8Array, nodes: TrieNodes): number {
  const side = bitOf(key, 0) === 0 ? root.left : root.right
  if (side === null) return 0
  let node = nodes.load(side)
  // Bits increase on the way down: at most 255 branches.
  while (node.kind === 'branch') node = nodes.load(bitOf(key, node.bit) === 0 ? node.left : node.right)
  return firstDifference(key, node.key)
}

/** One group on its way into one trie. Ranges `[start, end)` are of the sorted leaves. */
class Insertion {
  readonly #leaves: readonly FreshLeaf[]
  readonly #nodes: TrieNodes
  readonly #newNodes: NodeRecord[] = []
  readonly #replacedNodes: Uint8Array[] = []
  readonly #records = new RecordWriter()
  readonly #branchBytes = newBranchBytes()

  constructor(leaves: readonly FreshLeaf[], nodes: TrieNodes) {
    this.#leaves = leaves
    this.#nodes = nodes
  }

  into(root: TrieRoot): Inserted {
    const count = this.#leaves.length
    const middle = this.#firstRight(0, count, 0)
    const left = this.#side(root.left, 0, middle)
    const right = this.#side(root.right, middle, count)
    const children = { left: left?.hash ?? null, right: right?.hash ?? null }
    const hash = this.#nodes.hash(encodeRoot(children.left, children.right))
    this.#newNodes.push({ hash, record: rootRecord(children) })
    if (root.hash !== null) this.#replacedNodes.push(root.hash)
    return {
      root: { hash, left, right },
      newNodes: this.#newNodes,
      replacedNodes: this.#replacedNodes,
      added: count,
    }
  }

  #side(side: NodeRef | null, start: number, end: number): NodeRef | null {
    if (side !== null) return this.#below(side, start, end)
    return start === end ? null : this.#fresh(start, end)
  }

  /** The subtree of `ref` with the leaves of the range, which agree with it in all bits up to the branch above. */
  #below(ref: NodeRef, start: number, end: number): NodeRef {
    if (start === end) return ref
    const node = this.#nodes.load(ref)
    const first = this.#firstToLeave(start, end)
    const bit = first.leavesPathAt
    if (node.kind === 'branch' && bit > node.bit) {
      const middle = this.#firstRight(start, end, node.bit)
      const left = this.#below(node.left, start, middle)
      const right = this.#below(node.right, middle, end)
      this.#replacedNodes.push(ref.hash)
      // The newer version takes its part from now on: it need not stay in memory for long.
      ref.recentlyUsed = false
      return this.#branch(node.bit, left, right)
    }
    // Some leave above this node: a new branch there, on whose other side this subtree goes on with the rest.
    const middle = this.#firstRight(start, end, bit)
    return bitOf(first.key, bit) === 0
      ? this.#branch(bit, this.#fresh(start, middle), this.#below(ref, middle, end))
      : this.#branch(bit, this.#below(ref, start, middle), this.#fresh(middle, end))
  }

  /** A subtree of new leaves only, at least one. */
  #fresh(start: number, end: number): NodeRef {
    const first = this.#at(start)
    if (end - start === 1) return this.#leaf(first)
    const bit = firstDifference(first.key, this.#at(end - 1).key)
    const middle = this.#firstRight(start, end, bit)
    return this.#branch(bit, this.#fresh(start, middle), this.#fresh(middle, end))
  }

  #leaf({ key, leafHash, reference }: FreshLeaf): NodeRef {
    this.#newNodes.push({ hash: leafHash, record: this.#records.leaf(key, reference) })
    return this.#nodes.add(leafHash, { kind: 'leaf', key, reference })
  }

  #branch(bit: number, left: NodeRef, right: NodeRef): NodeRef {
    const hash = this.#nodes.hash(fillBranch(this.#branchBytes, bit, left.hash, right.hash))
    this.#newNodes.push({ hash, record: this.#records.branch(bit, left.hash, right.hash) })
    return this.#nodes.add(hash, { kind: 'branch', bit, left, right })
  }

  #firstToLeave(start: number, end: number): FreshLeaf {
    let first = this.#at(start)
    for (let index = start + 1; index < end; index += 1) {
      const leaf = this.#at(index)
      if (leaf.leavesPathAt < first.leavesPathAt) first = leaf
    }
    return first
  }

  /** The first of the range that has a 1 at `bit`, or `end`; the keys of the range agree before that bit. */
  #firstRight(start: number, end: number, bit: number): number {
    let low = start
    let high = end
    while (low < high) {
      const middle = (low + high) >> 1
      if (bitOf(this.#at(middle).key, bit) === 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #at(index: number): FreshLeaf {
    const leaf = this.#leaves[index]
    if (leaf === undefined) throw new RangeError(`no leaf ${index} in a group of ${this.#leaves.length}`)
    return leaf
  }
}
