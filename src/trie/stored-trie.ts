// The trie of the last final block, and how it gets to the store. With a block nothing of it needs to be written: its
// leaves follow from the blocks. Now and then what is new is written as a checkpoint, page by page along with the
// blocks that become final meanwhile, each at the end of a log; the last piece names the root. A restart takes up the
// last whole checkpoint and puts in the messages of the blocks since.
//
// The log is cleaned from its beginning: where it takes more than twice what the trie does, the pages that its oldest
// part holds and the trie still has become part of the next checkpoint, like changed ones, and what is before them can
// go when that is whole. So each page is written once, and now and then once more.

import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, GENESIS } from './checkpoint.ts'
import { DeadPages } from './dead-pages.ts'
import { bitOf, HASH_BYTES, KEY_BITS } from './encoding.ts'
import { TrieError } from './errors.ts'
import type { Inserted } from './insert.ts'
import { decodePage, type Page, type PageRef, packPage } from './page.ts'
import { pageCostBytes, type TriePages } from './pages.ts'
import { PastTries } from './past.ts'
import { nextPageId, type PagePiece } from './ports.ts'
import type { TrieRoot, TrieSide } from './root.ts'

/** What is written of the trie with a final block. */
export interface TrieWrites {
  /** To be added to the log, one after the other, before the next block is appended: each is made when it is asked for. */
  readonly pages: Iterable<PagePiece> | AsyncIterable<PagePiece>
  /** Undefined where none became whole. */
  readonly checkpoint: NewCheckpoint | undefined
}

export interface NewCheckpoint {
  /** Stand from now on in the place of the checkpoint before. All pages so far have to be durable before they are. */
  readonly bytes: Uint8Array
  /** Pages before this one can go once they are. */
  readonly firstPageId: number
}

export interface CheckpointRule {
  /** Begin one where pages that are in memory alone take more, in bytes. */
  readonly dirtyBytesMax: number
  /** … or where a restart would have to put in more leaves … */
  readonly leavesMax: number
  /** … or read more blocks. */
  readonly blocksMax: number
  /** Bytes of pages to write with a block, at least; more where more than that came since the last. */
  readonly pieceBytes: number
  /** The log is cleaned where it takes more than twice what the trie does, and these. */
  readonly slackBytes: number
}

/** Measured on one core: a restart puts in some sixty thousand leaves a second, and reads a thousand small blocks. */
export const defaultCheckpointRule: CheckpointRule = {
  dirtyBytesMax: 64 * 1024 * 1024,
  leavesMax: 150_000,
  blocksMax: 2_000,
  pieceBytes: 128 * 1024,
  slackBytes: 32 * 1024 * 1024,
}

/** Bytes of the log to look at for each byte that came, where it is to be cleaned. No cleaning goes on while a
 *  checkpoint is written, which is a third to half of the time. */
const cleanedPerGrownByte = 4

/** A block and what it made of the trie before it. */
export interface TrieStep {
  readonly height: number
  readonly inserted: Inserted
}

interface Writing extends Omit<Checkpoint, 'nextId'> {
  /** Still to be written, each after those below it. */
  readonly pending: Set<PageRef>
}

/** Bytes of pages put together at a time: with a large block tens of megabytes are written, and an array of all of them
 *  would lie about until the next collection of everything. */
const packedBytes = 256 * 1024

/** As the trie itself gives them. */
export interface StoredTrieWrites extends TrieWrites {
  readonly pages: Iterable<PagePiece>
}

const NO_WRITES: StoredTrieWrites = { pages: [], checkpoint: undefined }

export class StoredTrie {
  readonly pages: TriePages
  readonly #rule: CheckpointRule
  readonly #past: PastTries
  readonly #pastMax: number
  #root: TrieRoot
  #height: number
  #nextId: number
  /** Where the log begins for the last whole checkpoint. */
  #firstId: number
  /** Where it begins for the trie of now: what is before was looked at, and is nowhere else only until the next
   *  checkpoint is whole. */
  #cleanedTo: number
  /** What the pages of the trie take in the log. */
  #storedBytes: number
  readonly #dead = new DeadPages()
  #writing: Writing | undefined
  /** Given to be written with the last block: in the store by the next. */
  #given: PageRef[] = []
  #dirtyBytes = 0
  #leavesSince = 0
  #blocksSince = 0
  #grownSince = 0

