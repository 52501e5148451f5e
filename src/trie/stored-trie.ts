// The trie of the last final block, and how it gets to the store. With a block nothing of it needs to be written: its
// leaves follow from the blocks. Now and then what is new is written as a checkpoint, page by page along with the
// blocks that become final meanwhile; the last piece names the root and lets the pages go that no checkpoint has any
// more. A restart takes up the last whole checkpoint and puts in the messages of the blocks since.

import { entryOf, sideOf } from './building.ts'
import { equalBytes, HASH_BYTES, KEY_BITS } from './encoding.ts'
import { TrieError } from './errors.ts'
import { type Inserted, rootOf } from './insert.ts'
import { ENTRY_BYTES, encodePage, Page, PageRef, packEntry } from './page.ts'
import { pageCostBytes, type TriePages } from './pages.ts'
import { PastTries } from './past.ts'
import { EMPTY_TRIE, type TrieRoot, type TrieSide } from './root.ts'

/** What a final block writes of the trie; all of it in one atomic write. */
export interface TrieWrites {
  readonly pages: readonly { readonly id: number; readonly bytes: Uint8Array }[]
  /** Numbers of pages that can go. */
  readonly removedPages: readonly number[]
  /** Stands from now on in the place of the checkpoint before; undefined where it is not whole yet. */
  readonly checkpoint: Uint8Array | undefined
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
}

/** Measured on one core: a restart puts in some sixty thousand leaves a second, and reads a thousand small blocks. */
export const defaultCheckpointRule: CheckpointRule = {
  dirtyBytesMax: 64 * 1024 * 1024,
  leavesMax: 150_000,
  blocksMax: 2_000,
  pieceBytes: 128 * 1024,
}

/** A block and what it made of the trie before it. */
export interface TrieStep {
  readonly height: number
  readonly inserted: Inserted
}

interface Writing {
  readonly root: TrieRoot
  readonly height: number
  /** Still to be written, each after those below it. */
  readonly pending: Set<PageRef>
  /** Pages of the checkpoint before that this one does not have. */
  readonly removed: readonly number[]
}

const NO_WRITES: TrieWrites = { pages: [], removedPages: [], checkpoint: undefined }

