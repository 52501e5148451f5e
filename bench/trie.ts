// What a message costs in the trie: key and leaf hash, the insertion, its share of the nodes that change. The store is
// plain memory, so the figures hold no disk time. Run: node bench/trie.ts [leaves …]

import { sha256 } from '../src/crypto/native/hash.ts'
import { EMPTY_TRIE, insertLeaves, leafOf, type NodeRecord, TrieNodes } from '../src/trie/index.ts'

const DATA_BYTES = 200
const CACHED_NODES_MAX = 50_000

/** Nodes by hash in two typed arrays: a Map of a million records would have the garbage collector in every figure. */
class FlatStore {
  reads = 0
  readonly #slotBytes = 32 + 1 + 66
  readonly #slots: Uint8Array
  readonly #slotCount: number
  readonly #freed: number[] = []
  readonly #index = new Int32Array(2 ** 23).fill(-1)
  #used = 0

  constructor(slotCount: number) {
    this.#slotCount = slotCount
    this.#slots = new Uint8Array(slotCount * this.#slotBytes)
  }

  get(hash: Uint8Array): Uint8Array | undefined {
    this.reads += 1
    const at = this.#at(hash)
    const slot = this.#index[at] ?? -1
    if (slot < 0) return undefined
    const start = slot * this.#slotBytes
    return this.#slots.slice(start + 33, start + 33 + (this.#slots[start + 32] ?? 0))
  }

  put({ hash, record }: NodeRecord): void {
    const slot = this.#freed.pop() ?? this.#used++
    if (slot >= this.#slotCount) throw new RangeError('the store is full')
    const start = slot * this.#slotBytes
    this.#slots.set(hash, start)
    this.#slots[start + 32] = record.length
    this.#slots.set(record, start + 33)
    this.#index[this.#at(hash)] = slot
  }

  delete(hash: Uint8Array): void {
    const at = this.#at(hash)
    const slot = this.#index[at] ?? -1
    if (slot < 0) return
    this.#freed.push(slot)
    this.#index[at] = -2
  }

  /** Where the hash is in the index, or the empty place at which it would be. */
  #at(hash: Uint8Array): number {
    const mask = this.#index.length - 1
    let at = new DataView(hash.buffer, hash.byteOffset).getUint32(4) & mask
    for (; this.#index[at] !== -1; at = (at + 1) & mask) {
      const slot = this.#index[at] ?? -1
      if (slot >= 0 && this.#holds(slot, hash)) return at
    }
    return at
  }

  #holds(slot: number, hash: Uint8Array): boolean {
    const start = slot * this.#slotBytes
    for (let byte = 0; byte < 32; byte += 1) if (this.#slots[start + byte] !== hash[byte]) return false
    return true
  }
}

/** The n-th of a fixed series of messages. */
function dataOf(n: number): Uint8Array {
  const data = new Uint8Array(DATA_BYTES)
  new DataView(data.buffer).setUint32(0, n)
  return data
}

function measure({ leafCount, groupSize }: { leafCount: number; groupSize: number }): void {
  const source = new FlatStore(2 * leafCount + 20 * groupSize)
  const nodes = new TrieNodes({ source, hash: sha256, cachedNodesMax: CACHED_NODES_MAX })
  let root = EMPTY_TRIE
  let written = 0
  let lastTenthMs = 0
  let totalMs = 0
  for (let from = 0; from < leafCount; from += groupSize) {
    const messages = Array.from({ length: groupSize }, (_, index) => dataOf(from + index))
    const startMs = performance.now()
    const leaves = messages.map((data, index) => ({
      ...leafOf(data, sha256),
      reference: { height: from / groupSize, index },
    }))
    const inserted = insertLeaves(root, leaves, nodes)
    const tookMs = performance.now() - startMs
    root = inserted.root
    for (const node of inserted.newNodes) source.put(node)
    for (const replaced of inserted.replacedNodes) source.delete(replaced)
    written += inserted.newNodes.length
    totalMs += tookMs
    if (from >= leafCount * 0.9) lastTenthMs += tookMs
  }
  const perLeaf = (amount: number, leaves = leafCount) => (amount / leaves).toFixed(1)
  console.log(
    `${leafCount} leaves of ${DATA_BYTES} B in groups of ${groupSize}: ${perLeaf(1000 * totalMs)} µs a leaf, ` +
      `the last tenth ${perLeaf(1000 * lastTenthMs, leafCount / 10)} µs; ` +
      `${perLeaf(written)} nodes written and ${perLeaf(source.reads)} read a leaf`,
  )
}

const asked = process.argv.slice(2).map(Number)
for (const leafCount of asked.length > 0 ? asked : [100_000, 500_000]) {
  for (const groupSize of [100, 1000]) measure({ leafCount, groupSize })
}
