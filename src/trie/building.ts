// Makes pages out of entries, and hashes what is new of their branches, round by round: those of one round do not
// depend on each other, so many can be hashed at a time.

import { firstDifferenceAt, HASH_BYTES } from './encoding.ts'
import {
  branchOffset,
  copyHash,
  ENTRY_BYTES,
  type Entry,
  hashOffset,
  PAGE_ENTRIES_MAX,
  Page,
  PageRef,
  packEntry,
  setGap,
} from './page.ts'
import { pageCostBytes, type TriePages } from './pages.ts'
import type { BranchTask } from './ports.ts'
import type { TrieSide } from './root.ts'
import { type Slab, SlabRow } from './slab.ts'

/** What changes in a page: in the place of `removed` entries (0 or 1) from `at` on come others. */
export interface Edit {
  readonly at: number
  readonly removed: number
  readonly entries: readonly Entry[]
}

export class PageBuilder {
  readonly #pages: TriePages
  readonly #row = new SlabRow()
  /** By round, from 1 on. */
  readonly #rounds: BranchTask[][] = []
  /** Hashes to be copied to the page above once they are there. */
  readonly #copies: Omit<BranchTask, 'bit' | 'rightIn' | 'rightAt'>[] = []
  #madeBytes = 0
  #madeStoredBytes = 0
  // Of the page that is being made: which entries are other than before, one bit each, and where their hashes are.
  #slab: Slab | undefined
  #bytes: Uint8Array = new Uint8Array()
  #start = 0
  #changed = 0
  readonly #entries: (Entry | undefined)[] = new Array<Entry | undefined>(PAGE_ENTRIES_MAX).fill(undefined)
  // Of the node that `#branch` looked at last: where its hash is or will be, and after how many rounds.
  #nodeIn: Uint8Array = new Uint8Array()
  #nodeAt = 0
  #nodeLevel = 0

  constructor(pages: TriePages) {
    this.#pages = pages
  }

  /** What the pages made so far take, in bytes, about. */
  get madeBytes(): number {
    return this.#madeBytes
  }

  /** What they take in the store. */
  get madeStoredBytes(): number {
    return this.#madeStoredBytes
  }

  /** One entry that stands for these, which ascend by key; none for none. */
  join(entries: readonly Entry[]): Entry | undefined {
    let list = entries
    // Each turn makes at least one page of several entries: fewer remain.
    while (list.length > 1) list = this.cut(list)
    return list[0]
  }

  /** The same entries in as few pages as hold them: one, or several of which none is below another. A single entry
   *  stays as it is. */
  cut(entries: readonly Entry[]): Entry[] {
    const gaps = new Uint8Array(entries.length)
    for (let at = 1; at < entries.length; at += 1) gaps[at] = gapBetween(entries[at - 1], entries[at])
    const pieces: Entry[] = []
    this.#cutRange(entries, gaps, { start: 0, end: entries.length, pieces })
    return pieces
  }

