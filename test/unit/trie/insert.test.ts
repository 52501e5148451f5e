import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { bitOf, encodeBranch, encodeRoot, firstDifference } from '../../../src/trie/encoding.ts'
import {
  EMPTY_STATE_ROOT,
  EMPTY_TRIE,
  insertLeaves,
  leafOf,
  loadTrie,
  type NewLeaf,
  stateRootOf,
  TrieError,
  TrieNodes,
} from '../../../src/trie/index.ts'
import { MemorySource, MemoryTrie, sha256, someMessages, trieOf } from './memory-trie.ts'
import { hex, seedNonCanonicalTries, tries, unhex } from './seed-vectors.ts'

const NOWHERE = { height: 0, index: 0 }

describe('inserting leaves', () => {
  for (const trie of tries) {
    const leaves: NewLeaf[] = trie.messages.map(({ keyHex, leafHashHex }) => ({
      key: unhex(keyHex),
      leafHash: unhex(leafHashHex),
      reference: NOWHERE,
    }))

    it(`gives the canonical root after every insertion: ${trie.name}`, () => {
      const built = new MemoryTrie()
      for (const [index, message] of trie.seedInsertOrder.entries()) {
        built.insertLeaves(leaves.slice(message, message + 1))
        assert.equal(stateRootOf(built.root), trie.rootHashAfterEachInsert[index])
      }
      assert.equal(stateRootOf(built.root), trie.rootHashHex)
    })

    it(`gives the same root one by one in the listed order, and as one group: ${trie.name}`, () => {
      const oneByOne = new MemoryTrie()
      for (const leaf of leaves) oneByOne.insertLeaves([leaf])
      assert.equal(stateRootOf(oneByOne.root), trie.rootHashHex)
      const asOne = new MemoryTrie()
      assert.equal(asOne.insertLeaves(leaves).added, leaves.length)
      assert.equal(stateRootOf(asOne.root), trie.rootHashHex)
    })

    it(`gives the same root in any order and any groups: ${trie.name}`, () => {
      const orders = fc.tuple(
        fc.shuffledSubarray(leaves, { minLength: leaves.length }),
        fc.array(fc.integer({ min: 1, max: leaves.length }), { minLength: 1 }),
        fc.integer({ min: 1, max: 30 }),
      )
      fc.assert(
        fc.property(orders, ([order, sizes, cachedNodesMax]) => {
          const built = new MemoryTrie({ cachedNodesMax })
          for (let from = 0, group = 0; from < order.length; group += 1) {
            const size = sizes[group % sizes.length] ?? 1
            built.insertLeaves(order.slice(from, from + size))
            from += size
          }
          assert.equal(stateRootOf(built.root), trie.rootHashHex)
        }),
        { numRuns: 10 },
      )
    })
  }

  for (const { messagesInOrder, seedRootHashHex, canonicalRootHashHex } of seedNonCanonicalTries) {
    it(`never gives the original's order-dependent root ${seedRootHashHex.slice(0, 8)}`, () => {
      const built = new MemoryTrie()
      for (const dataHex of messagesInOrder) built.insert([unhex(dataHex)])
      assert.equal(stateRootOf(built.root), canonicalRootHashHex)
      assert.notEqual(stateRootOf(built.root), seedRootHashHex)
    })
  }

  it('gives what the rules of the canonical shape say, word for word, for keys with long common prefixes', () => {
    const key = fc
      .tuple(fc.constantFrom(0x00, 0x01, 0x80, 0xff), fc.nat(31), fc.integer({ min: 0, max: 255 }))
      .map(([fill, at, byte]) => new Uint8Array(32).fill(fill).with(at, byte))
    fc.assert(
      fc.property(fc.array(fc.array(key, { maxLength: 12 }), { maxLength: 4 }), (groups) => {
        const built = new MemoryTrie({ cachedNodesMax: 3 })
        for (const group of groups) built.insertLeaves(group.map(leafAt))
        const all = new Map(groups.flat().map((each) => [hex(each), each]))
        assert.equal(stateRootOf(built.root), hex(rootByTheRules([...all.values()])))
      }),
    )
  })

  it('keeps the first leaf of a key, in the trie or in one group, and changes nothing for others', () => {
    const [key, other] = [new Uint8Array(32), new Uint8Array(32).fill(9)]
    const named = (height: number, at = key) => ({
      key: at,
      leafHash: sha256(at),
      reference: { height, index: 7 },
    })
    const built = new MemoryTrie()
    const first = built.insertLeaves([named(3), named(1), named(2), named(4, other)])
    assert.equal(first.added, 2)
    const again = built.insertLeaves([named(9), named(8, other)])
    assert.deepEqual(again, { root: first.root, newNodes: [], replacedNodes: [], added: 0 })
    const record = built.source.records.get(hex(sha256(key)))
    assert.equal(hex(record?.slice(-12) ?? key), '000000000000000300000007')
  })

  it('gives an empty group back as it came', () => {
    const { nodes } = new MemoryTrie()
    const inserted = insertLeaves(EMPTY_TRIE, [], nodes)
    assert.equal(inserted.root, EMPTY_TRIE)
    assert.equal(stateRootOf(inserted.root), EMPTY_STATE_ROOT)
  })

  it('hashes and returns each node of the group once, the root last, and what it replaces', () => {
    const messages = someMessages(300)
    const built = trieOf(messages.slice(0, 200))
    const before = new Set(built.source.records.keys())
    const inserted = built.insert(messages.slice(150))
    assert.equal(inserted.added, 100)
    const hashes = inserted.newNodes.map(({ hash }) => hex(hash))
    assert.equal(new Set(hashes).size, hashes.length)
    assert.equal(hashes.at(-1), stateRootOf(inserted.root))
    assert.ok(hashes.every((hash) => !before.has(hash)))
    // What is left without the replaced nodes is the trie, no node more: 300 leaves, a root, the branches.
    for (const hash of inserted.replacedNodes) assert.ok(built.source.records.delete(hex(hash)))
    assert.equal(built.source.records.size, 300 + 1 + 298)
    const fresh = new TrieNodes({ source: built.source, hash: sha256 })
    const all = messages.map((data) => ({ ...leafOf(data, sha256), reference: NOWHERE }))
    assert.equal(insertLeaves(loadTrie(stateRootOf(inserted.root), fresh), all, fresh).added, 0)
  })

  it('goes on after a restart from the root hash and the records alone', () => {
    const messages = someMessages(120)
    const built = trieOf(messages.slice(0, 60))
    const nodes = new TrieNodes({ source: built.source, hash: sha256 })
    const leaves = messages.slice(60).map((data) => ({ ...leafOf(data, sha256), reference: NOWHERE }))
    const restarted = insertLeaves(loadTrie(stateRootOf(built.root), nodes), leaves, nodes)
    const kept = insertLeaves(built.root, leaves, built.nodes)
    assert.equal(stateRootOf(restarted.root), stateRootOf(kept.root))
    assert.deepEqual(
      restarted.newNodes.map(({ hash, record }) => [hex(hash), hex(record)]),
      kept.newNodes.map(({ hash, record }) => [hex(hash), hex(record)]),
    )
  })

  it('leaves the older roots as they were', () => {
    const built = new MemoryTrie({ cachedNodesMax: 5 })
    const roots = someMessages(30).map((data) => built.insert([data]).root)
    for (const [index, root] of roots.entries()) {
      const again = trieOf(someMessages(30).slice(0, index + 1))
      assert.equal(stateRootOf(root), stateRootOf(again.root))
      const next = someMessages(30).slice(index + 1, index + 2)
      const leaves = next.map((data) => ({ ...leafOf(data, sha256), reference: NOWHERE }))
      assert.equal(insertLeaves(root, leaves, built.nodes).added, next.length)
    }
  })

  it('says which node the store lacks', () => {
    const built = trieOf(someMessages(50))
    const nodes = new TrieNodes({ source: new MemorySource(), hash: sha256 })
    assert.throws(
      () => loadTrie(stateRootOf(built.root), nodes),
      (error) =>
        error instanceof TrieError &&
        error.code === 'missing-node' &&
        error.message.includes(stateRootOf(built.root)),
    )
  })

  it('refuses a key or leaf hash that is not 32 bytes', () => {
    const { nodes } = new MemoryTrie()
    const leaf = { key: new Uint8Array(32), leafHash: new Uint8Array(32), reference: NOWHERE }
    assert.throws(() => insertLeaves(EMPTY_TRIE, [{ ...leaf, key: new Uint8Array(31) }], nodes), RangeError)
    assert.throws(
      () => insertLeaves(EMPTY_TRIE, [{ ...leaf, leafHash: new Uint8Array(33) }], nodes),
      RangeError,
    )
  })
})

function leafAt(key: Uint8Array): NewLeaf {
  return { key, leafHash: sha256(key), reference: NOWHERE }
}

/** The construction in the notes on the original, said again in the plainest way. */
function rootByTheRules(keys: readonly Uint8Array[]): Uint8Array {
  if (keys.length === 0) return new Uint8Array(32)
  return sha256(encodeRoot(subtree(withBit(keys, 0, 0)), subtree(withBit(keys, 0, 1))))
}

function subtree(keys: readonly Uint8Array[]): Uint8Array | null {
  const [first, ...others] = keys
  if (first === undefined) return null
  if (others.length === 0) return sha256(first)
  const bit = Math.min(...others.map((key) => firstDifference(first, key)))
  const [left, right] = [subtree(withBit(keys, bit, 0)), subtree(withBit(keys, bit, 1))]
  assert.ok(left !== null && right !== null)
  return sha256(encodeBranch(bit, left, right))
}

function withBit(keys: readonly Uint8Array[], bit: number, value: 0 | 1): Uint8Array[] {
  return keys.filter((key) => bitOf(key, bit) === value)
}
