// What a block's messages make of the trie. Pure but for the reads of stored pages; called by whoever makes a block,
// checks one or makes it final, and by the replay of a stored chain.
import {
  type Inserted,
  insertGroup,
  LeafGroup,
  stateRootOf,
  type TriePages,
  type TrieRoot,
} from '../trie/index.ts'
import type { Hash, Height, SequencedMessage } from '../types/index.ts'

export interface ExecutedBlock {
  readonly trie: TrieRoot
  /** The header's `stateRoot`. */
  readonly stateRoot: Hash
  /** For `StoredTrie.append`, if the block becomes final. */
  readonly inserted: Inserted
}

/**
 * The trie with a block's messages. Data is data, whatever its namespace; data that is there already changes nothing,
 * so its leaf goes on naming the message that brought it first.
 * @param trie after the block before. It stays as it is.
 * @param height of the block.
 * @param messages in sequence.
 * Throws `TrieError` where the store lacks a page.
 */
export function executeBlock({
  trie,
  pages,
  height,
  messages,
}: {
  readonly trie: TrieRoot
  readonly pages: TriePages
  readonly height: Height
  readonly messages: readonly SequencedMessage[]
}): ExecutedBlock {
  const data = messages.map(({ message }) => message.data)
  const inserted = insertGroup(trie, LeafGroup.ofBlock(height, data, pages.hash), pages)
  return { trie: inserted.root, stateRoot: stateRootOf(inserted.root), inserted }
}
