// Pages in memory: loaded when they are first looked at, let go again when those that are held too take much room. A
// trie is a value: what a `TrieRoot` stands for never changes, only how much of it happens to be in memory.

import { fillBranch, HASH_BYTES, newBranchBytes } from './encoding.ts'
import { TrieError } from './errors.ts'
import type { Inserted } from './insert.ts'
import { copyHash, decodePage, ENTRY_BYTES, type Page, type PageRef } from './page.ts'
import type { BranchHasher, BranchTasks, Hasher, StoredPage, TriePageSource } from './ports.ts'
import { SlabKeeper, type SlabRow } from './slab.ts'

const DEFAULT_CACHED_BYTES_MAX = 32 * 1024 * 1024
/** What a page takes beside its bytes: objects, and what is unused in its slab (measured, about). */
const PAGE_OVERHEAD_BYTES = 400

export interface TriePagesOptions {
  readonly source: TriePageSource
  readonly hash: Hasher
  /** Many branches at once, where something is faster at that than `hash` is one by one. */
  readonly hashBranches?: BranchHasher
  /** Of pages that are in the store as well; 32 MiB if not given. One page is held whatever its size. */
  readonly cachedBytesMax?: number
}

/** Memory that a page takes, in bytes, about. */
export function pageCostBytes(page: Page): number {
  return page.count * ENTRY_BYTES + PAGE_OVERHEAD_BYTES
}

/** The way from a reference to its page: memory, else the store. One for a store, shared by all roots in it. */
export class TriePages {
  readonly hash: Hasher
  readonly hashBranches: BranchHasher
  readonly #source: TriePageSource
  readonly #cachedBytesMax: number
  /** Pages that the store has too, as the ring of a clock: one that was used since the hand last passed stays for
   *  another round. Close to least-recently-used, and a use costs one assignment. */
  readonly #ring: PageRef[] = []
  readonly #slabs = new SlabKeeper()
  #hand = 0
  #heldBytes = 0

  constructor(options: TriePagesOptions) {
    const { source, hash, cachedBytesMax = DEFAULT_CACHED_BYTES_MAX } = options
    if (!Number.isInteger(cachedBytesMax) || cachedBytesMax < 1) {
      throw new RangeError(`cachedBytesMax has to be a whole number from 1 on, not ${cachedBytesMax}`)
    }
    this.#source = source
    this.#cachedBytesMax = cachedBytesMax
    this.hash = hash
    this.hashBranches = options.hashBranches ?? oneByOne(hash)
  }

  /** Of pages that could be let go. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** As `SlabKeeper.waitingBytes`. */
  get waitingBytes(): number {
    return this.#slabs.waitingBytes
  }

  /** Room for pages that are made. */
  newRow(): SlabRow {
    return this.#slabs.newRow()
  }

  /** The page that `ref` names. Throws `TrieError` where the source lacks it or holds something else, and `RangeError`
   *  where it was of a trie that is no longer kept (`compact`). */
  load(ref: PageRef): Page {
    ref.recentlyUsed = true
    if (ref.page !== undefined && !ref.page.isGone) return ref.page
    const page = this.#read(ref)
    ref.page = page
    ref.isReplaced = false
    this.hold(ref)
    return page
  }

  /** What the source has from a page on, as `TriePageSource.from` gives it. */
  storedFrom(id: number): readonly StoredPage[] {
    return this.#source.from(id)
  }

  /** The page is to be written anew: from now on it is in memory alone. What is above it has to be so already.
   *  Throws `TrieError` where the source lacks it. */
  reclaim(ref: PageRef): Page {
    const page = ref.page ?? this.#read(ref)
    if (ref.ringAt !== undefined) this.#takeOff(ref.ringAt, page)
    ref.page = page
    ref.id = undefined
    return page
  }

