// The log of the trie's pages on a simulated disk. What was added and not synced is lost with the power, any part of it,
// as a system writes a file's pieces in an order of its own.
import type { PageLog, PageRange } from '../storage/index.ts'
import { nextPageId, pagesOf, type StoredPage } from '../trie/index.ts'
import type { Random } from './random.ts'

/** What the log holds at one moment. */
export type PageImage = ReadonlyMap<number, Uint8Array>

export class SimulatedPages {
  readonly #random: Random
  /** Ascending. */
  #pages = new Map<number, Uint8Array>()
  #unsynced: number[] = []
  /** Where the next page belongs; undefined where any place will do. */
  #next: number | undefined

  constructor(random: Random) {
    this.#random = random
  }

  /** The log of a new process. @param assertUsable throws where the process is gone or the disk damaged.
   *  @param assertWritable throws where the disk is full as well. */
  open(assertUsable: () => void, assertWritable: () => void): PageLog {
    return {
      get: (id) => {
        assertUsable()
        return this.#pages.get(id)
      },
      from: (id) => {
        assertUsable()
        const bytes = this.#pages.get(id)
        return bytes === undefined ? [] : [{ id, bytes }]
      },
      append: async (piece) => {
        assertWritable()
        for (const page of pagesOf(piece)) this.#add(page)
      },
      sync: async () => {
        assertWritable()
        this.#unsynced = []
      },
      release: async (first) => {
        assertUsable()
        for (const id of this.#pages.keys()) if (id < first) this.#pages.delete(id)
      },
      cut: async (range) => {
        assertUsable()
        this.#cut(range)
        return true
      },
    }
  }

  losePower(): void {
    for (const id of this.#unsynced) if (this.#random.chance(0.5)) this.#pages.delete(id)
    this.#unsynced = []
  }

  image(): PageImage {
    return new Map(this.#pages)
  }

  restore(image: PageImage): void {
    this.#pages = new Map(image)
    this.#unsynced = []
  }

  #add({ id, bytes }: StoredPage): void {
    if (id !== (this.#next ?? id)) throw new RangeError(`page ${id} is not the next one`)
    this.#pages.set(id, new Uint8Array(bytes))
    this.#unsynced.push(id)
    this.#next = nextPageId({ id, bytes })
  }

  /** Nothing here loses what was synced: a page of the range that is missing was named before it was durable. */
  #cut({ first, next }: PageRange): void {
    let end = first
    for (const [id, bytes] of this.#pages) {
      if (id >= next || first === next) this.#pages.delete(id)
      else if (id === end) end = nextPageId({ id, bytes })
    }
    this.#next = this.#pages.size === 0 ? undefined : next
    if (end !== next) throw new RangeError(`a checkpoint names page ${end}, which was not durable before it`)
  }
}
