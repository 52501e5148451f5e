// What a page is to consist of, slot by slot in the order of keys: entries of the page before, leaves of a group, and what
// was made. One stack for all pages of an insertion, since what is below a page is done before the page is: as objects,
// one for each leaf and each change of a page, this was a third of an insertion's garbage.

import { HASH_BYTES, KEY_BITS } from './encoding.ts'
import type { LeafGroup } from './leaf-group.ts'
import { type Entry, PAGE_ENTRIES_MAX, type Page } from './page.ts'

/** Of a slot whose entry is in the other column: no place in a page. */
const MADE = PAGE_ENTRIES_MAX

export class PageSlots {
  readonly leaves: LeafGroup
  /** Of an entry of the page before: its place there. Of leaf 0, 1, 2 …: −1, −2, −3 … */
  readonly #codes: number[] = []
  readonly #entries: (Entry | undefined)[] = []
  #size = 0

  constructor(leaves: LeafGroup) {
    this.leaves = leaves
  }

  /** How many slots there are, of all pages under way. */
  get size(): number {
    return this.#size
  }

  /** Adds entry `at` of the page before. */
  addKept(at: number): void {
    this.#codes[this.#size] = at
    this.#size += 1
  }

  /** Adds leaf `at` of the group. */
  addLeaf(at: number): void {
    this.#codes[this.#size] = -1 - at
    this.#size += 1
  }

  add(entry: Entry): void {
    this.#codes[this.#size] = MADE
    this.#entries[this.#size] = entry
    this.#size += 1
  }

  /** The place in the page before; negative where the slot is something else. */
  keptAt(slot: number): number {
    const code = this.#codes[slot] ?? MADE
    return code === MADE ? -1 : code
  }

  /** The place in the group; negative where the slot is something else. */
  leafAt(slot: number): number {
    return -1 - (this.#codes[slot] ?? MADE)
  }

  /** What was made; undefined where the slot is something else. */
  madeAt(slot: number): Entry | undefined {
    return this.#codes[slot] === MADE ? this.#entries[slot] : undefined
  }

  /** How many slots from this one on are entries that stood one after another in the page before. */
  runAt(slot: number): number {
    const first = this.keptAt(slot)
    let run = 1
    while (slot + run < this.#size && this.keptAt(slot + run) === first + run) run += 1
    return run
  }

  /** The slots from `base` on as entries, which are slots no longer.
   *  @param page the one before, if any of them is of one. */
  take(base: number, page?: Page): Entry[] {
    const entries: Entry[] = []
    for (let slot = base; slot < this.#size; slot += 1) {
      const kept = this.keptAt(slot)
      const entry = kept < 0 ? this.#newEntry(slot) : page?.entry(kept)
      if (entry === undefined) throw new RangeError(`no entry for slot ${slot}`)
      entries.push(entry)
    }
    this.cut(base)
    return entries
  }

  /** Forgets the slots from `base` on. */
  cut(base: number): void {
    this.#size = base
  }

  /** The hashes of all that was made from `base` on are there. */
  markHashed(base: number): void {
    for (let slot = base; slot < this.#size; slot += 1) {
      const entry = this.madeAt(slot)
      if (entry !== undefined) entry.level = 0
    }
  }

  #newEntry(slot: number): Entry | undefined {
    const at = this.leafAt(slot)
    if (at < 0) return this.madeAt(slot)
    const { keys, hashes } = this.leaves
    return {
      keyIn: keys,
      keyAt: at * HASH_BYTES,
      hashIn: hashes,
      hashAt: at * HASH_BYTES,
      branchIn: undefined,
      branchAt: 0,
      newest: this.leaves.heightAt(at),
      index: this.leaves.indexAt(at),
      bit: KEY_BITS,
      below: undefined,
      isChanged: true,
      level: 0,
    }
  }
}
