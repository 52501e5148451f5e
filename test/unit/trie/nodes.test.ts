import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  keyOf,
  loadTrie,
  proveInclusion,
  stateRootOf,
  TrieError,
  TrieNodes,
} from '../../../src/trie/index.ts'
import { type NodeRef, refTo } from '../../../src/trie/nodes.ts'
import { MemorySource, MemoryTrie, sha256, someMessages, trieOf } from './memory-trie.ts'

const hash = sha256

describe('nodes in memory', () => {
  it('are read from the source once as long as they are held', () => {
    const messages = someMessages(50)
    const built = trieOf(messages)
    const nodes = new TrieNodes({ source: built.source, hash, cachedNodesMax: 200 })
    const root = loadTrie(stateRootOf(built.root), nodes)
    built.source.reads = 0
    const proveAll = () => {
      for (const data of messages) proveInclusion(root, keyOf(data, sha256), nodes, built.dataOf)
    }
    proveAll()
    const once = built.source.reads
    assert.ok(once <= 99)
    proveAll()
    assert.equal(built.source.reads, once)
  })

  it('are never more than the limit, whatever is read', () => {
    const built = trieOf(someMessages(200))
    const nodes = new TrieNodes({ source: built.source, hash, cachedNodesMax: 7 })
    const root = loadTrie(stateRootOf(built.root), nodes)
    for (const data of someMessages(200)) {
      assert.ok(proveInclusion(root, keyOf(data, sha256), nodes, built.dataOf) !== undefined)
      assert.ok(heldBelow(root.left) + heldBelow(root.right) <= 7)
    }
  })

  it('are never more than the limit after an insertion', () => {
    const built = new MemoryTrie({ cachedNodesMax: 9 })
    for (let from = 0; from < 200; from += 20) {
      const { root } = built.insert(someMessages(200).slice(from, from + 20))
      assert.ok(heldBelow(root.left) + heldBelow(root.right) <= 9)
    }
  })

  it('that are used again and again stay, those read once go', () => {
    const built = trieOf(someMessages(400))
    const nodes = new TrieNodes({ source: built.source, hash, cachedNodesMax: 40 })
    const root = loadTrie(stateRootOf(built.root), nodes)
    const often = keyOf(someMessages(1)[0] ?? new Uint8Array(), sha256)
    let missed = 0
    for (const data of someMessages(400)) {
      proveInclusion(root, keyOf(data, sha256), nodes, built.dataOf)
      built.source.reads = 0
      proveInclusion(root, often, nodes, built.dataOf)
      missed += built.source.reads
    }
    // Ten nodes or so each time, were it pushed out by what is asked for between.
    assert.ok(missed < 100, `${missed} reads`)
  })

  it('refuses a limit below 1', () => {
    const source = new MemorySource()
    for (const cachedNodesMax of [0, -1, 1.5, Number.NaN]) {
      assert.throws(() => new TrieNodes({ source, hash, cachedNodesMax }), RangeError)
    }
  })

  it('says which record cannot be read', () => {
    const source = new MemorySource()
    const nodes = new TrieNodes({ source, hash })
    for (const record of [
      [],
      [0, 3],
      [1, 4],
      [2],
      [3],
      [1, 0, ...new Array(64).fill(7)],
      new Array(45).fill(9),
    ]) {
      const at = new Uint8Array(32)
      source.records.set('00'.repeat(32), Uint8Array.from(record))
      assert.throws(
        () => nodes.load(refTo(at)),
        (error) => error instanceof TrieError && error.code === 'bad-record',
      )
    }
  })
})

function heldBelow(ref: NodeRef | null): number {
  const node = ref?.loaded
  if (node === undefined) return 0
  return node.kind === 'leaf' ? 1 : 1 + heldBelow(node.left) + heldBelow(node.right)
}
