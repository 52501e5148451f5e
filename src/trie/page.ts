// The trie cut into pages. A page is a connected piece of it: up to sixteen entries in the order of their keys, each a
// leaf or a page further down, and the branches that join them. The shape of the piece follows from the bit at which
// each two neighbours part: the branch of a range of entries is at the smallest of them, which there is once only. So a
// page of n entries has n − 1 branches, each kept beside the entry at its right.
//
// In memory and in the store a page is the same bytes, 110 for each entry (in memory somewhere in a slab's, slab.ts):
//
//   key 32 · hash 32 · hash of the branch at its left 32 · bit of that branch u8
//   · 0 for a leaf, for a page the bit of its own first branch u8 · newest height below u48 · of a leaf the index u32 and
//   two zeros, of a page its number u48
//
// The key of a page is that of any leaf below: all of them agree before the page's bit.

import { bitOf, firstDifferenceAt, HASH_BYTES, KEY_BITS } from './encoding.ts'
import type { LeafGroup } from './leaf-group.ts'
import { PAGE_LENGTH_BYTES, PAGE_ROOM_BYTES } from './ports.ts'
import type { Slab } from './slab.ts'

export const PAGE_ENTRIES_MAX = 16
export const ENTRY_BYTES = 110

const HASH = HASH_BYTES
const BRANCH = 2 * HASH_BYTES
const GAP = 3 * HASH_BYTES
const BIT = GAP + 1
const NEWEST = BIT + 1
const INDEX = NEWEST + 6

/** A page by its place. What it stands for never changes; whether it is in memory or in the store does. */
export class PageRef {
  /** Its number in the store; undefined until it was given to be written. */
  id: number | undefined
  /** Undefined while it is in the store only. */
  page: Page | undefined
  recentlyUsed = false
  /** There is a newer version, and none of the latest trie leads to this one. */
  isReplaced = false
  /** Its place among those that can be let go (`TriePages`); undefined while it is not one of them. */
  ringAt: number | undefined
  /** Where its page lies, while it counts there; undefined where the page has bytes of its own. */
  slab: Slab | undefined
  /** Its place there. */
  slabAt = 0

  constructor(id: number | undefined, page: Page | undefined) {
    this.id = id
    this.page = page
  }
}

/** One place of a page, unpacked. Hashes and keys are named by where they lie, to be copied once. */
export interface Entry {
  readonly keyIn: Uint8Array
  readonly keyAt: number
  readonly hashIn: Uint8Array
  readonly hashAt: number
  /** The branch at its left, where it comes from a page and nothing between it and its neighbour changed. */
  readonly branchIn: Uint8Array | undefined
  readonly branchAt: number
  /** Greatest height of a block that brought a leaf; a leaf's own. */
  readonly newest: number
  /** A leaf's position in its block's sequence. */
  readonly index: number
  /** First bit at which the leaves below differ; 256 for a leaf. */
  readonly bit: number
  /** Undefined for a leaf. */
  readonly below: PageRef | undefined
  /** Branches above have to be hashed again. */
  readonly isChanged: boolean
  /** Rounds of hashing until its hash is there; 0 where it is. */
  level: number
}

interface PagePlace {
  readonly start: number
  readonly count: number
  readonly slab: Slab | undefined
}

const NO_PAGES: readonly (PageRef | undefined)[] = []

export class Page {
  readonly bytes: Uint8Array
  /** Where its first entry lies in `bytes`. */
  readonly start: number
  readonly count: number
  /** By entry; empty where all are leaves. */
  readonly below: readonly (PageRef | undefined)[]
  readonly #slab: Slab | undefined
  readonly #use: number

  /** @param place of its entries, and the slab that they lie in, if any. */
  constructor(
    bytes: Uint8Array,
    below: readonly (PageRef | undefined)[] = NO_PAGES,
    place: PagePlace = { start: 0, count: bytes.length / ENTRY_BYTES, slab: undefined },
  ) {
    this.bytes = bytes
    this.start = place.start
    this.count = place.count
    this.below = below
    this.#slab = place.slab
    this.#use = place.slab?.uses ?? 0
  }

