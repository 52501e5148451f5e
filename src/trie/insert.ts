// Puts a group of leaves into a trie, in one pass: every page and branch that changes is made and hashed once for the
// whole group. The shape depends on the set of keys only (canonical), so the order of leaves, the way they are grouped
// and leaves that are there already make no difference to the root.

import { entryOf, PageBuilder, sideOf } from './building.ts'
import { bitOf, encodeRoot, firstDifferenceAt, HASH_BYTES } from './encoding.ts'
import { LeafGroup, type NewLeaf } from './leaf-group.ts'
import type { Entry, Page, PageRef } from './page.ts'
import { PageSlots } from './page-slots.ts'
import { pageCostBytes, type TriePages } from './pages.ts'
import type { TrieRoot, TrieSide } from './root.ts'
import type { Slab } from './slab.ts'

/** A page is hashed as soon as it is made where it got so many leaves: what waits to be hashed is garbage that the
 *  collector copies as long as it waits, and this many keep all lanes busy. */
const hashedLeaves = 128

export interface Inserted {
  readonly root: TrieRoot
  /** Pages of the trie before that this one no longer has. */
  readonly replacedPages: readonly PageRef[]
  /** First bytes of the keys that were added, each once. */
  readonly changedBuckets: readonly number[]
  /** By how much the pages that are in memory alone take more than before, in bytes, about. */
  readonly grownBytes: number
  /** By how much all pages take more in the store than those of the trie before. */
  readonly storedGrowthBytes: number
  /** How many leaves were not there before. */
  readonly added: number
  /** Memory that this one's new pages have to themselves: what `TriePages.discard` takes back. */
  readonly slabs: readonly Slab[]
}

/**
 * The trie of the leaves of `root` and of `leaves`. Of leaves with one key the first stays, whether it was there
 * before or comes twice in the group. `root` remains as it was. Throws `TrieError` where the source lacks a page, and
 * `RangeError` for a key or leaf hash that is not 32 bytes.
 */
export function insertLeaves(root: TrieRoot, leaves: readonly NewLeaf[], pages: TriePages): Inserted {
  return insertGroup(root, LeafGroup.of(leaves), pages)
}

/** The same for a group as columns. Throws `TrieError` where the source lacks a page. */
export function insertGroup(root: TrieRoot, group: LeafGroup, pages: TriePages): Inserted {
  return new Insertion(group.sorted(), pages).into(root)
}

/** One group on its way into one trie. Ranges `[start, end)` are of the sorted leaves. */
class Insertion {
  readonly #leaves: LeafGroup
  readonly #pages: TriePages
  readonly #builder: PageBuilder
  readonly #slots: PageSlots
  readonly #replaced: PageRef[] = []
  readonly #changedBuckets: number[] = []
  #replacedBytes = 0
  #replacedStoredBytes = 0
  #added = 0

  constructor(leaves: LeafGroup, pages: TriePages) {
    this.#leaves = leaves
    this.#pages = pages
    this.#builder = new PageBuilder(pages)
    this.#slots = new PageSlots(leaves)
  }

