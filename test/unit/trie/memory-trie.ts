// A trie with its store in memory, as the tests need it.

import { hash as nodeHash } from 'node:crypto'
import {
  EMPTY_TRIE,
  type Inserted,
  insertLeaves,
  type LeafReference,
  leafOf,
  type NewLeaf,
  TrieNodes,
  type TrieRoot,
} from '../../../src/trie/index.ts'
import { hex } from './seed-vectors.ts'

export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(nodeHash('sha256', bytes, 'buffer'))
}

/** Records by hash; counts what is asked of it. */
export class MemorySource {
  reads = 0
  readonly records = new Map<string, Uint8Array>()

  get(hash: Uint8Array): Uint8Array | undefined {
    this.reads += 1
    return this.records.get(hex(hash))
  }

  put(inserted: Inserted): void {
    for (const { hash, record } of inserted.newNodes) this.records.set(hex(hash), record)
  }
}

/** Every message gets a height of its own, counted on from 1. */
export class MemoryTrie {
  root: TrieRoot = EMPTY_TRIE
  readonly source = new MemorySource()
  readonly nodes: TrieNodes
  readonly data: Uint8Array[] = []
  readonly dataOf = ({ height }: LeafReference): Uint8Array | undefined => this.data[height - 1]

  constructor({ cachedNodesMax = 1000 }: { cachedNodesMax?: number } = {}) {
    this.nodes = new TrieNodes({ source: this.source, hash: sha256, cachedNodesMax })
  }

  insert(messages: readonly Uint8Array[]): Inserted {
    return this.insertLeaves(
      messages.map((data) => ({ ...leafOf(data, sha256), reference: this.store(data) })),
    )
  }

  insertLeaves(leaves: readonly NewLeaf[]): Inserted {
    const inserted = insertLeaves(this.root, leaves, this.nodes)
    this.source.put(inserted)
    this.root = inserted.root
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
