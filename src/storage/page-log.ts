// The log of the trie's pages, beside the ordered keys: what follows from the blocks, and is too much to be sorted again
// and again. `PageFiles` on disk, `MemoryPageLog` elsewhere; test/contract/page-log.ts says what both must do.
import { nextPageId, type PagePiece, pagesOf, type StoredPage, type TriePageSource } from '../trie/ports.ts'

/** What the log has to have: pages from `first` on and before `next`. */
export interface PageRange {
  readonly first: number
  readonly next: number
}

/**
 * Pages one after another, each under its place. Calls that change it do not overlap. Failures are `StorageError`s: of
 * reading `corrupted` and `read-failed`, of changing `write-failed`.
 */
export interface PageLog extends TriePageSource {
  /** Adds at the end: the number of the first is that of the next place, or any where the log is empty. They are there
   *  when it resolves, and durable after the next `sync`. */
  append(piece: PagePiece): Promise<void>
  /** All that was added is durable when it resolves. */
  sync(): Promise<void>
  /** Pages before this one can go. They do not have to. */
  release(first: number): Promise<void>
  /** Forgets pages from `next` on. Where any page of the range is not there: all of them, and false. */
  cut(range: PageRange): Promise<boolean>
}

/** @param next where the log ends; undefined where it is empty. Throws `RangeError` for a piece of another place. */
export function assertNext({ firstId }: PagePiece, next: number | undefined): void {
  if (firstId !== (next ?? firstId)) throw new RangeError(`page ${firstId} is not the next one, ${next}`)
}

/** Forgets everything with the process. */
export class MemoryPageLog implements PageLog {
  /** Ascending: a map remembers the order in which they came. */
  readonly #pages = new Map<number, Uint8Array>()
  #next: number | undefined

  get(id: number): Uint8Array | undefined {
    return this.#pages.get(id)
  }

  from(id: number): readonly StoredPage[] {
    const bytes = this.#pages.get(id)
    return bytes === undefined ? [] : [{ id, bytes }]
  }

  async append(piece: PagePiece): Promise<void> {
    if (piece.bytes.length === 0) return
    assertNext(piece, this.#next)
    for (const { id, bytes } of pagesOf(piece)) this.#pages.set(id, new Uint8Array(bytes))
    this.#next = piece.firstId + piece.bytes.length
  }

  async sync(): Promise<void> {}

  async release(first: number): Promise<void> {
    for (const id of this.#pages.keys()) {
      if (id >= first) return
      this.#pages.delete(id)
    }
  }

  async cut({ first, next }: PageRange): Promise<boolean> {
    let end = first
    for (const [id, bytes] of this.#pages) {
      if (id >= next) this.#pages.delete(id)
      else if (id === end) end = nextPageId({ id, bytes })
    }
    const isWhole = end === next
    if (!isWhole) this.#pages.clear()
    this.#next = this.#pages.size === 0 ? undefined : next
    return isWhole
  }
}
