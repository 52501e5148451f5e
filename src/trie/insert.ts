// Puts a group of leaves into a trie, in one pass: every page and branch that changes is made and hashed once for the
// whole group. The shape depends on the set of keys only (canonical), so the order of leaves, the way they are grouped
// and leaves that are there already make no difference to the root.

import { type Edit, entryOf, PageBuilder, sideOf } from './building.ts'
import { bitOf, encodeRoot, firstDifferenceAt, HASH_BYTES, KEY_BITS } from './encoding.ts'
import { ENTRY_BYTES, type Entry, type Page, type PageRef } from './page.ts'
import { pageCostBytes, type TriePages } from './pages.ts'
import type { LeafReference } from './ports.ts'
import type { TrieRoot, TrieSide } from './root.ts'

export interface NewLeaf {
  readonly key: Uint8Array
  readonly leafHash: Uint8Array
  readonly reference: LeafReference
}

export interface Inserted {
  readonly root: TrieRoot
  /** Pages of the trie before that this one no longer has. */
  readonly replacedPages: readonly PageRef[]
  /** First bytes of the keys that were added, each once. */
  readonly changedBuckets: readonly number[]
  /** By how much the pages that are in memory alone take more than before, in bytes, about. */
  readonly grownBytes: number
  /** How many leaves were not there before. */
  readonly added: number
}

/**
 * The trie of the leaves of `root` and of `leaves`. Of leaves with one key the first stays, whether it was there
 * before or comes twice in the group. `root` remains as it was. Throws `TrieError` where the source lacks a page, and
 * `RangeError` for a key or leaf hash that is not 32 bytes.
 */
export function insertLeaves(root: TrieRoot, leaves: readonly NewLeaf[], pages: TriePages): Inserted {
  return new Insertion(inOrder(leaves), pages).into(root)
}

/** Sorted by key, each key once. */
function inOrder(leaves: readonly NewLeaf[]): NewLeaf[] {
  const ranked = leaves.map((leaf) => {
    if (leaf.key.length !== HASH_BYTES || leaf.leafHash.length !== HASH_BYTES) {
      throw new RangeError('the key and the hash of a leaf have 32 bytes each')
    }
    return { leaf, rank: rankOf(leaf.key) }
  })
  // The sort is stable: of equal keys the first given stays first.
  ranked.sort((a, b) => a.rank - b.rank || compareKeys(a.leaf.key, b.leaf.key))
  const sorted: NewLeaf[] = []
  for (const { leaf } of ranked) {
    const previous = sorted.at(-1)
    if (previous === undefined || compareKeys(previous.key, leaf.key) !== 0) sorted.push(leaf)
  }
  return sorted
}

/** The first six bytes of a key: they tell nearly all keys apart, and one number is compared faster than bytes. */
function rankOf(key: Uint8Array): number {
  let rank = 0
  for (let index = 0; index < 6; index += 1) rank = rank * 256 + (key[index] ?? 0)
  return rank
}

