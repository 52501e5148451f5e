// The trie as the chain works with it: blocks are executed on it, one of each height becomes final, proofs are made of
// what it holds. In the thread that asks, or behind one of its own (node/trie-thread.ts): the same answers.

import type { Hash } from '../types/index.ts'
import { createBranchHasher } from './branch-lanes.ts'
import { type Inserted, insertGroup } from './insert.ts'
import { LeafGroup } from './leaf-group.ts'
import { TriePages } from './pages.ts'
import type { Hasher, TriePageSource } from './ports.ts'
import { pathTo, type TriePath } from './prove.ts'
import { stateRootOf, type TrieRoot, type TrieTop, topOf } from './root.ts'
import { type CheckpointRule, StoredTrie, type StoredTrieWrites, type TrieWrites } from './stored-trie.ts'

/** What a block made of the trie before it. */
export interface ExecutedTrie {
  /** Of the block. */
  readonly height: number
  readonly top: TrieTop
  /** The header's `stateRoot`. */
  readonly stateRoot: Hash
  /** By which the trie knows it: no other has had this number. */
  readonly execution: number
}

export interface StateTrie {
  /** Of the block that was appended last. */
  readonly height: number
  /** The trie after it. */
  readonly top: TrieTop
  /**
   * The trie with the data of the messages of block `base + 1`, in sequence. Data is data, whatever its namespace; data
   * that is there already changes nothing, so its leaf goes on naming the message that brought it first.
   * @param base of the block appended last, or of the one before that, whose pages stay until the next is appended (but
   * not over a start); undefined for any other. Rejects with `TrieError` where the store lacks a page.
   */
  execute(base: number, data: readonly Uint8Array[]): Promise<ExecutedTrie | undefined>
  /**
   * The block became final; what else was executed at its height is forgotten. What the append before gave to be written
   * has to be in the store by now. Undefined, and nothing is changed, where this execution was forgotten: then it can be
   * executed again.
   */
  append(executed: ExecutedTrie): Promise<TrieWrites | undefined>
  /** The way to `key` in the trie after block `height`; undefined where that is no longer kept (protocol §5), or not
   *  there yet. */
  path(key: Uint8Array, height: number): Promise<TriePath | undefined>
  /** Nothing may be asked afterwards. */
  close(): Promise<void>
}

/** Of one height; then the oldest is forgotten, since each may take megabytes. Whoever leads a view may propose something
 *  to execute, be it what the chain allows or not, and a height has views without end. */
export const executionsMax = 16

/** In the thread that asks. */
export class LocalStateTrie implements StateTrie {
  readonly #stored: StoredTrie
  /** Of the block before the last. Its pages are there until the next one. */
  #before: TrieRoot | undefined
  /** Of the height after the last block, the oldest first. */
  readonly #executions = new Map<number, Inserted>()
  #nextExecution = 0

  constructor(stored: StoredTrie) {
    this.#stored = stored
  }

  get height(): number {
    return this.#stored.height
  }

  get top(): TrieTop {
    return topOf(this.#stored.root)
  }

  async execute(base: number, data: readonly Uint8Array[]): Promise<ExecutedTrie | undefined> {
    const root = this.#rootAfter(base)
    if (root === undefined) return undefined
    const { pages } = this.#stored
    const height = base + 1
    const inserted = insertGroup(root, LeafGroup.ofBlock(height, data, pages.hash), pages)
    const execution = this.#nextExecution++
    // On the trie before it can no longer become final.
    if (base === this.height) this.#keep(execution, inserted)
    return { height, top: topOf(inserted.root), stateRoot: stateRootOf(inserted.root), execution }
  }

  async append({ height, execution }: ExecutedTrie): Promise<StoredTrieWrites | undefined> {
    const inserted = this.#executions.get(execution)
    if (inserted === undefined) return undefined
    const before = this.#stored.root
    const writes = this.#stored.append({ height, inserted })
    this.#before = before
    this.#executions.delete(execution)
    for (const other of this.#executions.values()) this.#stored.pages.discard(other)
    this.#executions.clear()
    return writes
  }

  async path(key: Uint8Array, height: number): Promise<TriePath | undefined> {
    if (!this.#stored.hasRootAt(height)) return undefined
    const root = this.#rootAfter(height) ?? this.#stored.rootAt(height, key)
    return pathTo(root, key, this.#stored.pages)
  }

  async close(): Promise<void> {
    // There is nothing that it holds open.
  }

  #keep(execution: number, inserted: Inserted): void {
    this.#executions.set(execution, inserted)
    const [oldest] = this.#executions
    if (this.#executions.size <= executionsMax || oldest === undefined) return
    this.#executions.delete(oldest[0])
    this.#stored.pages.discard(oldest[1])
  }

  #rootAfter(height: number): TrieRoot | undefined {
    if (height === this.height) return this.#stored.root
    return height === this.height - 1 ? this.#before : undefined
  }
}

/** The trie of what a store has, its branches hashed as a node does it. Throws `TrieError` (`bad-checkpoint`).
 *  @param cachedBytesMax and @param rule: undefined for a node's own. */
export function openStoredTrie({
  source,
  hash,
  checkpoint,
  pastMax,
  cachedBytesMax,
  rule,
}: {
  readonly source: TriePageSource
  readonly hash: Hasher
  readonly checkpoint: Uint8Array | undefined
  readonly pastMax: number
  readonly cachedBytesMax: number | undefined
  readonly rule: CheckpointRule | undefined
}): StoredTrie {
  const pages = new TriePages({
    source,
    hash,
    hashBranches: createBranchHasher(),
    ...(cachedBytesMax === undefined ? {} : { cachedBytesMax }),
  })
  return new StoredTrie({ pages, checkpoint, pastMax, ...(rule === undefined ? {} : { rule }) })
}
