// The bytes that are hashed for a node, exactly as the original DISEQ hashed them (bincode of the struct with its
// `hash` left out), and the bits of a key. Layouts are fixed, so they are written out rather than made by a general
// encoder. Used by the insertion on nodes and by the verifier in browsers: imports nothing that is not portable.
//
//   Root    00 · left · right: each 00, or 01 · length 32 (u64 little-endian) · 32 bytes     43 or 83 bytes
//   Branch  length 1 · bit index · 00 · 01 length 32 left · 01 length 32 right             92 bytes
//   Leaf    00 · length 256 · one byte for each bit of the key · 00 · 01 length data       275 bytes and the data
//
// No two kinds have a length in common (43 and 83, 92, 275 and more), so a hash of one is never that of another.

import type { Hasher } from './ports.ts'

export const HASH_BYTES = 32
export const KEY_BITS = 256

const PRESENT = 1
const LENGTH_BYTES = 8
/** 01 · length · 32 bytes. */
const CHILD_BYTES = 1 + LENGTH_BYTES + HASH_BYTES
const BRANCH_BYTES = LENGTH_BYTES + 1 + 1 + 2 * CHILD_BYTES
const BRANCH_LEFT = LENGTH_BYTES + 1 + 1
/** No prefix, key, no hash; the data follows. */
const LEAF_KEY = 1 + LENGTH_BYTES
const LEAF_DATA = LEAF_KEY + KEY_BITS + 2 + LENGTH_BYTES

/** A message's place in the trie: 32 bytes of key, and the hash of its leaf. */
export interface TrieLeaf {
  readonly key: Uint8Array
  readonly leafHash: Uint8Array
}

/** The key of a message: the hash of its leaf with an empty key. Its timestamp and namespace play no part. */
export function keyOf(data: Uint8Array, hash: Hasher): Uint8Array {
  return hash(withEmptyKey(leafBytes(data)))
}

/** Key and leaf hash of a message's data. */
export function leafOf(data: Uint8Array, hash: Hasher): TrieLeaf {
  return hashLeaf(leafBytes(data), hash)
}

/** `leafOf` for many: each is laid out over the one before. */
export class LeafHashing {
  readonly #hash: Hasher
  #bytes = leafBytes(new Uint8Array(1024))

  constructor(hash: Hasher) {
    this.#hash = hash
  }

