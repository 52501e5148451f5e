// What a block's messages make of the trie. Pure but for the reads of stored nodes; called by whoever makes a block,
// checks one or makes it final, and by the replay of a stored chain.
import {
  insertLeaves,
  leafOf,
  type NodeRecord,
  stateRootOf,
  type TrieNodes,
  type TrieRoot,
} from '../trie/index.ts'
import type { Hash, Height, SequencedMessage } from '../types/index.ts'

export interface ExecutedBlock {
  readonly trie: TrieRoot
  /** The header's `stateRoot`. */
  readonly stateRoot: Hash
  /** To be stored with the block, if it becomes final. */
  readonly newNodes: readonly NodeRecord[]
  /** Hashes of nodes that no trie has from this block on. */
  readonly replacedNodes: readonly Uint8Array[]
}

/**
 * The trie with a block's messages. Data is data, whatever its namespace; data that is there already changes nothing,
 * so its leaf goes on naming the message that brought it first.
 * @param trie after the block before. It stays as it is.
 * @param height of the block.
 * @param messages in sequence.
 * Throws `TrieError` where the store lacks a node.
 */
export function executeBlock({
  trie,
  nodes,
  height,
  messages,
}: {
  readonly trie: TrieRoot
  readonly nodes: TrieNodes
  readonly height: Height
  readonly messages: readonly SequencedMessage[]
}): ExecutedBlock {
  const leaves = messages.map(({ message }, index) => ({
    ...leafOf(message.data, nodes.hash),
    reference: { height, index },
  }))
  const { root, newNodes, replacedNodes } = insertLeaves(trie, leaves, nodes)
  return { trie: root, stateRoot: stateRootOf(root), newNodes, replacedNodes }
}
