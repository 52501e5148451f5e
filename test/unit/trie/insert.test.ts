import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { bitOf, encodeBranch, encodeRoot, firstDifference, keyOf } from '../../../src/trie/encoding.ts'
import {
  EMPTY_STATE_ROOT,
  EMPTY_TRIE,
  insertLeaves,
  leafOf,
  type NewLeaf,
  pathTo,
  stateRootOf,
} from '../../../src/trie/index.ts'
import type { PageRef } from '../../../src/trie/page.ts'
import { eagerRule, MemoryTrie, sha256, someMessages, trieOf } from './memory-trie.ts'
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
        fc.integer({ min: 1, max: 30_000 }),
      )
      fc.assert(
        fc.property(orders, ([order, sizes, cachedBytesMax]) => {
          const built = new MemoryTrie({ cachedBytesMax, rule: eagerRule })
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
        const built = new MemoryTrie({ cachedBytesMax: 1, rule: eagerRule })
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
    const nothing = {
      replacedPages: [],
      changedBuckets: [],
      grownBytes: 0,
      storedGrowthBytes: 0,
      added: 0,
      slabs: [],
    }
    assert.deepEqual(again, { root: first.root, ...nothing })
    assert.deepEqual(pathTo(built.root, key, built.pages).leaf?.reference, { height: 3, index: 7 })
  })

  it('gives an empty group back as it came', () => {
    const { pages } = new MemoryTrie()
    const inserted = insertLeaves(EMPTY_TRIE, [], pages)
    assert.equal(inserted.root, EMPTY_TRIE)
    assert.equal(stateRootOf(inserted.root), EMPTY_STATE_ROOT)
  })

  it('names the pages that it replaces, and the first bytes of what it adds', () => {
    const messages = someMessages(300)
    const built = trieOf(messages.slice(0, 200))
    const before = new Set(pagesOf(built))
    const inserted = built.insert(messages.slice(150))
    assert.equal(inserted.added, 100)
    const after = new Set(pagesOf(built))
    const gone = [...before].filter((page) => !after.has(page))
    assert.deepEqual(new Set(inserted.replacedPages), new Set(gone))
    const buckets = messages.slice(200).map((data) => keyOf(data, sha256)[0] ?? -1)
    assert.deepEqual(
      inserted.changedBuckets,
      [...new Set(buckets)].sort((a, b) => a - b),
    )
  })

  it('leaves the older roots as they were', () => {
    const built = new MemoryTrie()
    const roots = someMessages(30).map((data) => built.insert([data]).root)
    for (const [index, root] of roots.entries()) {
      const again = trieOf(someMessages(30).slice(0, index + 1))
      assert.equal(stateRootOf(root), stateRootOf(again.root))
      const next = someMessages(30).slice(index + 1, index + 2)
      const leaves = next.map((data) => ({ ...leafOf(data, sha256), reference: NOWHERE }))
      assert.equal(insertLeaves(root, leaves, built.pages).added, next.length)
    }
  })

  it('refuses a key or leaf hash that is not 32 bytes', () => {
    const { pages } = new MemoryTrie()
    const leaf = { key: new Uint8Array(32), leafHash: new Uint8Array(32), reference: NOWHERE }
    assert.throws(() => insertLeaves(EMPTY_TRIE, [{ ...leaf, key: new Uint8Array(31) }], pages), RangeError)
    assert.throws(
      () => insertLeaves(EMPTY_TRIE, [{ ...leaf, leafHash: new Uint8Array(33) }], pages),
      RangeError,
    )
  })
})

function pagesOf({ root }: MemoryTrie): PageRef[] {
  const refs = [root.left, root.right].flatMap((side) => (side?.below === undefined ? [] : [side.below]))
  for (const ref of refs) refs.push(...(ref.page?.below ?? []).filter((below) => below !== undefined))
  return refs
}

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
