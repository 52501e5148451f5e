// Memory for pages, many to a piece. As an array of its own each page cost the garbage collector more than its hashing:
// three allocations, and a look at each of them in every collection. Pages are never changed, only left, so a slab of
// which much has been left has what is still used copied together with that of others, and is the collector's then. One
// that a reader still holds stays as it was: nothing here is written over.

import { ENTRY_BYTES, Page, type PageRef } from './page.ts'

/** Slabs double up to the largest, so that a group of one leaf does not take one for hundreds. */
const smallestBytes = 4 * 1024
const largestBytes = 64 * 1024
/** Of a slab that holds less than this share, what it holds is copied out. */
const usefulShare = 0.6

export class Slab {
  readonly bytes: Uint8Array
  /** Of pages that count in it (`PageRef.slab`). */
  liveBytes = 0
  /** Of the pages that count; a version that was left would hold all those below it. */
  readonly refs: (PageRef | undefined)[] = []
  isSparse = false
  #usedBytes = 0

  constructor(sizeBytes: number) {
    this.bytes = new Uint8Array(sizeBytes)
  }

  /** Where so many bytes begin that are no other page's; undefined where there is not enough room. */
  take(sizeBytes: number): number | undefined {
    const start = this.#usedBytes
    if (start + sizeBytes > this.bytes.length) return undefined
    this.#usedBytes += sizeBytes
    return start
  }

  /** The page of `ref` lies here. */
  put(ref: PageRef, page: Page): void {
    ref.slab = this
    ref.slabAt = this.refs.length
    this.refs.push(ref)
    this.liveBytes += page.count * ENTRY_BYTES
  }

  /** The page of `ref` lay here, and no longer counts. */
  leave(ref: PageRef, page: Page): void {
    ref.slab = undefined
    this.refs[ref.slabAt] = undefined
    this.liveBytes -= page.count * ENTRY_BYTES
  }
}

/** Slabs one after another, each filled before the next is begun. */
export class SlabRow {
  #slab: Slab | undefined
  #nextBytes = smallestBytes

  /** A slab, and where in it there is room for a page. */
  room(sizeBytes: number): { readonly slab: Slab; readonly start: number } {
    const start = this.#slab?.take(sizeBytes)
    if (this.#slab !== undefined && start !== undefined) return { slab: this.#slab, start }
    this.#slab = new Slab(Math.max(this.#nextBytes, sizeBytes))
    this.#nextBytes = Math.min(largestBytes, 2 * this.#nextBytes)
    return this.room(sizeBytes)
  }

  /** Nothing more is put there. */
  end(slab: Slab): void {
    if (this.#slab !== slab) return
    this.#slab = undefined
    this.#nextBytes = smallestBytes
  }
}

/** What of the pages of a trie is left, and the copying together of what remains. */
export class SlabKeeper {
  readonly #row = new SlabRow()
  /** Apart from what is copied together: most pages that are loaded are replaced soon, all of a slab at a time. */
  readonly #loaded = new SlabRow()
  readonly #sparse: Slab[] = []

  /** Room for a page that comes from the store. */
  roomForLoaded(sizeBytes: number): { readonly slab: Slab; readonly start: number } {
    return this.#loaded.room(sizeBytes)
  }

  /** The page of `ref` no longer counts: nothing of the latest trie leads there, or the store has it. */
  leave(ref: PageRef): void {
    const { slab, page } = ref
    if (slab === undefined || page === undefined) return
    slab.leave(ref, page)
    if (slab.isSparse || slab.liveBytes >= usefulShare * slab.bytes.length) return
    slab.isSparse = true
    this.#sparse.push(slab)
  }

  /** To be called while nobody is in the midst of building: readers of a page would go on with the old bytes, which are
   *  the same, and keep them from being let go. */
  compact(): void {
    const sparse = this.#sparse.splice(0)
    // All of them first: what is copied into one of them would be copied out again.
    for (const slab of sparse) for (const row of [this.#row, this.#loaded]) row.end(slab)
    for (const slab of sparse) for (const ref of slab.refs) if (ref !== undefined) this.#move(ref)
  }

  #move(ref: PageRef): void {
    const { page } = ref
    if (page === undefined) return
    const { slab, start } = this.#row.room(page.count * ENTRY_BYTES)
    slab.bytes.set(page.bytes.subarray(page.start, page.offset(page.count)), start)
    ref.page = new Page(slab.bytes, page.below, { start, count: page.count })
    slab.put(ref, ref.page)
  }
}
