// The trie of message data: everything a node needs. Browsers and clients take ./verify.ts alone.

export {
  bitOf,
  encodeBranch,
  encodeLeaf,
  encodeRoot,
  HASH_BYTES,
  KEY_BITS,
  keyOf,
  leafOf,
  type TrieLeaf,
} from './encoding.ts'
export { TrieError, type TrieFailure } from './errors.ts'
export { type Inserted, insertLeaves, type NewLeaf } from './insert.ts'
export { type LeafNode, TrieNodes, type TrieNodesOptions } from './nodes.ts'
export type * from './ports.ts'
export { leafOnPath, proveAbsence, proveInclusion } from './prove.ts'
export type { NodeRecord } from './records.ts'
export {
  EMPTY_STATE_ROOT,
  EMPTY_TRIE,
  loadTrie,
  rootToJson,
  rootToJsonText,
  stateRootOf,
  type TrieRoot,
} from './root.ts'
export * from './verify.ts'
