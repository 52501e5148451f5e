// The root: what a trie is held by. Kept by the chain for the latest block and, as hashes, for the blocks before it.

import { fromHex, toHex } from '../crypto/portable/hex.ts'
import type { Hash } from '../types/index.ts'
import type { NodeRef, TrieNodes } from './nodes.ts'
import { refTo } from './nodes.ts'
import { type ProofRoot, toJsonText } from './proof.ts'
import { readRootRecord } from './records.ts'

/** One set of leaves. It always splits at bit 0: leaves whose key begins with 0 on the left, with 1 on the right. */
export interface TrieRoot {
  /** Null only in the empty trie, which has no hash. */
  readonly hash: Uint8Array | null
  readonly left: NodeRef | null
  readonly right: NodeRef | null
}

export const EMPTY_TRIE: TrieRoot = { hash: null, left: null, right: null }

/** What a header says of the empty trie: 32 zero bytes (protocol §3.4). */
export const EMPTY_STATE_ROOT = '00'.repeat(32) as Hash

/** The header's `stateRoot`. */
export function stateRootOf(root: TrieRoot): Hash {
  return root.hash === null ? EMPTY_STATE_ROOT : (toHex(root.hash) as Hash)
}

/**
 * The trie of a header's `stateRoot`, out of the records in the store: the same trie that the insertion gave.
 * Throws `TrieError` where the store lacks that root or holds another kind of record there.
 */
export function loadTrie(stateRoot: Hash, nodes: TrieNodes): TrieRoot {
  if (stateRoot === EMPTY_STATE_ROOT) return EMPTY_TRIE
  const hash = fromHex(stateRoot)
  const { left, right } = readRootRecord(nodes.readRecord(hash))
  return { hash, left: left === null ? null : refTo(left), right: right === null ? null : refTo(right) }
}

/** The root as the original writes it in JSON and in the first node of a proof. */
export function rootToJson(root: TrieRoot): ProofRoot {
  return {
    hash: root.hash === null ? null : Array.from(root.hash),
    left: root.left === null ? null : Array.from(root.left.hash),
    right: root.right === null ? null : Array.from(root.right.hash),
  }
}

/** The exact reply of `GET /get/state_root_hash`. */
export function rootToJsonText(root: TrieRoot): string {
  return toJsonText(rootToJson(root))
}
