// The root: what a trie is held by. Kept by the chain for the latest block.

import { toHex } from '../crypto/portable/hex.ts'
import type { Hash } from '../types/index.ts'
import type { PageRef } from './page.ts'
import { type ProofRoot, toJsonText } from './proof.ts'

/** One set of leaves. It always splits at bit 0: leaves whose key begins with 0 on the left, with 1 on the right. */
export interface TrieRoot {
  /** Null only in the empty trie, which has no hash. */
  readonly hash: Uint8Array | null
  readonly left: TrieSide | null
  readonly right: TrieSide | null
}

/** All leaves on one side: a single one, or a page. */
export interface TrieSide {
  readonly hash: Uint8Array
  /** Of the leaf, or of any leaf below. */
  readonly key: Uint8Array
  /** Greatest height of a block that brought a leaf; the leaf's own. */
  readonly newest: number
  /** The leaf's position in its block's sequence; 0 for a page. */
  readonly index: number
  /** First bit at which the leaves differ; 256 for a leaf. */
  readonly bit: number
  /** Undefined for a leaf. */
  readonly below: PageRef | undefined
}

export const EMPTY_TRIE: TrieRoot = { hash: null, left: null, right: null }

/** What a header says of the empty trie: 32 zero bytes (protocol §3.4). */
export const EMPTY_STATE_ROOT = '00'.repeat(32) as Hash

/** The header's `stateRoot`. */
export function stateRootOf(root: TrieRoot): Hash {
  return root.hash === null ? EMPTY_STATE_ROOT : (toHex(root.hash) as Hash)
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
