// What a message costs in the trie: key and leaf hash, the insertion, its share of the pages that change and are
// written. The store is plain memory, so the figures hold no disk time. Run: node bench/trie.ts [leaves …]

import { sha256 } from '../src/crypto/native/hash.ts'
import { MemoryPageLog } from '../src/storage/index.ts'
import { createBranchHasher, insertGroup, LeafGroup, StoredTrie, TriePages } from '../src/trie/index.ts'

const DATA_BYTES = 200

/** Processor time of this process: on a shared machine the clock on the wall measures the others. */
function cpuMs(): number {
  return process.cpuUsage().user / 1000
}

/** The n-th of a fixed series of messages. */
function dataOf(n: number): Uint8Array {
  const data = new Uint8Array(DATA_BYTES)
  new DataView(data.buffer).setUint32(0, n)
  return data
}

async function measure({ leafCount, groupSize }: { leafCount: number; groupSize: number }): Promise<void> {
  const log = new MemoryPageLog()
  let reads = 0
  const get = (id: number) => {
    reads += 1
    return log.get(id)
  }
  const source = { get, from: (id: number) => log.from(id) }
  const pages = new TriePages({ source, hash: sha256, hashBranches: createBranchHasher() })
  const trie = new StoredTrie({ pages, checkpoint: undefined, pastMax: 64 })
  let writtenBytes = 0
  let [totalMs, lastTenthMs, leavesMs] = [0, 0, 0]
  for (let from = 0, height = 1; from < leafCount; from += groupSize, height += 1) {
    const messages = Array.from({ length: groupSize }, (_, index) => dataOf(from + index))
    const startMs = cpuMs()
    const group = LeafGroup.ofBlock(height, messages, sha256)
    leavesMs += cpuMs() - startMs
    const inserted = insertGroup(trie.root, group, pages)
    const writes = trie.append({ height, inserted })
    const tookMs = cpuMs() - startMs
    for (const piece of writes.pages) {
      await log.append(piece)
      writtenBytes += piece.bytes.length
    }
    if (writes.checkpoint !== undefined) await log.release(writes.checkpoint.firstPageId)
    totalMs += tookMs
    if (from >= leafCount * 0.9) lastTenthMs += tookMs
  }
  const perLeaf = (amount: number, leaves = leafCount) => (amount / leaves).toFixed(2)
  console.log(
    `${leafCount} leaves of ${DATA_BYTES} B in groups of ${groupSize}: ${perLeaf(1000 * totalMs)} µs a leaf, ` +
      `the last tenth ${perLeaf(1000 * lastTenthMs, leafCount / 10)} µs, of it hashing leaves ${perLeaf(1000 * leavesMs)} µs; ` +
      `${perLeaf(writtenBytes)} B written and ${perLeaf(reads)} pages read a leaf`,
  )
}

const asked = process.argv.slice(2).map(Number)
for (const leafCount of asked.length > 0 ? asked : [100_000, 500_000]) {
  for (const groupSize of [100, 1000]) await measure({ leafCount, groupSize })
}
