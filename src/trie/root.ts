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

/** What is public of a root: its hash, and those of its sides. */
export interface TrieTop {
  /** Null only in the empty trie. */
  readonly hash: Uint8Array | null
  /** Null where the side is empty. */
  readonly left: Uint8Array | null
  readonly right: Uint8Array | null
}

export function topOf({ hash, left, right }: TrieRoot): TrieTop {
  return { hash, left: left?.hash ?? null, right: right?.hash ?? null }
}

export const EMPTY_TRIE: TrieRoot = { hash: null, left: null, right: null }

/** What a header says of the empty trie: 32 zero bytes (protocol §3.4). */
export const EMPTY_STATE_ROOT = '00'.repeat(32) as Hash

/** The header's `stateRoot`. */
export function stateRootOf(root: Pick<TrieTop, 'hash'>): Hash {
  return root.hash === null ? EMPTY_STATE_ROOT : (toHex(root.hash) as Hash)
}

/** The root as the original writes it in JSON and in the first node of a proof. */
export function rootToJson({ hash, left, right }: TrieTop): ProofRoot {
  const bytes = (each: Uint8Array | null) => (each === null ? null : Array.from(each))
  return { hash: bytes(hash), left: bytes(left), right: bytes(right) }
}

/** The exact reply of `GET /get/state_root_hash`. */
export function rootToJsonText(root: TrieTop): string {
  return toJsonText(rootToJson(root))
}
