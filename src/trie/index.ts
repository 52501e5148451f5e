// The trie of message data: everything a node needs. Browsers and clients take ./verify.ts alone.

export { auditTrie } from './audit.ts'
export { createBranchHasher } from './branch-lanes.ts'
export { type Checkpoint, decodeCheckpoint } from './checkpoint.ts'
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
export { type Inserted, insertGroup, insertLeaves } from './insert.ts'
export { LeafGroup, type NewLeaf } from './leaf-group.ts'
export { TriePages, type TriePagesOptions } from './pages.ts'
export type * from './ports.ts'
export { nextPageId, PAGE_LENGTH_BYTES, PAGE_ROOM_BYTES, pagesOf } from './ports.ts'
export {
  absenceOf,
  inclusionOf,
  isThere,
  type LeafNode,
  pathTo,
  proveAbsence,
  proveInclusion,
  type TriePath,
} from './prove.ts'
export {
  EMPTY_STATE_ROOT,
  EMPTY_TRIE,
  rootToJson,
  rootToJsonText,
  stateRootOf,
  type TrieRoot,
  type TrieTop,
  topOf,
} from './root.ts'
export {
  type ExecutedTrie,
  executionsMax,
  LocalStateTrie,
  openStoredTrie,
  type StateTrie,
} from './state-trie.ts'
export {
  type CheckpointRule,
  defaultCheckpointRule,
  type NewCheckpoint,
  StoredTrie,
  type StoredTrieWrites,
  type TrieStep,
  type TrieWrites,
} from './stored-trie.ts'
export * from './verify.ts'
