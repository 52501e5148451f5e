// Makes pages out of entries, and hashes what is new of their branches, round by round: those of one round do not
// depend on each other, so many can be hashed at a time.

import { firstDifferenceAt, HASH_BYTES } from './encoding.ts'
import {
  branchOffset,
  copyBytes,
  copyHash,
  ENTRY_BYTES,
  type Entry,
  hashOffset,
  PAGE_ENTRIES_MAX,
  Page,
  PageRef,
  packEntry,
  packLeaf,
  setGap,
} from './page.ts'
import type { PageSlots } from './page-slots.ts'
import { pageCostBytes, type TriePages } from './pages.ts'
import type { BranchTasks } from './ports.ts'
import type { TrieSide } from './root.ts'
import type { Slab, SlabRow } from './slab.ts'

export class PageBuilder {
  readonly #pages: TriePages
  readonly #row: SlabRow
  /** By round, from 1 on. */
  readonly #rounds: Round[] = []
  /** Hashes to be copied to the page above once they are there; of the columns only `left` and `out` are used. */
  readonly #copies = new Round()
  readonly #slabs: Slab[] = []
  #madeBytes = 0
  #madeStoredBytes = 0
  // Of the page that is being made: which entries are other than before, one bit each; of those where their hashes are
  // or will be, and after how many rounds.
  #slab: Slab | undefined
  #bytes: Uint8Array = new Uint8Array()
  #start = 0
  #changed = 0
  readonly #hashIn: Uint8Array[] = new Array<Uint8Array>(PAGE_ENTRIES_MAX).fill(this.#bytes)
  readonly #hashAt: number[] = new Array<number>(PAGE_ENTRIES_MAX).fill(0)
  readonly #level: number[] = new Array<number>(PAGE_ENTRIES_MAX).fill(0)
  // Of the node that `#branch` looked at last: where its hash is or will be, and after how many rounds.
  #nodeIn: Uint8Array = new Uint8Array()
  #nodeAt = 0
  #nodeLevel = 0

  constructor(pages: TriePages) {
    this.#pages = pages
    this.#row = pages.newRow()
  }

  /** What the pages made so far take, in bytes, about. */
  get madeBytes(): number {
    return this.#madeBytes
  }

  /** What they take in the store. */
  get madeStoredBytes(): number {
    return this.#madeStoredBytes
  }