  /**
   * @param checkpoint what was stored last; undefined: the empty trie of genesis.
   * @param pastMax how many blocks before the latest can be asked for.
   * Throws `TrieError` (`bad-checkpoint`).
   */
  constructor({
    pages,
    checkpoint,
    pastMax,
    rule = defaultCheckpointRule,
  }: {
    readonly pages: TriePages
    readonly checkpoint: Uint8Array | undefined
    readonly pastMax: number
    readonly rule?: CheckpointRule
  }) {
    const { root, height, firstId, nextId, storedBytes } =
      checkpoint === undefined ? GENESIS : decodeCheckpoint(checkpoint, pages)
    this.pages = pages
    this.#rule = rule
    this.#past = new PastTries(pages, pastMax)
    this.#pastMax = pastMax
    this.#root = root
    this.#height = height
    this.#firstId = firstId
    this.#cleanedTo = firstId
    this.#nextId = nextId
    this.#storedBytes = storedBytes
  }

  /** After block `height`. */
  get root(): TrieRoot {
    return this.#root
  }

  get height(): number {
    return this.#height
  }

  /** What the log has to have for the last whole checkpoint: pages from the first number on and before the next. What
   *  comes after belongs to none. To be asked before the first `append`. */
  get pageRange(): { readonly first: number; readonly next: number } {
    return { first: this.#firstId, next: this.#nextId }
  }

  /** Pages that are in memory alone, in bytes, about. */
  get dirtyBytes(): number {
    return this.#dirtyBytes
  }

  /** Whether `rootAt` can tell: of the last block, so many before it, and one more, since until a block is in the store
   *  askers count from the one before. */
  hasRootAt(height: number): boolean {
    return height <= this.#height && height >= this.#height - 1 - this.#pastMax
  }

  /** The trie after an earlier block: good for proofs of `key` and of no other. */
  rootAt(height: number, key: Uint8Array): TrieRoot {
    return this.#past.at(height, key, this.#root, this.#height)
  }

  /** The next block became final; what it is to write. The write before has to be in the store by now, and nothing may
   *  have been built upon the trie of this block. Throws `TrieError` where the store lacks a page. */
  append({ height, inserted }: TrieStep): StoredTrieWrites {
    if (height !== this.#height + 1)
      throw new RangeError(`block ${height} does not follow block ${this.#height}`)
    for (const ref of this.#given) this.pages.hold(ref)
    this.#given = []
    this.#past.note(height, this.#root, inserted.changedBuckets)
    const dirtyBytes = this.#dirtyBytes
    this.pages.keep(inserted)
    for (const ref of inserted.replacedPages) this.#replace(ref)
    this.pages.compact()
    this.#root = inserted.root
    this.#height = height
    this.#dirtyBytes += inserted.grownBytes
    this.#storedBytes += inserted.storedGrowthBytes
    if (this.#writing === undefined) this.#clean(cleanedPerGrownByte * (this.#dirtyBytes - dirtyBytes))
    this.#grownSince = Math.max(0, this.#dirtyBytes - dirtyBytes)
    this.#leavesSince += inserted.added
    this.#blocksSince += 1
    if (this.#writing === undefined && this.#isDue()) this.#begin()
    return this.#writing === undefined ? NO_WRITES : this.#writePiece(this.#writing)
  }

  #replace(ref: PageRef): void {
    const writing = this.#writing
    if (writing?.pending.has(ref) === true) {
      // It stays in memory until it is written, and is taken off what is counted only then.
      ref.isReplaced = true
      if (ref.page !== undefined) this.#dirtyBytes += pageCostBytes(ref.page)
      return
    }
    this.pages.release(ref)
    if (ref.id !== undefined) this.#dead.add(ref.id)
  }

  /** Makes what the oldest part of the log holds of the trie part of the next checkpoint. Nobody has built upon the
   *  trie of now: who had would know these pages by other references, and look for them where they no longer are.
   *  @param budget bytes of the log to look at, at most. */
  #clean(budget: number): void {
    const end = this.#cleanedTo + budget
    while (this.#cleanedTo < end && this.#isLogLarge()) {
      const stored = this.pages.storedFrom(this.#cleanedTo)
      if (stored.length === 0) throw new TrieError({ code: 'missing-page', id: this.#cleanedTo })
      for (const page of stored) {
        const { id, bytes } = page
        if (id >= end || !this.#isLogLarge()) return
        if (!this.#dead.has(id)) this.#reclaim(id, bytes)
        this.#cleanedTo = nextPageId(page)
      }
    }
  }

  #isLogLarge(): boolean {
    return this.#nextId - this.#cleanedTo > 2 * this.#storedBytes + this.#rule.slackBytes
  }

  /** A stored page and those above it are in memory alone from now on, if the trie still has it. */
  #reclaim(id: number, bytes: Uint8Array): void {
    const wanted = decodePage(bytes)
    if (wanted === undefined) throw new TrieError({ code: 'bad-page', id })
    // A key below, and no leaf ever goes: its bits lead to the page, or to what is in its place.
    const key = bytes.subarray(0, HASH_BYTES)
    if (!this.#leadsTo(id, key, wanted.ownBit)) return
    // From the top, so that none can be let go, and be other references when it is loaded again, before those below.
    for (let ref = this.#sideOf(key)?.below; ref !== undefined; ) {
      const isWanted = ref.id === id
      if (ref.id !== undefined) {
        this.#dead.add(ref.id)
        this.#dirtyBytes += pageCostBytes(this.pages.reclaim(ref))
      }
      if (isWanted) return
      const page = this.pages.load(ref)
      ref = page.below[page.onPath(key)]
    }
  }

  /** @param ownBit of the page: further down it cannot be. */
  #leadsTo(id: number, key: Uint8Array, ownBit: number): boolean {
    const side = this.#sideOf(key)
    let [ref, bit] = [side?.below, side?.bit ?? KEY_BITS]
    while (ref !== undefined && bit <= ownBit) {
      if (ref.id === id) return true
      const page = this.pages.load(ref)
      const at = page.onPath(key)
      ;[ref, bit] = [page.below[at], page.bit(at)]
    }
    return false
  }

  #sideOf(key: Uint8Array): TrieSide | null {
    return bitOf(key, 0) === 0 ? this.#root.left : this.#root.right
  }

  #isDue(): boolean {
    const { dirtyBytesMax, leavesMax, blocksMax } = this.#rule
    return (
      this.#dirtyBytes >= dirtyBytesMax || this.#leavesSince >= leavesMax || this.#blocksSince >= blocksMax
    )
  }

  #begin(): void {
    this.#writing = {
      root: this.#root,
      height: this.#height,
      firstId: this.#cleanedTo,
      storedBytes: this.#storedBytes,
      pending: dirtyPages(this.#root),
    }
    this.#leavesSince = 0
    this.#blocksSince = 0
  }

  #writePiece({ pending, ...checkpoint }: Writing): StoredTrieWrites {
    const pages = this.#givePages(pending)
    if (pending.size > 0) return { pages, checkpoint: undefined }
    // Until this write is done, blocks are executed on the trie before this one, which may have what is to go.
    const { height, firstId } = checkpoint
    if (height === this.#height && firstId > this.#firstId) return { pages, checkpoint: undefined }
    this.#writing = undefined
    this.#firstId = firstId
    this.#dead.forgetBefore(firstId)
    const bytes = encodeCheckpoint({ ...checkpoint, nextId: this.#nextId })
    return { pages, checkpoint: { bytes, firstPageId: firstId } }
  }

  /** The next piece of what is to be written. */
  #givePages(pending: Set<PageRef>): Iterable<PagePiece> {
    const firstId = this.#nextId
    const pages: Page[] = []
    let room = Math.max(this.#rule.pieceBytes, 2 * this.#grownSince)
    for (const ref of pending) {
      if (room <= 0) break
      const { page } = ref
      if (page === undefined) throw new RangeError('a page that was not written is not in memory')
      ref.id = this.#nextId
      this.#nextId += page.storedBytes
      if (ref.isReplaced) this.#dead.add(ref.id)
      this.#given.push(ref)
      pending.delete(ref)
      pages.push(page)
      this.#dirtyBytes -= pageCostBytes(page)
      room -= pageCostBytes(page)
    }
    return packed(pages, firstId)
  }
}

/** The pages as the log has them, in pieces. */
function* packed(pages: readonly Page[], firstId: number): Generator<PagePiece, void> {
  let id = firstId
  for (let next = 0; next < pages.length; ) {
    const start = next
    let size = 0
    for (; next < pages.length && size < packedBytes; next += 1) size += pages[next]?.storedBytes ?? 0
    const bytes = new Uint8Array(size)
    let at = 0
    for (const page of pages.slice(start, next)) {
      packPage(bytes, at, page)
      at += page.storedBytes
    }
    yield { firstId: id, bytes }
    id += size
  }
}

/** Pages that are in memory alone, each after those below it. What is below a stored page is stored. */
function dirtyPages(root: TrieRoot): Set<PageRef> {
  const found = new Set<PageRef>()
  for (const side of [root.left, root.right]) if (side?.below !== undefined) addDirty(side.below, found)
  return found
}

/** As deep as pages lie below each other: 255 at most, where somebody looks for keys that agree in many bits. */
function addDirty(ref: PageRef, found: Set<PageRef>): void {
  if (ref.id !== undefined) return
  for (const below of ref.page?.below ?? []) if (below !== undefined) addDirty(below, found)
  found.add(ref)
}
