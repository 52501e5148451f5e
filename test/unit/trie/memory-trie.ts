// A trie with its store in memory, as the tests need it.

import { hash as nodeHash } from 'node:crypto'
import {
  type CheckpointRule,
  createBranchHasher,
  type Inserted,
  insertLeaves,
  type LeafReference,
  leafOf,
  type NewLeaf,
  pagesOf,
  type StoredPage,
  StoredTrie,
  type StoredTrieWrites,
  TriePages,
  type TrieRoot,
} from '../../../src/trie/index.ts'

export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(nodeHash('sha256', bytes, 'buffer'))
}

/** Pages by number, and the last checkpoint; counts what is asked of it. */
export class MemorySource {
  readonly #given = new Uint8Array(64 * 1024)
  reads = 0
  pages = new Map<number, Uint8Array>()
  checkpoint: Uint8Array | undefined

  /** As the store is after a restart. */
  copy(): MemorySource {
    const copy = new MemorySource()
    copy.pages = new Map(this.pages)
    copy.checkpoint = this.checkpoint
    return copy
  }

  /** Written over with each call, as the port allows: who keeps what it gave out keeps another page. */
  get(id: number): Uint8Array | undefined {
    this.reads += 1
    const bytes = this.pages.get(id)
    if (bytes === undefined) return undefined
    this.#given.fill(0xff).set(bytes)
    return this.#given.subarray(0, bytes.length)
  }

  from(id: number): readonly StoredPage[] {
    const bytes = this.pages.get(id)
    return bytes === undefined ? [] : [{ id, bytes }]
  }

  put({ pages, checkpoint }: StoredTrieWrites): void {
    for (const piece of pages) for (const { id, bytes } of pagesOf(piece)) this.pages.set(id, bytes)
    if (checkpoint === undefined) return
    this.checkpoint = checkpoint.bytes
    for (const id of this.pages.keys()) if (id < checkpoint.firstPageId) this.pages.delete(id)
  }
}

/** Begins a checkpoint with every block, and writes one page or more of it with each. */
export const eagerRule: CheckpointRule = {
  dirtyBytesMax: 1,
  leavesMax: 1,
  blocksMax: 1,
  pieceBytes: 1,
  slackBytes: 0,
}

/** As nodes have it; elsewhere the tests do without. */
const hashBranches = createBranchHasher()

/** Every message gets a height of its own, counted on from 1; a group of them is the block of its last. */
export class MemoryTrie {
  readonly source: MemorySource
  readonly pages: TriePages
  readonly data: Uint8Array[] = []
  readonly stored: StoredTrie
  readonly dataOf = ({ height }: LeafReference): Uint8Array | undefined => this.data[height - 1]

  constructor({
    cachedBytesMax = 100_000,
    source = new MemorySource(),
    pastMax = 64,
    rule,
  }: { cachedBytesMax?: number; source?: MemorySource; pastMax?: number; rule?: CheckpointRule } = {}) {
    this.source = source
    this.pages = new TriePages({ source, hash: sha256, hashBranches, cachedBytesMax })
    const { checkpoint } = source
    this.stored = new StoredTrie({
      pages: this.pages,
      checkpoint,
      pastMax,
      ...(rule === undefined ? {} : { rule }),
    })
  }

  get root(): TrieRoot {
    return this.stored.root
  }

  insert(messages: readonly Uint8Array[]): Inserted {
    return this.insertLeaves(
      messages.map((data) => ({ ...leafOf(data, sha256), reference: this.store(data) })),
    )
  }

  /** As one block. */
  insertLeaves(leaves: readonly NewLeaf[]): Inserted {
    const inserted = insertLeaves(this.root, leaves, this.pages)
    this.source.put(this.stored.append({ height: this.stored.height + 1, inserted }))
    return inserted
  }

  store(data: Uint8Array): LeafReference {
    this.data.push(data)
    return { height: this.data.length, index: 0 }
  }
}

export function trieOf(messages: readonly Uint8Array[]): MemoryTrie {
  const trie = new MemoryTrie()
  trie.insert(messages)
  return trie
}

/** `count` different messages of `prefix`. */
export function someMessages(count: number, prefix = 'message'): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => new TextEncoder().encode(`${prefix} ${index}`))
}
