// What the trie needs from the outside, in plain functions. Storage and crypto offer them; nothing here does.

/** SHA-256. It returns fresh bytes and keeps nothing of its argument, which is written over afterwards. */
export type Hasher = (bytes: Uint8Array) => Uint8Array

/** A branch to hash: its bit (1 to 255), where the hashes of its children lie, and where its own belongs. */
export interface BranchTask {
  readonly bit: number
  readonly leftIn: Uint8Array
  readonly leftAt: number
  readonly rightIn: Uint8Array
  readonly rightAt: number
  readonly outIn: Uint8Array
  readonly outAt: number
}

/** Hashes branches none of which is a child of another. */
export type BranchHasher = (tasks: readonly BranchTask[]) => void

/** Names the message that first put a leaf into the trie. The leaf's data is read there, never copied. */
export interface LeafReference {
  /** Height of the block, an integer below 2^48. */
  readonly height: number
  /** Position in that block's sequence, from 0, u32. */
  readonly index: number
}

/** Stored pages by their number. */
export interface TriePageSource {
  /** The bytes that were given to be written under this number, or undefined where there are none. They may not change
   *  afterwards. */
  get(id: number): Uint8Array | undefined
}

/** The data of the message that a leaf names; undefined only where the store is damaged. */
export type LeafDataSource = (reference: LeafReference) => Uint8Array | undefined