  /** Where they lie, and nothing else does. */
  get slabs(): readonly Slab[] {
    return this.#slabs
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

  /** A page made new of the slots from `base` on, in whose place comes what stands for it: one entry, or several where
   *  it became too large.
   *  @param newest greatest height of a block that brought a leaf of the page. */
  edit(page: Page, newest: number, slots: PageSlots, base: number): void {
    if (slots.size - base > PAGE_ENTRIES_MAX) {
      const pieces = this.cut(slots.take(base, page))
      for (const piece of pieces) slots.add(piece)
    } else {
      const made = this.#edited(page, newest, slots, base)
      slots.cut(base)
      slots.add(made)
    }
  }

  /** Hashes all that is new. To be called after the last page is made, and before if that is many. */
  hash(): void {
    for (const round of this.#rounds) {
      if (round.count > 0) this.#pages.hashBranches(round)
      round.clear()
    }
    const { count, leftIn, leftAt, outIn, outAt } = this.#copies
    for (let at = 0; at < count; at += 1) {
      const [from, to] = [leftIn[at], outIn[at]]
      if (from !== undefined && to !== undefined) copyHash(from, leftAt[at] ?? 0, to, outAt[at] ?? 0)
    }
    this.#copies.clear()
  }

  #edited(page: Page, newest: number, slots: PageSlots, base: number): Entry {
    const count = slots.size - base
    let below = page.below.length === 0 ? undefined : new Array<PageRef | undefined>(count).fill(undefined)
    let newestOfAll = newest
    this.#begin(count)
    for (let at = 0; at < count; at += 1) {
      const kept = slots.keptAt(base + at)
      if (kept >= 0) {
        const run = slots.runAt(base + at)
        copyBytes(page.bytes, page.offset(kept), this.#bytes, this.#offset(at), run * ENTRY_BYTES)
        if (below !== undefined)
          for (let more = 0; more < run; more += 1) below[at + more] = page.below[kept + more]
        at += run - 1
        continue
      }
      const entry = slots.madeAt(base + at)
      if (entry === undefined) {
        const height = this.#putLeaf(slots, base + at, at)
        if (height > newestOfAll) newestOfAll = height
        continue
      }
      this.#put(entry, at)
      if (entry.newest > newestOfAll) newestOfAll = entry.newest
      if (entry.below === undefined) continue
      below ??= new Array<PageRef | undefined>(count).fill(undefined)
      below[at] = entry.below
    }
    for (let at = 1; at < count; at += 1)
      if (((this.#changed >> (at - 1)) & 3) !== 0) setGap(this.#bytes, this.#offset(at))
    return this.#finish(below, newestOfAll, count)
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
    let below: (PageRef | undefined)[] | undefined
    let newest = 0
    this.#begin(end - start)
    for (let at = start; at < end; at += 1) {
      const entry = entries[at]
      if (entry === undefined) throw new RangeError('a range of entries ends where there is one')
      this.#put(entry, at - start)
      if (at > start) setGap(this.#bytes, this.#offset(at - start))
      if (entry.newest > newest) newest = entry.newest
      if (entry.below === undefined) continue
      below ??= new Array<PageRef | undefined>(end - start).fill(undefined)
      below[at - start] = entry.below
    }
    return this.#finish(below, newest, end - start)
  }

  #begin(count: number): void {
    const { slab, start } = this.#row.room(count * ENTRY_BYTES)
    if (slab !== this.#slab) this.#slabs.push(slab)
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
    this.#markChanged(at, entry.hashIn, entry.hashAt, entry.level)
    if (entry.level === 0) return
    this.#copies.addCopy(entry.hashIn, entry.hashAt, this.#bytes, hashOffset(this.#offset(at)))
  }

  /** Returns the height of the leaf. */
  #putLeaf(slots: PageSlots, slot: number, at: number): number {
    const start = this.#offset(at)
    this.#markChanged(at, this.#bytes, hashOffset(start), 0)
    return packLeaf(this.#bytes, start, slots.leaves, slots.leafAt(slot))
  }

  #markChanged(at: number, hashIn: Uint8Array, hashAt: number, level: number): void {
    this.#changed |= 1 << at
    this.#hashIn[at] = hashIn
    this.#hashAt[at] = hashAt
    this.#level[at] = level
  }

  #finish(below: readonly (PageRef | undefined)[] | undefined, newest: number, count: number): Entry {
    const [bytes, start, slab] = [this.#bytes, this.#start, this.#slab]
    const page = new Page(bytes, below, { start, count, slab })
    const ref = new PageRef(undefined, page)
    slab?.put(ref, page)
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
      this.#nodeIn = this.#hashIn[start] ?? bytes
      this.#nodeAt = this.#hashAt[start] ?? 0
      this.#nodeLevel = this.#level[start] ?? 0
      return
    }
    const split = page.splitOf(start, end)
    this.#branch(page, start, split)
    const leftIn = this.#nodeIn
    const leftAt = this.#nodeAt
    const leftLevel = this.#nodeLevel
    this.#branch(page, split, end)
    const outAt = branchOffset(page.offset(split))
    const level = 1 + Math.max(leftLevel, this.#nodeLevel)
    const round = this.#round(level)
    round.addCopy(leftIn, leftAt, bytes, outAt)
    round.withRight(page.gap(split), this.#nodeIn, this.#nodeAt)
    this.#nodeIn = bytes
    this.#nodeAt = outAt
    this.#nodeLevel = level
  }

  #round(level: number): Round {
    let round = this.#rounds[level - 1]
    while (round === undefined) {
      this.#rounds.push(new Round())
      round = this.#rounds[level - 1]
    }
    return round
  }
}

/** Columns that are filled again and again: as objects, the tasks of a block were a seventh of all garbage. */
class Round implements BranchTasks {
  count = 0
  readonly bits: number[] = []
  readonly leftIn: Uint8Array[] = []
  readonly leftAt: number[] = []
  readonly rightIn: Uint8Array[] = []
  readonly rightAt: number[] = []
  readonly outIn: Uint8Array[] = []
  readonly outAt: number[] = []

  addCopy(leftIn: Uint8Array, leftAt: number, outIn: Uint8Array, outAt: number): void {
    const at = this.count
    this.leftIn[at] = leftIn
    this.leftAt[at] = leftAt
    this.outIn[at] = outIn
    this.outAt[at] = outAt
    this.count += 1
  }

  /** Makes the last copy a branch. */
  withRight(bit: number, rightIn: Uint8Array, rightAt: number): void {
    const at = this.count - 1
    this.bits[at] = bit
    this.rightIn[at] = rightIn
    this.rightAt[at] = rightAt
  }

  /** What was named is held until it is written over, or the builder goes. */
  clear(): void {
    this.count = 0
  }
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