  /** A page with edits, ascending by place: one entry, or several where it became too large.
   *  @param newest greatest height of a block that brought a leaf of the page. */
  edited(page: Page, newest: number, edits: readonly Edit[]): Entry[] {
    let count = page.count
    for (const { removed, entries } of edits) count += entries.length - removed
    if (count > PAGE_ENTRIES_MAX) return this.cut(unpacked(page, edits))

    const below: (PageRef | undefined)[] = []
    let newestOfAll = newest
    let [from, to] = [0, 0]
    this.#begin(count)
    const keep = (end: number) => {
      if (from < end)
        this.#bytes.set(page.bytes.subarray(page.offset(from), page.offset(end)), this.#offset(to))
      for (; from < end; from += 1, to += 1) below.push(page.below[from])
    }
    for (const { at, removed, entries } of edits) {
      keep(at)
      for (const entry of entries) {
        this.#put(entry, to)
        if (entry.newest > newestOfAll) newestOfAll = entry.newest
        below.push(entry.below)
        to += 1
      }
      from = at + removed
    }
    keep(page.count)
    for (let at = 1; at < count; at += 1)
      if (((this.#changed >> (at - 1)) & 3) !== 0) setGap(this.#bytes, this.#offset(at))
    return [this.#finish(below, newestOfAll, count)]
  }

  /** Hashes all that is new. To be called after the last page is made, and before if that is many. */
  hash(): void {
    for (const tasks of this.#rounds) {
      this.#pages.hashBranches(tasks)
      tasks.length = 0
    }
    for (const { leftIn, leftAt, outIn, outAt } of this.#copies) copyHash(leftIn, leftAt, outIn, outAt)
    this.#copies.length = 0
  }

  /** The same entries, with their hashes. */
  hashed(entries: readonly Entry[]): Entry[] {
    this.hash()
    return entries.map((entry) => (entry.level === 0 ? entry : { ...entry, level: 0 }))
  }

  #cutRange(
    entries: readonly Entry[],
    gaps: Uint8Array,
    { start, end, pieces }: { start: number; end: number; pieces: Entry[] },
  ): void {
    const count = end - start
    const first = entries[start]
    if (first === undefined) return
    if (count === 1) pieces.push(first.isChanged ? first : { ...first, isChanged: true })
    else if (count <= PAGE_ENTRIES_MAX) pieces.push(this.#makePage(entries, start, end))
    else {
      let split = start + 1
      for (let at = start + 2; at < end; at += 1) if ((gaps[at] ?? 0) < (gaps[split] ?? 0)) split = at
      this.#cutRange(entries, gaps, { start, end: split, pieces })
      this.#cutRange(entries, gaps, { start: split, end, pieces })
    }
  }

  #makePage(entries: readonly Entry[], start: number, end: number): Entry {
    const below: (PageRef | undefined)[] = []
    let newest = 0
    this.#begin(end - start)
    for (let at = start; at < end; at += 1) {
      const entry = entries[at]
      if (entry === undefined) throw new RangeError('a range of entries ends where there is one')
      this.#put(entry, at - start)
      if (at > start) setGap(this.#bytes, this.#offset(at - start))
      if (entry.newest > newest) newest = entry.newest
      below.push(entry.below)
    }
    return this.#finish(below, newest, end - start)
  }

  #begin(count: number): void {
    const { slab, start } = this.#row.room(count * ENTRY_BYTES)
    this.#slab = slab
    this.#bytes = slab.bytes
    this.#start = start
    this.#changed = 0
  }

  /** Where entry `at` of the page that is being made lies. */
  #offset(at: number): number {
    return this.#start + at * ENTRY_BYTES
  }

  #put(entry: Entry, at: number): void {
    packEntry(this.#bytes, this.#offset(at), entry)
    if (!entry.isChanged) return
    this.#changed |= 1 << at
    this.#entries[at] = entry
    if (entry.level === 0) return
    const [outIn, outAt] = [this.#bytes, hashOffset(this.#offset(at))]
    this.#copies.push({ leftIn: entry.hashIn, leftAt: entry.hashAt, outIn, outAt })
  }

  #finish(below: readonly (PageRef | undefined)[], newest: number, count: number): Entry {
    const [bytes, start] = [this.#bytes, this.#start]
    const page = new Page(bytes, below.some((ref) => ref !== undefined) ? below : undefined, { start, count })
    const ref = new PageRef(undefined, page)
    this.#slab?.put(ref, page)
    this.#branch(page, 0, page.count)
    this.#madeBytes += pageCostBytes(page)
    this.#madeStoredBytes += page.storedBytes
    return {
      keyIn: bytes,
      keyAt: start,
      hashIn: this.#nodeIn,
      hashAt: this.#nodeAt,
      branchIn: undefined,
      branchAt: 0,
      newest,
      index: 0,
      bit: page.ownBit,
      below: ref,
      isChanged: true,
      level: this.#nodeLevel,
    }
  }

  /** Plans the hashing of a range's branches, and says of its own what the fields of the node hold. */
  #branch(page: Page, start: number, end: number): void {
    const { bytes } = page
    const isChanged = ((this.#changed >> start) & ((1 << (end - start)) - 1)) !== 0
    if (!isChanged) {
      this.#nodeIn = bytes
      this.#nodeAt = page.hashAt(start, end)
      this.#nodeLevel = 0
      return
    }
    if (end - start === 1) {
      const entry = this.#entries[start]
      if (entry === undefined) throw new RangeError('an entry that changed was put there')
      this.#nodeIn = entry.hashIn
      this.#nodeAt = entry.hashAt
      this.#nodeLevel = entry.level
      return
    }
    const split = page.splitOf(start, end)
    this.#branch(page, start, split)
    const [leftIn, leftAt, leftLevel] = [this.#nodeIn, this.#nodeAt, this.#nodeLevel]
    this.#branch(page, split, end)
    const [rightIn, rightAt] = [this.#nodeIn, this.#nodeAt]
    const [outIn, outAt] = [bytes, branchOffset(page.offset(split))]
    const level = 1 + Math.max(leftLevel, this.#nodeLevel)
    while (this.#rounds.length < level) this.#rounds.push([])
    this.#rounds[level - 1]?.push({ bit: page.gap(split), leftIn, leftAt, rightIn, rightAt, outIn, outAt })
    this.#nodeIn = outIn
    this.#nodeAt = outAt
    this.#nodeLevel = level
  }
}

/** The entries of a page with edits. */
function unpacked(page: Page, edits: readonly Edit[]): Entry[] {
  const all: Entry[] = []
  let from = 0
  for (const { at, removed, entries } of edits) {
    for (; from < at; from += 1) all.push(page.entry(from))
    all.push(...entries)
    from = at + removed
  }
  for (; from < page.count; from += 1) all.push(page.entry(from))
  return all
}

/** The side of a root that an entry is, after `hash`. */
export function sideOf(entry: Entry): TrieSide {
  const { keyIn, keyAt, hashIn, hashAt, newest, index, bit, below } = entry
  return {
    key: keyIn.slice(keyAt, keyAt + HASH_BYTES),
    hash: hashIn.slice(hashAt, hashAt + HASH_BYTES),
    newest,
    index,
    bit,
    below,
  }
}

/** The entry that a side of a root is. */
export function entryOf({ key, hash, newest, index, bit, below }: TrieSide): Entry {
  return {
    keyIn: key,
    keyAt: 0,
    hashIn: hash,
    hashAt: 0,
    branchIn: undefined,
    branchAt: 0,
    newest,
    index,
    bit,
    below,
    isChanged: false,
    level: 0,
  }
}

/** The first bit in which the keys of two neighbours differ. */
function gapBetween(left: Entry | undefined, right: Entry | undefined): number {
  if (left === undefined || right === undefined) return 0
  return firstDifferenceAt(left.keyIn, left.keyAt, right.keyIn, right.keyAt)
}