export class StoredTrie {
  readonly pages: TriePages
  readonly #rule: CheckpointRule
  readonly #past: PastTries
  #root: TrieRoot
  #height: number
  #nextId: number
  #writing: Writing | undefined
  /** Pages that the checkpoint has and the trie no longer. */
  #obsolete: number[] = []
  /** Replaced while a checkpoint is being written that has them, or will. */
  #replaced: PageRef[] = []
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
    const { root, height, nextId } =
      checkpoint === undefined
        ? { root: EMPTY_TRIE, height: 0, nextId: 1 }
        : decodeCheckpoint(checkpoint, pages)
    this.pages = pages
    this.#rule = rule
    this.#past = new PastTries(pages, pastMax)
    this.#root = root
    this.#height = height
    this.#nextId = nextId
  }

  /** After block `height`. */
  get root(): TrieRoot {
    return this.#root
  }

  get height(): number {
    return this.#height
  }

  /** Pages from this number on belong to no whole checkpoint. To be asked before the first `append`. */
  get nextPageId(): number {
    return this.#nextId
  }

  /** Pages that are in memory alone, in bytes, about. */
  get dirtyBytes(): number {
    return this.#dirtyBytes
  }

  /** The trie after an earlier block: good for proofs of `key` and of no other. */
  rootAt(height: number, key: Uint8Array): TrieRoot {
    return this.#past.at(height, key, this.#root, this.#height)
  }

  /** The next block became final; what it is to write. The write before has to be in the store by now. */
  append({ height, inserted }: TrieStep): TrieWrites {
    if (height !== this.#height + 1)
      throw new RangeError(`block ${height} does not follow block ${this.#height}`)
    for (const ref of this.#given) this.pages.hold(ref)
    this.#given = []
    this.#past.note(height, this.#root, inserted.changedBuckets)
    const dirtyBytes = this.#dirtyBytes
    for (const ref of inserted.replacedPages) this.#replace(ref)
    this.pages.compact()
    this.#root = inserted.root
    this.#height = height
    this.#dirtyBytes += inserted.grownBytes
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
      this.#replaced.push(ref)
      return
    }
    this.pages.release(ref)
    if (ref.id === undefined) return
    if (writing === undefined) this.#obsolete.push(ref.id)
    else this.#replaced.push(ref)
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
      pending: new Set(dirtyPages(this.#root)),
      removed: this.#obsolete,
    }
    this.#obsolete = []
    this.#leavesSince = 0
    this.#blocksSince = 0
  }

  #writePiece({ root, height, pending, removed }: Writing): TrieWrites {
    const pages: { id: number; bytes: Uint8Array }[] = []
    let room = Math.max(this.#rule.pieceBytes, 2 * this.#grownSince)
    for (const ref of pending) {
      if (room <= 0) return { pages, removedPages: [], checkpoint: undefined }
      if (ref.page === undefined) throw new RangeError('a page that was not written is not in memory')
      const bytes = encodePage(ref.page)
      ref.id = this.#nextId
      this.#nextId += 1
      this.#given.push(ref)
      pending.delete(ref)
      this.#dirtyBytes -= pageCostBytes(ref.page)
      pages.push({ id: ref.id, bytes })
      room -= pageCostBytes(ref.page)
    }
    // Until this write is done, blocks are executed on the trie before this one, which may have what is to go.
    if (height === this.#height && removed.length > 0)
      return { pages, removedPages: [], checkpoint: undefined }
    this.#writing = undefined
    this.#obsolete = this.#replaced.flatMap(({ id }) => (id === undefined ? [] : [id]))
    this.#replaced = []
    const checkpoint = encodeCheckpoint({ root, height, nextId: this.#nextId })
    return { pages, removedPages: removed, checkpoint }
  }
}

/** Pages that are in memory alone, each after those below it. What is below a stored page is stored. */
function* dirtyPages(root: TrieRoot): Generator<PageRef, undefined> {
  for (const side of [root.left, root.right]) {
    if (side?.below !== undefined) yield* dirtyFrom(side.below)
  }
}

/** As deep as pages lie below each other: 255 at most, where somebody looks for keys that agree in many bits. */
function* dirtyFrom(ref: PageRef): Generator<PageRef, undefined> {
  if (ref.id !== undefined) return
  for (const below of ref.page?.below ?? []) if (below !== undefined) yield* dirtyFrom(below)
  yield ref
}

export interface Checkpoint {
  readonly root: TrieRoot
  /** The block after which the trie was this. */
  readonly height: number
  readonly nextId: number
}

// Height u64 · next page number u64 · sides u8 (1 left, 2 right, 3 both) · each side as an entry of a page · root 32.
const SIDES_AT = 16
const HAS_LEFT = 1
const HAS_RIGHT = 2

export function encodeCheckpoint({ root, height, nextId }: Checkpoint): Uint8Array {
  const sides = [root.left, root.right].filter((side) => side !== null)
  const bytes = new Uint8Array(SIDES_AT + 1 + sides.length * ENTRY_BYTES + HASH_BYTES)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(height))
  view.setBigUint64(8, BigInt(nextId))
  bytes[SIDES_AT] = (root.left === null ? 0 : HAS_LEFT) | (root.right === null ? 0 : HAS_RIGHT)
  for (const [at, side] of sides.entries()) packEntry(bytes, SIDES_AT + 1 + at * ENTRY_BYTES, entryOf(side))
  bytes.set(root.hash ?? new Uint8Array(HASH_BYTES), bytes.length - HASH_BYTES)
  return bytes
}

/** Throws `TrieError` (`bad-checkpoint`). */
export function decodeCheckpoint(bytes: Uint8Array, pages: TriePages): Checkpoint {
  const bad = new TrieError({ code: 'bad-checkpoint' })
  const flags = bytes[SIDES_AT] ?? 0xff
  const count = (flags & HAS_LEFT) + ((flags & HAS_RIGHT) >> 1)
  if (flags > 3 || bytes.length !== SIDES_AT + 1 + count * ENTRY_BYTES + HASH_BYTES) throw bad
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [height, nextId] = [Number(view.getBigUint64(0)), Number(view.getBigUint64(8))]
  const sides = Array.from({ length: count }, (_, at) => decodeSide(bytes, SIDES_AT + 1 + at * ENTRY_BYTES))
  const left = (flags & HAS_LEFT) === 0 ? null : (sides.shift() ?? null)
  const right = sides.shift() ?? null
  const root = count === 0 ? EMPTY_TRIE : rootOf(left, right, pages)
  if (!equalBytes(root.hash ?? new Uint8Array(HASH_BYTES), bytes.subarray(bytes.length - HASH_BYTES)))
    throw bad
  return { root, height, nextId }
}

function decodeSide(bytes: Uint8Array, at: number): TrieSide {
  const packed = bytes.slice(at, at + ENTRY_BYTES)
  const leaf = new Page(packed).entry(0)
  if (leaf.bit === KEY_BITS) return sideOf(leaf)
  // The number of a page lies where a leaf has its index.
  const view = new DataView(packed.buffer)
  const id = view.getUint16(ENTRY_BYTES - 6) * 2 ** 32 + view.getUint32(ENTRY_BYTES - 4)
  return sideOf({ ...leaf, below: new PageRef(id, undefined) })
}