  /** Other pages lie where it did: it was of a trie that is no longer kept. */
  get isGone(): boolean {
    return this.#slab !== undefined && this.#slab.uses !== this.#use
  }

  /** Where entry `at` lies in `bytes`. */
  offset(at: number): number {
    return this.start + at * ENTRY_BYTES
  }

  /** First bit at which the leaves below entry `at` differ; 256 for a leaf. */
  bit(at: number): number {
    const bit = this.bytes[this.offset(at) + BIT] ?? 0
    return bit === 0 ? KEY_BITS : bit
  }

  /** Greatest height of a block that brought a leaf below entry `at`. */
  newest(at: number): number {
    return readU48(this.bytes, this.offset(at) + NEWEST)
  }

  /** Bytes that it takes in the log. */
  get storedBytes(): number {
    return this.count * ENTRY_BYTES + PAGE_ROOM_BYTES
  }

  /** First bit at which the leaves of a page of two entries at least differ. */
  get ownBit(): number {
    return this.gap(this.splitOf(0, this.count))
  }

  /** The entry to which the bits of `key` lead, whatever the others are.
   *  @param onBranch called with each range on the way, and where its branch splits it. */
  onPath(key: Uint8Array, onBranch?: (start: number, split: number, end: number) => void): number {
    let [start, end] = [0, this.count]
    while (end - start > 1) {
      const split = this.splitOf(start, end)
      onBranch?.(start, split, end)
      if (bitOf(key, this.gap(split)) === 0) end = split
      else start = split
    }
    return start
  }

  entry(at: number): Entry {
    const start = this.offset(at)
    const { bytes } = this
    const bit = bytes[start + BIT] ?? 0
    return {
      keyIn: bytes,
      keyAt: start,
      hashIn: bytes,
      hashAt: start + HASH,
      branchIn: bytes,
      branchAt: start + BRANCH,
      newest: readU48(bytes, start + NEWEST),
      index: bit === 0 ? readU32(bytes, start + INDEX) : 0,
      bit: bit === 0 ? KEY_BITS : bit,
      below: bit === 0 ? undefined : this.below[at],
      isChanged: false,
      level: 0,
    }
  }

  /** Bit of the branch at the left of entry `at`, from 1 on. */
  gap(at: number): number {
    return this.bytes[this.offset(at) + GAP] ?? 0
  }

  /** The entry at whose left the branch of the range `[start, end)` is, of two entries at least. */
  splitOf(start: number, end: number): number {
    let split = start + 1
    for (let at = start + 2; at < end; at += 1) if (this.gap(at) < this.gap(split)) split = at
    return split
  }

  /** Where the hash of the node of a range lies in `bytes`: its branch, or its one entry. */
  hashAt(start: number, end: number): number {
    if (end - start === 1) return hashOffset(this.offset(start))
    return branchOffset(this.offset(this.splitOf(start, end)))
  }

  /** A copy of the hash of the branch at the left of entry `at`, from 1 on. */
  branchHash(at: number): Uint8Array {
    const start = branchOffset(this.offset(at))
    return this.bytes.slice(start, start + HASH_BYTES)
  }

  /** A copy of the hash of the node of a range. */
  hashOf(start: number, end: number): Uint8Array {
    const at = this.hashAt(start, end)
    return this.bytes.slice(at, at + HASH_BYTES)
  }
}

/** Writes an entry to where it begins, its hash too where that is known; `setGap` goes with it. */
export function packEntry(bytes: Uint8Array, start: number, entry: Entry): void {
  copyHash(entry.keyIn, entry.keyAt, bytes, start)
  if (entry.level === 0) copyHash(entry.hashIn, entry.hashAt, bytes, start + HASH)
  if (entry.branchIn !== undefined) copyHash(entry.branchIn, entry.branchAt, bytes, start + BRANCH)
  bytes[start + BIT] = entry.bit === KEY_BITS ? 0 : entry.bit
  writeU48(bytes, start + NEWEST, entry.newest)
  if (entry.below === undefined) writeIndex(bytes, start, entry.index)
  else if (entry.below.id !== undefined) writeU48(bytes, start + INDEX, entry.below.id)
}

