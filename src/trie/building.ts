// Makes pages out of entries, and hashes what is new of their branches, round by round: those of one round do not
// depend on each other, so many can be hashed at a time.

import { firstDifferenceAt, HASH_BYTES, KEY_BITS } from './encoding.ts'
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
} from './page.ts'
import { pageCostBytes, type TriePages } from './pages.ts'
import type { BranchTask } from './ports.ts'
import type { TrieSide } from './root.ts'

export class PageBuilder {
  readonly #pages: TriePages
  /** By round, from 1 on. */
  readonly #rounds: BranchTask[][] = []
  /** Hashes to be copied to the page above once they are there. */
  readonly #copies: Omit<BranchTask, 'bit' | 'rightIn' | 'rightAt'>[] = []
  #madeBytes = 0
  // Of the node that `#branch` looked at last: where its hash is or will be, after how many rounds, and whether it is
  // another than before.
  #nodeIn: Uint8Array = new Uint8Array()
  #nodeAt = 0
  #nodeLevel = 0
  #isNodeChanged = false

  constructor(pages: TriePages) {
    this.#pages = pages
  }

  /** What the pages made so far take, in bytes, about. */
  get madeBytes(): number {
    return this.#madeBytes
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

  /** Hashes all that is new. To be called once, after the last `join`. */
  hash(): void {
    for (const tasks of this.#rounds) this.#pages.hashBranches(tasks)
    for (const { leftIn, leftAt, outIn, outAt } of this.#copies) copyHash(leftIn, leftAt, outIn, outAt)
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
    else if (count <= PAGE_ENTRIES_MAX) pieces.push(this.#makePage(entries, gaps, start, end))
    else {
      const split = splitOf(gaps, start, end)
      this.#cutRange(entries, gaps, { start, end: split, pieces })
      this.#cutRange(entries, gaps, { start: split, end, pieces })
    }
  }

  #makePage(entries: readonly Entry[], gaps: Uint8Array, start: number, end: number): Entry {
    const bytes = new Uint8Array((end - start) * ENTRY_BYTES)
    let below: (PageRef | undefined)[] | undefined
    let newest = 0
    for (let at = start; at < end; at += 1) {
      const entry = entries[at]
      if (entry === undefined) throw new RangeError('a range of entries ends where there is one')
      packEntry(bytes, at - start, entry, at === start ? 0 : (gaps[at] ?? 0))
      if (entry.newest > newest) newest = entry.newest
      if (entry.bit < KEY_BITS) {
        below ??= new Array<PageRef | undefined>(end - start).fill(undefined)
        below[at - start] = entry.below
      }
      if (entry.level > 0) {
        const [outIn, outAt] = [bytes, hashOffset(at - start)]
        this.#copies.push({ leftIn: entry.hashIn, leftAt: entry.hashAt, outIn, outAt })
      }
    }
    this.#branch({ entries, gaps, bytes, first: start }, start, end)
    const page = below === undefined ? new Page(bytes) : new Page(bytes, below)
    this.#madeBytes += pageCostBytes(page)
    return {
      keyIn: bytes,
      keyAt: 0,
      hashIn: this.#nodeIn,
      hashAt: this.#nodeAt,
      branchIn: undefined,
      branchAt: 0,
      newest,
      index: 0,
      bit: gaps[splitOf(gaps, start, end)] ?? 0,
      below: new PageRef(undefined, page),
      isChanged: true,
      level: this.#nodeLevel,
    }
  }

  /** Plans the hashing of a range's branches, and says of its own what the fields of the node hold. */
  #branch(piece: Piece, start: number, end: number): void {
    const { entries, gaps, bytes, first } = piece
    if (end - start === 1) {
      const entry = entries[start]
      if (entry === undefined) throw new RangeError('a range of entries ends where there is one')
      this.#nodeIn = entry.hashIn
      this.#nodeAt = entry.hashAt
      this.#nodeLevel = entry.level
      this.#isNodeChanged = entry.isChanged
      return
    }
    const split = splitOf(gaps, start, end)
    this.#branch(piece, start, split)
    const [leftIn, leftAt, leftLevel, isLeftChanged] = [
      this.#nodeIn,
      this.#nodeAt,
      this.#nodeLevel,
      this.#isNodeChanged,
    ]
    this.#branch(piece, split, end)
    const [outIn, outAt] = [bytes, branchOffset(split - first)]
    if (isLeftChanged || this.#isNodeChanged) {
      const level = 1 + Math.max(leftLevel, this.#nodeLevel)
      const [rightIn, rightAt] = [this.#nodeIn, this.#nodeAt]
      const task = { bit: gaps[split] ?? 0, leftIn, leftAt, rightIn, rightAt, outIn, outAt }
      while (this.#rounds.length < level) this.#rounds.push([])
      this.#rounds[level - 1]?.push(task)
      this.#nodeLevel = level
      this.#isNodeChanged = true
    }
    this.#nodeIn = outIn
    this.#nodeAt = outAt
  }
}

interface Piece {
  readonly entries: readonly Entry[]
  readonly gaps: Uint8Array
  readonly bytes: Uint8Array
  /** Index of the page's first entry. */
  readonly first: number
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

function splitOf(gaps: Uint8Array, start: number, end: number): number {
  let split = start + 1
  for (let at = start + 2; at < end; at += 1) if ((gaps[at] ?? 0) < (gaps[split] ?? 0)) split = at
  return split
}