  into(root: TrieRoot): Inserted {
    const { count } = this.#leaves
    const middle = this.#firstRight()
    const left = this.#side(root.left, 0, middle)
    const right = this.#side(root.right, middle, count)
    if (this.#added === 0) return unchanged(root)
    this.#builder.hash()
    const [leftSide, rightSide] = [left, right].map((entry) => (entry === undefined ? null : sideOf(entry)))
    return {
      root: rootOf(leftSide ?? null, rightSide ?? null, this.#pages),
      replacedPages: this.#replaced,
      changedBuckets: this.#changedBuckets,
      grownBytes: this.#builder.madeBytes - this.#replacedBytes,
      storedGrowthBytes: this.#builder.madeStoredBytes - this.#replacedStoredBytes,
      added: this.#added,
      slabs: this.#builder.slabs,
    }
  }

  #side(side: TrieSide | null, start: number, end: number): Entry | undefined {
    const base = this.#slots.size
    if (side === null) {
      this.#addLeaves(start, end)
    } else {
      const passed = this.#passed(side.key, 0, side.bit, start, end)
      const inside = this.#inside(side.key, 0, side.bit, passed, end)
      this.#addLeaves(start, passed)
      if (!this.#addBelow(side.below, side.newest, passed, inside)) this.#slots.add(entryOf(side))
      this.#addLeaves(inside, end)
    }
    return this.#builder.join(this.#slots.take(base))
  }

  /** Adds what comes in the place of a page with the leaves of the range, which all belong below it: one entry, or more
   *  where it became too large. False, and nothing added, where all of the leaves are there, as the one is that has the
   *  key of a leaf. */
  #addBelow(ref: PageRef | undefined, newest: number, start: number, end: number): boolean {
    if (ref === undefined || start === end) return false
    const page = this.#pages.load(ref)
    const base = this.#slots.size
    if (!this.#addChanged(page, start, end)) {
      this.#slots.cut(base)
      return false
    }
    this.#replaced.push(ref)
    this.#replacedStoredBytes += page.storedBytes
    if (ref.id === undefined) this.#replacedBytes += pageCostBytes(page)
    // The newer version takes its part from now on: it need not stay in memory for long.
    ref.recentlyUsed = false
    this.#builder.edit(page, newest, this.#slots, base)
    if (end - start >= hashedLeaves) {
      this.#builder.hash()
      this.#slots.markHashed(base)
    }
    return true
  }

  /** Adds the entries of a page, and the leaves of the range where they belong among and below them; whether anything
   *  came. */
  #addChanged(page: Page, start: number, end: number): boolean {
    const { bytes } = page
    let isChanged = false
    let next = start
    for (let at = 0; at < page.count; at += 1) {
      if (next === end) {
        this.#slots.addKept(at)
        continue
      }
      const keyAt = page.offset(at)
      const bit = page.bit(at)
      const passed = this.#passed(bytes, keyAt, bit, next, end)
      if (passed > next) isChanged = true
      this.#addLeaves(next, passed)
      next = this.#inside(bytes, keyAt, bit, passed, end)
      if (next > passed && this.#addBelow(page.below[at], page.newest(at), passed, next)) isChanged = true
      else this.#slots.addKept(at)
    }
    if (next < end) isChanged = true
    this.#addLeaves(next, end)
    return isChanged
  }

  /** The end of the leaves from `start` on that stand before an entry, outside of it. */
  #passed(keyIn: Uint8Array, keyAt: number, bit: number, start: number, end: number): number {
    const { keys } = this.#leaves
    for (let at = start; at < end; at += 1) {
      const difference = firstDifferenceAt(keys, at * HASH_BYTES, keyIn, keyAt)
      if (difference >= bit || bitOf(keys, 8 * HASH_BYTES * at + difference) === 1) return at
    }
    return end
  }

  /** The end of the leaves from `start` on that belong below a page, or have the key of a leaf. */
  #inside(keyIn: Uint8Array, keyAt: number, bit: number, start: number, end: number): number {
    const { keys } = this.#leaves
    let at = start
    while (at < end && firstDifferenceAt(keys, at * HASH_BYTES, keyIn, keyAt) >= bit) at += 1
    return at
  }

  #addLeaves(start: number, end: number): void {
    const { keys } = this.#leaves
    for (let at = start; at < end; at += 1) {
      const bucket = keys[at * HASH_BYTES] ?? 0
      if (this.#changedBuckets.at(-1) !== bucket) this.#changedBuckets.push(bucket)
      this.#slots.addLeaf(at)
    }
    this.#added += end - start
  }

  /** The first leaf whose key begins with a 1. */
  #firstRight(): number {
    const { count, keys } = this.#leaves
    let at = 0
    while (at < count && bitOf(keys, 8 * HASH_BYTES * at) === 0) at += 1
    return at
  }
}

function unchanged(root: TrieRoot): Inserted {
  return {
    root,
    replacedPages: [],
    changedBuckets: [],
    grownBytes: 0,
    storedGrowthBytes: 0,
    added: 0,
    slabs: [],
  }
}

/** The root over two sides, not both of them empty. */
export function rootOf(left: TrieSide | null, right: TrieSide | null, { hash }: TriePages): TrieRoot {
  return { hash: hash(encodeRoot(left?.hash ?? null, right?.hash ?? null)), left, right }
}