function compareKeys(a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < HASH_BYTES; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** One group on its way into one trie. Ranges `[start, end)` are of the sorted leaves. */
class Insertion {
  readonly #leaves: readonly NewLeaf[]
  readonly #pages: TriePages
  readonly #builder: PageBuilder
  readonly #replaced: PageRef[] = []
  readonly #changedBuckets: number[] = []
  #replacedBytes = 0
  #added = 0

  constructor(leaves: readonly NewLeaf[], pages: TriePages) {
    this.#leaves = leaves
    this.#pages = pages
    this.#builder = new PageBuilder(pages)
  }

  into(root: TrieRoot): Inserted {
    const count = this.#leaves.length
    const middle = this.#firstRight()
    const left = this.#side(root.left, 0, middle)
    const right = this.#side(root.right, middle, count)
    if (this.#added === 0) return { root, replacedPages: [], changedBuckets: [], grownBytes: 0, added: 0 }
    this.#builder.hash()
    const [leftSide, rightSide] = [left, right].map((entry) => (entry === undefined ? null : sideOf(entry)))
    return {
      root: rootOf(leftSide ?? null, rightSide ?? null, this.#pages),
      replacedPages: this.#replaced,
      changedBuckets: this.#changedBuckets,
      grownBytes: this.#builder.madeBytes - this.#replacedBytes,
      added: this.#added,
    }
  }

  #side(side: TrieSide | null, start: number, end: number): Entry | undefined {
    if (side === null) return this.#builder.join(this.#leavesOf(start, end))
    const entry = entryOf(side)
    const passed = this.#passed(side.key, 0, side.bit, start, end)
    const inside = this.#inside(side.key, 0, side.bit, passed, end)
    const below = this.#below(entry.below, side.newest, passed, inside) ?? [entry]
    return this.#builder.join([...this.#leavesOf(start, passed), ...below, ...this.#leavesOf(inside, end)])
  }

  /** A page with the leaves of the range, which all belong below it: one entry, or more where it became too large;
   *  undefined where all of the leaves are there, as the one is that has the key of a leaf. */
  #below(ref: PageRef | undefined, newest: number, start: number, end: number): Entry[] | undefined {
    if (ref === undefined || start === end) return undefined
    const page = this.#pages.load(ref)
    const edits = this.#editsOf(page, start, end)
    if (edits.length === 0) return undefined
    this.#replaced.push(ref)
    if (ref.id === undefined) this.#replacedBytes += pageCostBytes(page)
    // The newer version takes its part from now on: it need not stay in memory for long.
    ref.recentlyUsed = false
    return this.#builder.edited(page, newest, edits)
  }

  /** Where in a page the leaves of the range belong. */
  #editsOf(page: Page, start: number, end: number): Edit[] {
    const edits: Edit[] = []
    const { bytes } = page
    let next = start
    for (let at = 0; at < page.count && next < end; at += 1) {
      const keyAt = at * ENTRY_BYTES
      const bit = page.bit(at)
      const passed = this.#passed(bytes, keyAt, bit, next, end)
      if (passed > next) edits.push({ at, removed: 0, entries: this.#leavesOf(next, passed) })
      next = this.#inside(bytes, keyAt, bit, passed, end)
      if (next === passed || bit === KEY_BITS) continue
      const entries = this.#below(page.below[at], page.newest(at), passed, next)
      if (entries !== undefined) edits.push({ at, removed: 1, entries })
    }
    if (next < end) edits.push({ at: page.count, removed: 0, entries: this.#leavesOf(next, end) })
    return edits
  }

  /** The end of the leaves from `start` on that stand before an entry, outside of it. */
  #passed(keyIn: Uint8Array, keyAt: number, bit: number, start: number, end: number): number {
    for (let at = start; at < end; at += 1) {
      const { key } = this.#at(at)
      const difference = firstDifferenceAt(key, 0, keyIn, keyAt)
      if (difference >= bit || bitOf(key, difference) === 1) return at
    }
    return end
  }

  /** The end of the leaves from `start` on that belong below a page, or have the key of a leaf. */
  #inside(keyIn: Uint8Array, keyAt: number, bit: number, start: number, end: number): number {
    let at = start
    while (at < end && firstDifferenceAt(this.#at(at).key, 0, keyIn, keyAt) >= bit) at += 1
    return at
  }

  #leavesOf(start: number, end: number): Entry[] {
    const entries: Entry[] = []
    for (let at = start; at < end; at += 1) entries.push(this.#leaf(at))
    return entries
  }

  #leaf(at: number): Entry {
    const { key, leafHash, reference } = this.#at(at)
    this.#added += 1
    const bucket = key[0] ?? 0
    if (this.#changedBuckets.at(-1) !== bucket) this.#changedBuckets.push(bucket)
    return {
      keyIn: key,
      keyAt: 0,
      hashIn: leafHash,
      hashAt: 0,
      branchIn: undefined,
      branchAt: 0,
      newest: reference.height,
      index: reference.index,
      bit: KEY_BITS,
      below: undefined,
      isChanged: true,
      level: 0,
    }
  }

  /** The first leaf whose key begins with a 1. */
  #firstRight(): number {
    let at = 0
    while (at < this.#leaves.length && bitOf(this.#at(at).key, 0) === 0) at += 1
    return at
  }

  #at(index: number): NewLeaf {
    const leaf = this.#leaves[index]
    if (leaf === undefined) throw new RangeError(`no leaf ${index} in a group of ${this.#leaves.length}`)
    return leaf
  }
}

/** The root over two sides, not both of them empty. */
export function rootOf(left: TrieSide | null, right: TrieSide | null, { hash }: TriePages): TrieRoot {
  return { hash: hash(encodeRoot(left?.hash ?? null, right?.hash ?? null)), left, right }
}
