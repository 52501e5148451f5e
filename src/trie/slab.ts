// Memory for pages, many to a piece. As an array of its own each page cost the garbage collector more than its hashing:
// three allocations, and a look at each of them in every collection. Pages are never changed, only left, so a slab of
// which much has been left has what is still used copied together with that of others, and is used again for new pages
// once nobody can be looking at the old ones: waiting for the collector to find it, a node held twice the memory.

import { copyBytes, ENTRY_BYTES, Page, type PageRef } from './page.ts'

/** Slabs double up to the largest, so that a group of one leaf does not take one for hundreds. */
const smallestBytes = 4 * 1024
const largestBytes = 64 * 1024
/** Of a slab that holds less than this share, what it holds is copied out. */
const usefulShare = 0.6
/** So many of the largest wait to be used again, at most; what is beyond is the collector's. As many as a checkpoint lets
 *  go at once: the next one's pages take them again. */
const spareMax = 1024
/** Blocks after which those that were not needed meanwhile are the collector's. */
const spareBlocks = 64
/** So many of which little is left wait for the next block, at most: with more, who only reads (and no block comes) has
 *  what is left in them copied together, and they are the collector's. */
const sparseMax = 1024

export class Slab {
  readonly bytes: Uint8Array
  /** Of pages that count in it (`PageRef.slab`). */
  liveBytes = 0
  /** Of the pages that count; a version that was left would hold all those below it. */
  readonly refs: (PageRef | undefined)[] = []
  isSparse = false
  /** It waits to be used again. */
  isSpare = false
  /** How often its memory was given to other pages: a page of an earlier use is gone. */
  uses = 0
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

  /** Begins again, with nothing in it. */
  clear(): void {
    this.uses += 1
    this.liveBytes = 0
    this.refs.length = 0
    this.isSparse = false
    this.#usedBytes = 0
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
  readonly #spares: Slab[]
  #slab: Slab | undefined
  #nextBytes = smallestBytes

  /** @param spares of the largest size, cleared: the last is taken where one of that size is needed. */
  constructor(spares: Slab[] = []) {
    this.#spares = spares
  }

  /** A slab, and where in it there is room for a page. */
  room(sizeBytes: number): { readonly slab: Slab; readonly start: number } {
    const start = this.#slab?.take(sizeBytes)
    if (this.#slab !== undefined && start !== undefined) return { slab: this.#slab, start }
    const bytes = Math.max(this.#nextBytes, sizeBytes)
    const spare = bytes === largestBytes ? this.#spares.pop() : undefined
    if (spare !== undefined) spare.isSpare = false
    this.#slab = spare ?? new Slab(bytes)
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
  readonly #spares: Slab[] = []
  readonly #row = new SlabRow(this.#spares)
  /** Apart from what is copied together: most pages that are loaded are replaced soon, all of a slab at a time. */
  readonly #loaded = new SlabRow(this.#spares)
  #sparse: Slab[] = []
  /** Lists of the slabs of groups: kept or discarded. */
  readonly #settled = new WeakSet<readonly Slab[]>()
  /** Calls of `compact`, and the fewest spares that there were at one of the last of them. */
  #blocks = 0
  #idleSpares = 0
  /** Nothing in them counts any more; the trie before the latest may still be looked at. */
  #left: Slab[] = []

  /** Memory that waits: to be copied out, to be nobody's, to be used again. At most 64 MiB each, and a block's. */
  get waitingBytes(): number {
    const waiting = [...this.#sparse, ...this.#left, ...this.#spares]
    return waiting.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  /** For the pages of a group. */
  newRow(): SlabRow {
    return new SlabRow(this.#spares)
  }

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

  /** The latest trie has taken the group that lies there. */
  keep(slabs: readonly Slab[]): void {
    this.#settled.add(slabs)
  }

  /** Nobody will look at what lies there again. Nothing happens to a group that was kept, or discarded before: others may
   *  lie there by now. */
  discard(slabs: readonly Slab[]): void {
    if (this.#settled.has(slabs)) return
    this.#settled.add(slabs)
    for (const slab of slabs) this.#giveBack(slab)
  }

  /** To be called once between one latest trie and the next, while nobody is in the midst of building or reading. From
   *  the call after the next on, what was left before this one is written over. */
  compact(): void {
    this.#dropIdleSpares()
    for (const slab of this.#left) this.#giveBack(slab)
    this.#left = this.#emptied()
  }

  /** Bounds what waits for `compact`. To be called at any time: whoever looks at a page goes on seeing it. */
  trim(): void {
    if (this.#sparse.length > sparseMax) this.#emptied()
  }

  /** The slabs of which little was left, and now nothing. */
  #emptied(): Slab[] {
    const sparse = this.#sparse
    this.#sparse = []
    // All of them first: what is copied into one of them would be copied out again.
    for (const slab of sparse) for (const row of [this.#row, this.#loaded]) row.end(slab)
    for (const slab of sparse) for (const ref of slab.refs) if (ref !== undefined) this.#move(ref)
    return sparse
  }

  /** What a burst left behind goes. */
  #dropIdleSpares(): void {
    this.#idleSpares = Math.min(this.#idleSpares, this.#spares.length)
    this.#blocks += 1
    if (this.#blocks < spareBlocks) return
    this.#spares.splice(0, this.#idleSpares)
    this.#blocks = 0
    this.#idleSpares = this.#spares.length
  }

  #giveBack(slab: Slab): void {
    // Twice among the spares it would be two rows' at once.
    if (slab.isSpare || slab.bytes.length !== largestBytes || this.#spares.length >= spareMax) return
    slab.clear()
    slab.isSpare = true
    this.#spares.push(slab)
  }

  #move(ref: PageRef): void {
    const { page } = ref
    if (page === undefined) return
    const { slab, start } = this.#row.room(page.count * ENTRY_BYTES)
    copyBytes(page.bytes, page.start, slab.bytes, start, page.count * ENTRY_BYTES)
    ref.page = new Page(slab.bytes, page.below, { start, count: page.count, slab })
    slab.put(ref, ref.page)
  }
}
