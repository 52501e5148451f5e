// The trie as if it had a thread of its own (node/trie-thread.ts): what is asked is done at once, in the order in which it
// is asked, and answered in that order some time later.
import type { ExecutedTrie, PagePiece, StateTrie, TriePath, TrieTop, TrieWrites } from '../trie/index.ts'
import type { Random } from './random.ts'

export interface LateTrieOptions {
  readonly random: Random
  readonly nowMs: () => number
  /** Runs `action` after that time, unless the process is over by then. */
  readonly after: (delayMs: number, action: () => void) => void
}

/** Mostly as one thread tells another, now and then as where a large block or the collector comes between. */
const usualMs = 1
const slowMs = 60

export class LateTrie implements StateTrie {
  readonly #trie: StateTrie
  readonly #options: LateTrieOptions
  /** When what was asked last is answered. */
  #answeredAtMs = 0
  /** As who asked was told. */
  #height: number
  #top: TrieTop

  constructor(trie: StateTrie, options: LateTrieOptions) {
    this.#trie = trie
    this.#options = options
    this.#height = trie.height
    this.#top = trie.top
  }

  get height(): number {
    return this.#height
  }

  get top(): TrieTop {
    return this.#top
  }

  execute(base: number, data: readonly Uint8Array[]): Promise<ExecutedTrie | undefined> {
    return this.#late(this.#trie.execute(base, data))
  }

  async append(executed: ExecutedTrie): Promise<TrieWrites | undefined> {
    const appending = this.#trie.append(executed)
    const { top } = this.#trie
    const writes = await this.#late(appending)
    if (writes === undefined) return undefined
    this.#height = executed.height
    this.#top = top
    return { ...writes, pages: this.#piecesOf(writes.pages) }
  }

  path(key: Uint8Array, height: number): Promise<TriePath | undefined> {
    return this.#late(this.#trie.path(key, height))
  }

  close(): Promise<void> {
    return this.#trie.close()
  }

  async *#piecesOf(pieces: TrieWrites['pages']): AsyncGenerator<PagePiece, void> {
    for await (const piece of pieces) yield await this.#late(Promise.resolve(piece))
  }

  async #late<T>(answer: Promise<T>): Promise<T> {
    const { random, nowMs, after } = this.#options
    const delayMs = random.within(0, random.chance(0.1) ? slowMs : usualMs)
    this.#answeredAtMs = Math.max(this.#answeredAtMs, nowMs() + delayMs)
    const leftMs = this.#answeredAtMs - nowMs()
    const value = await answer
    return new Promise((resolve) => after(leftMs, () => resolve(value)))
  }
}