  leafOf(data: Uint8Array): TrieLeaf {
    const end = LEAF_DATA + data.length
    if (end > this.#bytes.length) this.#bytes = leafBytes(new Uint8Array(2 * data.length))
    const bytes = this.#bytes.subarray(0, end)
    // The key of the one before, and its length.
    bytes.fill(0, 0, LEAF_KEY + KEY_BITS)
    writeLength(bytes, LEAF_DATA - LENGTH_BYTES, data.length)
    bytes.set(data, LEAF_DATA)
    return hashLeaf(bytes, this.#hash)
  }
}

/** @param bytes of `leafBytes`. */
function hashLeaf(bytes: Uint8Array, hash: Hasher): TrieLeaf {
  const key = hash(withEmptyKey(bytes))
  return { key, leafHash: hash(withKey(bytes, key)) }
}

/** The bytes hashed for the leaf of `data` at the 32-byte `key`. */
export function encodeLeaf(key: Uint8Array, data: Uint8Array): Uint8Array {
  return withKey(leafBytes(data), key)
}

/** A leaf's bytes before its key is written in. */
function leafBytes(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(LEAF_DATA + data.length)
  bytes[LEAF_DATA - LENGTH_BYTES - 1] = PRESENT
  writeLength(bytes, LEAF_DATA - LENGTH_BYTES, data.length)
  bytes.set(data, LEAF_DATA)
  return bytes
}

/** The same leaf with a key of no entries is the same bytes without 256 zeros at the front, as long as there is no key:
 *  a message is laid out once for both of its hashes. */
function withEmptyKey(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(KEY_BITS)
}

function withKey(bytes: Uint8Array, key: Uint8Array): Uint8Array {
  writeLength(bytes, 1, KEY_BITS)
  for (let bit = 0; bit < KEY_BITS; bit += 1) bytes[LEAF_KEY + bit] = bitOf(key, bit)
  return bytes
}

/** The bytes hashed for a branch at `bit` (1 to 255) with two children of 32 bytes. */
export function encodeBranch(bit: number, left: Uint8Array, right: Uint8Array): Uint8Array {
  return fillBranch(newBranchBytes(), bit, left, right)
}

/** Room for `fillBranch`, with all that is the same in every branch. */
export function newBranchBytes(): Uint8Array {
  const bytes = new Uint8Array(BRANCH_BYTES)
  writeLength(bytes, 0, 1)
  for (const childAt of [BRANCH_LEFT, BRANCH_LEFT + CHILD_BYTES]) {
    bytes[childAt] = PRESENT
    writeLength(bytes, childAt + 1, HASH_BYTES)
  }
  return bytes
}

/** Where the hashes of a branch's children stand in its bytes. */
export const BRANCH_LEFT_AT = BRANCH_LEFT + 1 + LENGTH_BYTES
export const BRANCH_RIGHT_AT = BRANCH_LEFT_AT + CHILD_BYTES

export function setBranchBit(bytes: Uint8Array, bit: number): void {
  bytes[LENGTH_BYTES] = bit
}

/** Writes a branch over `bytes` of `newBranchBytes` and returns them: an insertion hashes many, one after another. */
export function fillBranch(bytes: Uint8Array, bit: number, left: Uint8Array, right: Uint8Array): Uint8Array {
  setBranchBit(bytes, bit)
  bytes.set(left, BRANCH_LEFT_AT)
  bytes.set(right, BRANCH_RIGHT_AT)
  return bytes
}

/** The bytes hashed for the root. A trie without leaves has no root hash: its root is never encoded. */
export function encodeRoot(left: Uint8Array | null, right: Uint8Array | null): Uint8Array {
  const bytes = new Uint8Array(1 + (left === null ? 1 : CHILD_BYTES) + (right === null ? 1 : CHILD_BYTES))
  let at = 1
  for (const child of [left, right]) {
    if (child !== null) {
      bytes[at] = PRESENT
      writeLength(bytes, at + 1, HASH_BYTES)
      bytes.set(child, at + 1 + LENGTH_BYTES)
    }
    at += child === null ? 1 : CHILD_BYTES
  }
  return bytes
}

/** u64 little-endian; lengths in memory are below 2^32 by far. */
function writeLength(bytes: Uint8Array, at: number, length: number): void {
  bytes[at] = length & 0xff
  bytes[at + 1] = (length >>> 8) & 0xff
  bytes[at + 2] = (length >>> 16) & 0xff
  bytes[at + 3] = length >>> 24
}

/** Bit `index` of a key (0 to 255), or of keys one after another; bit 0 is the most significant of byte 0. */
export function bitOf(key: Uint8Array, index: number): 0 | 1 {
  return (((key[index >> 3] ?? 0) >> (7 - (index & 7))) & 1) as 0 | 1
}

/** The first bit in which two keys differ, or 256 where they are equal. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  return firstDifferenceAt(a, 0, b, 0)
}

/** The same for keys that begin somewhere in longer bytes. */
export function firstDifferenceAt(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number {
  for (let byte = 0; byte < HASH_BYTES; byte += 1) {
    const difference = (a[aAt + byte] ?? 0) ^ (b[bAt + byte] ?? 0)
    if (difference !== 0) return byte * 8 + Math.clz32(difference) - 24
  }
  return KEY_BITS
}

/** The 256 entries of 0 or 1 as which JSON writes a key. */
export function keyToBits(key: Uint8Array): number[] {
  return Array.from({ length: KEY_BITS }, (_, bit) => bitOf(key, bit))
}

/** A key out of its 256 entries of 0 or 1, or undefined where they are no such thing. */
export function keyFromBits(bits: readonly number[]): Uint8Array | undefined {
  if (bits.length !== KEY_BITS) return undefined
  const key = new Uint8Array(HASH_BYTES)
  for (let bit = 0; bit < KEY_BITS; bit += 1) {
    const entry = bits[bit]
    if (entry !== 0 && entry !== 1) return undefined
    key[bit >> 3] = (key[bit >> 3] ?? 0) | (entry << (7 - (bit & 7)))
  }
  return key
}

/** Whether two hashes or keys are the same bytes. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false
  return true
}
