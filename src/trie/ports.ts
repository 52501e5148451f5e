// What the trie needs from the outside, in plain functions. Storage and crypto offer them; nothing here does.

/** SHA-256. It returns fresh bytes and keeps nothing of its argument, which is written over afterwards. */
export type Hasher = (bytes: Uint8Array) => Uint8Array

/** Names the message that first put a leaf into the trie. The leaf's data is read there, never copied. */
export interface LeafReference {
  /** Height of the block, an integer below 2^53. */
  readonly height: number
  /** Position in that block's sequence, from 0, u32. */
  readonly index: number
}

/** Stored nodes by their hash. */
export interface TrieNodeSource {
  /**
   * The record that an insertion returned for this hash, or undefined where there is none. The bytes may not change
   * afterwards. Once a root is used again (inserted into, proven against), its records have to be readable here.
   */
  get(hash: Uint8Array): Uint8Array | undefined
}

/** The data of the message that a leaf names; undefined only where the store is damaged. */
export type LeafDataSource = (reference: LeafReference) => Uint8Array | undefined