/** Writes leaf `at` of a group to where an entry begins, and says of which height it is; `setGap` goes with it. */
export function packLeaf(bytes: Uint8Array, start: number, leaves: LeafGroup, at: number): number {
  const height = leaves.heightAt(at)
  copyHash(leaves.keys, at * HASH_BYTES, bytes, start)
  copyHash(leaves.hashes, at * HASH_BYTES, bytes, start + HASH)
  bytes[start + BIT] = 0
  writeU48(bytes, start + NEWEST, height)
  writeIndex(bytes, start, leaves.indexAt(at))
  return height
}

/** With the two zeros behind it: the memory may have been another page's. */
function writeIndex(bytes: Uint8Array, start: number, index: number): void {
  writeU32(bytes, start + INDEX, index)
  bytes[start + INDEX + 4] = 0
  bytes[start + INDEX + 5] = 0
}

/** Writes the bit of the branch at the left of the entry that begins at `start`, not a page's first; both keys are there. */
export function setGap(bytes: Uint8Array, start: number): void {
  bytes[start + GAP] = firstDifferenceAt(bytes, start - ENTRY_BYTES, bytes, start)
}

/** Where the hash of the entry that begins at `start` lies, and that of the branch at its left. */
export function hashOffset(start: number): number {
  return start + HASH
}

export function branchOffset(start: number): number {
  return start + BRANCH
}

/** Writes a page as the log has it, once every page below has its number. */
export function packPage(bytes: Uint8Array, start: number, page: Page): void {
  const sizeBytes = page.count * ENTRY_BYTES
  bytes[start] = sizeBytes >>> 8
  bytes[start + 1] = sizeBytes
  const first = start + PAGE_LENGTH_BYTES
  copyBytes(page.bytes, page.start, bytes, first, sizeBytes)
  for (let at = 0; at < page.below.length; at += 1) {
    const ref = page.below[at]
    if (ref === undefined) continue
    if (ref.id === undefined) throw new RangeError('a page is written before one below it')
    writeU48(bytes, first + at * ENTRY_BYTES + INDEX, ref.id)
  }
}

/** The page of stored bytes; undefined where they are none.
 *  @param place where they begin, and in which slab. */
export function decodePage(
  bytes: Uint8Array,
  { start, sizeBytes, slab }: { start: number; sizeBytes: number; slab: Slab | undefined } = {
    start: 0,
    sizeBytes: bytes.length,
    slab: undefined,
  },
): Page | undefined {
  const count = sizeBytes / ENTRY_BYTES
  if (!Number.isInteger(count) || count < 1 || count > PAGE_ENTRIES_MAX) return undefined
  let below: (PageRef | undefined)[] | undefined
  for (let at = 0; at < count; at += 1) {
    const entryAt = start + at * ENTRY_BYTES
    if (bytes[entryAt + BIT] === 0) continue
    below ??= new Array<PageRef | undefined>(count).fill(undefined)
    below[at] = new PageRef(readU48(bytes, entryAt + INDEX), undefined)
  }
  return new Page(bytes, below, { start, count, slab })
}

/** For more than a few hashes. `Buffer` copies what is no `Buffer` as well, without a view of either. */
export function copyBytes(
  from: Uint8Array,
  fromAt: number,
  to: Uint8Array,
  toAt: number,
  sizeBytes: number,
): void {
  Buffer.prototype.copy.call(from, to, toAt, fromAt, fromAt + sizeBytes)
}

export function copyHash(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number): void {
  // A loop: for 32 bytes `set` and `copyWithin` cost several times as much, with the view that they need.
  for (let byte = 0; byte < HASH_BYTES; byte += 1) to[toAt + byte] = from[fromAt + byte] ?? 0
}

function readU32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0
  )
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

/** Heights and page numbers: 2^48 of them are eight thousand years of a thousand a second. */
function readU48(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0)) * 2 ** 32 + readU32(bytes, at + 2)
}

function writeU48(bytes: Uint8Array, at: number, value: number): void {
  if (value >= 2 ** 48) throw new RangeError(`${value} is above the heights and numbers that a page can name`)
  const high = Math.floor(value / 2 ** 32)
  bytes[at] = high >>> 8
  bytes[at + 1] = high
  writeU32(bytes, at + 2, value)
}