  /** From now on the page can be let go: the source has it. */
  hold(ref: PageRef): void {
    if (ref.page === undefined) return
    if (ref.isReplaced) {
      this.#slabs.leave(ref)
      ref.page = undefined
      return
    }
    ref.ringAt = this.#ring.length
    this.#ring.push(ref)
    this.#heldBytes += pageCostBytes(ref.page)
    while (this.#heldBytes > this.#cachedBytesMax && this.#ring.length > 1) this.#letOneGo()
  }

  /** Nothing of the latest trie leads to this version any more. Where the source has it, what it takes is let go at once,
   *  and who still has an older trie loads it again; else it stays with that older trie, as long as that is kept. */
  release(ref: PageRef): void {
    ref.isReplaced = true
    if (ref.ringAt !== undefined) this.#remove(ref.ringAt)
    else this.#slabs.leave(ref)
  }

  /** Copies what is left of mostly empty memory together. To be called with each latest trie, and not amid an insertion:
   *  the trie before it is kept until the next call, and what is made of either meanwhile. */
  compact(): void {
    this.#slabs.compact()
  }

  /** The group is part of the latest trie. */
  keep({ slabs }: Pick<Inserted, 'slabs'>): void {
    this.#slabs.keep(slabs)
  }

  /** Takes the memory of pages back that were made for a trie which is never to be the latest. From now on nobody may
   *  look at it, or build upon it. A group that was kept stays as it is. */
  discard({ slabs }: Pick<Inserted, 'slabs'>): void {
    this.#slabs.discard(slabs)
  }

  #read(ref: PageRef): Page {
    const { id } = ref
    if (id === undefined) throw new RangeError('a page of a trie that is no longer kept')
    const bytes = this.#source.get(id)
    if (bytes === undefined) throw new TrieError({ code: 'missing-page', id })
    const { slab, start } = this.#slabs.roomForLoaded(bytes.length)
    slab.bytes.set(bytes, start)
    const page = decodePage(slab.bytes, { start, sizeBytes: bytes.length, slab })
    if (page === undefined) throw new TrieError({ code: 'bad-page', id })
    slab.put(ref, page)
    return page
  }

  #letOneGo(): void {
    // Two rounds are enough: what the first passes for its use can go in the second, and some page has none below it.
    for (let passed = 0; passed <= 2 * this.#ring.length; passed += 1) {
      if (this.#hand >= this.#ring.length) this.#hand = 0
      const ref = this.#ring[this.#hand]
      if (ref === undefined) break
      // What is below a page that is gone could not be found again, only loaded twice.
      if (!ref.recentlyUsed && !hasPagesBelow(ref)) {
        this.#remove(this.#hand)
        this.#slabs.trim()
        return
      }
      ref.recentlyUsed = false
      this.#hand += 1
    }
    throw new RangeError('every page that could be let go has one below it')
  }

  #remove(at: number): void {
    const ref = this.#ring[at]
    if (ref?.page === undefined) return
    this.#takeOff(at, ref.page)
    this.#slabs.leave(ref)
    ref.page = undefined
  }

  /** The last of the ring takes the place of the page that was there. */
  #takeOff(at: number, page: Page): void {
    const ref = this.#ring[at]
    const last = this.#ring.pop()
    if (ref === undefined || last === undefined) return
    if (ref !== last) {
      this.#ring[at] = last
      last.ringAt = at
    }
    this.#heldBytes -= pageCostBytes(page)
    ref.ringAt = undefined
  }
}

function hasPagesBelow({ page }: PageRef): boolean {
  return page?.below.some((ref) => ref?.page !== undefined) === true
}

function oneByOne(hash: Hasher): BranchHasher {
  const bytes = newBranchBytes()
  return ({ count, bits, leftIn, leftAt, rightIn, rightAt, outIn, outAt }: BranchTasks) => {
    for (let at = 0; at < count; at += 1) {
      const [left, right, out] = [
        childOf(leftIn[at], leftAt[at]),
        childOf(rightIn[at], rightAt[at]),
        outIn[at],
      ]
      if (out === undefined) continue
      fillBranch(bytes, bits[at] ?? 0, left, right)
      copyHash(hash(bytes), 0, out, outAt[at] ?? 0)
    }
  }
}

function childOf(bytes: Uint8Array = new Uint8Array(), at = 0): Uint8Array {
  return bytes.subarray(at, at + HASH_BYTES)
}
