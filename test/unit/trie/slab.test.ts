import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  insertLeaves,
  keyOf,
  leafOf,
  type NewLeaf,
  proveInclusion,
  stateRootOf,
  type TrieRoot,
} from '../../../src/trie/index.ts'
import { ENTRY_BYTES, type Page, type PageRef } from '../../../src/trie/page.ts'
import { type Slab, SlabRow } from '../../../src/trie/slab.ts'
import { eagerRule, MemoryTrie, sha256, someMessages } from './memory-trie.ts'

/** Nothing is written: all pages stay in memory alone. */
const neverRule = { dirtyBytesMax: 1e12, leavesMax: 1e12, blocksMax: 1e12, pieceBytes: 1, slackBytes: 0 }

describe('slabs', () => {
  it('of the pages in memory hold little else, after whatever number of blocks', () => {
    // Of those that were loaded again as well.
    const settings = [{ rule: neverRule }, { rule: eagerRule, cachedBytesMax: 200_000 }]
    for (const [blockSize, setting] of [1, 40, 700].flatMap((size) =>
      settings.map((each) => [size, each] as const),
    )) {
      const trie = new MemoryTrie(setting)
      for (let block = 0; block < 60; block += 1) trie.insert(someMessages(blockSize, `block ${block}`))
      const pages = pagesOf(trie)
      const pageBytes = pages.reduce((sum, { count }) => sum + count * ENTRY_BYTES, 0)
      const slabBytes = [...new Set(pages.map(({ bytes }) => bytes))].reduce(
        (sum, { length }) => sum + length,
        0,
      )
      // A slab is copied out below three fifths; the last of a block and the one that is copied to are not full.
      assert.ok(slabBytes <= pageBytes / 0.6 + 3 * 64 * 1024, `${slabBytes} bytes for ${pageBytes}`)
    }
  })

  it('know of no page but those of the latest trie, or all that is below a version that was left would stay', () => {
    for (const rule of [neverRule, { ...eagerRule, pieceBytes: 3_000 }]) {
      const trie = new MemoryTrie({ rule, cachedBytesMax: 1e9 })
      for (let block = 0; block < 60; block += 1) trie.insert(someMessages(30, `block ${block}`))
      // What is being written may have been replaced meanwhile.
      for (let more = 0; more < 400; more += 1) trie.insert([])
      const refs = [...refsOf(trie)]
      const slabs = new Set(refs.flatMap(({ slab }) => slab ?? []))
      assert.ok(slabs.size > 0)
      const known = [...slabs].flatMap((slab) => slab.refs.filter((ref) => ref !== undefined))
      assert.deepEqual(new Set(known), new Set(refs.filter(({ slab }) => slab !== undefined)))
    }
  })

  it('keep the trie before the latest, and candidates made of it, as they were', () => {
    const trie = new MemoryTrie({ rule: neverRule })
    trie.insert(someMessages(3_000))
    for (let block = 0; block < 40; block += 1) {
      const before = trie.root
      const candidate = insertLeaves(before, leavesOf(`candidate ${block}`), trie.pages)
      trie.insert(someMessages(900, `block ${block}`))
      for (const message of someMessages(300))
        assert.ok(proveInclusion(before, keyOf(message, sha256), trie.pages, () => message) !== undefined)
      const again = insertLeaves(before, leavesOf(`candidate ${block}`), trie.pages)
      assert.equal(stateRootOf(again.root), stateRootOf(candidate.root))
    }
  })

  it('are used again for what comes, and a trie that is no longer kept is refused, not read from them', () => {
    const trie = new MemoryTrie({ rule: neverRule })
    trie.insert(someMessages(3_000))
    const before = trie.root
    const slabs = new Set(slabsOf(trie))
    for (let block = 0; block < 12; block += 1) trie.insert(someMessages(900, `block ${block}`))
    assert.ok(slabsOf(trie).some((slab) => slabs.has(slab) && slab.uses > 0))
    let refused = 0
    for (const message of someMessages(3_000)) {
      try {
        assert.ok(proveInclusion(before, keyOf(message, sha256), trie.pages, () => message) !== undefined)
      } catch (error) {
        assert.ok(error instanceof RangeError, `${error}`)
        refused += 1
      }
    }
    assert.ok(refused > 0)
  })

  it('that are used again leave nothing behind in the fields of a leaf', () => {
    // Pages that name stored ones have a number where a leaf has zeros.
    const rule = { ...neverRule, blocksMax: 5, pieceBytes: 1e9 }
    const trie = new MemoryTrie({ rule, cachedBytesMax: 1e9 })
    for (let block = 0; block < 40; block += 1) trie.insert(someMessages(900, `block ${block}`))
    assert.ok(slabsOf(trie).some((slab) => slab.uses > 0))
    for (const page of pagesOf(trie))
      for (let at = 0; at < page.count; at += 1) {
        const end = page.offset(at + 1)
        if (page.bit(at) === 256) assert.deepEqual([...page.bytes.subarray(end - 2, end)], [0, 0])
      }
  })

  it('of a candidate that was neither taken nor discarded are never used again for others', () => {
    const trie = new MemoryTrie({ rule: neverRule })
    trie.insert(someMessages(3_000))
    const candidate = insertLeaves(trie.root, leavesOf('candidate'), trie.pages).root
    const slabs = [...refsOf({ root: candidate })].flatMap(({ slab }) => slab ?? [])
    for (let block = 0; block < 30; block += 1) trie.insert(someMessages(900, `block ${block}`))
    const made = slabs.filter((slab) => slab.uses === 0 && !slabsOf(trie).includes(slab))
    assert.ok(made.length > 0)
  })

  it('of a candidate that is discarded are used again at once, each for one group', () => {
    const [trie, straight] = [new MemoryTrie({ rule: neverRule }), new MemoryTrie({ rule: neverRule })]
    for (const each of [trie, straight]) each.insert(someMessages(5_000))
    for (let block = 0; block < 30; block += 1) {
      const before = trie.root
      const candidate = insertLeaves(before, leavesOf(`candidate ${block}`, 900), trie.pages)
      for (const each of [trie, straight]) each.insert(someMessages(900, `block ${block}`))
      trie.pages.discard(candidate)
      // Again changes nothing.
      trie.pages.discard(candidate)
      const large = new Set(candidate.slabs.filter(({ bytes }) => bytes.length === 64 * 1024))
      const first = insertLeaves(trie.root, leavesOf(`a ${block}`, 900), trie.pages)
      assert.ok(first.slabs.some((slab) => large.has(slab)))
      // Nor when others lie there by now.
      trie.pages.discard(candidate)
      const second = insertLeaves(trie.root, leavesOf(`b ${block}`, 900), trie.pages)
      assert.ok(!first.slabs.some((slab) => second.slabs.includes(slab)))
      for (const group of [first, second]) trie.pages.discard(group)
      assert.equal(stateRootOf(trie.root), stateRootOf(straight.root))
    }
    const again = insertLeaves(trie.root, leavesOf('last'), trie.pages)
    assert.equal(
      stateRootOf(again.root),
      stateRootOf(insertLeaves(straight.root, leavesOf('last'), straight.pages).root),
    )
    for (const message of someMessages(900, 'block 3'))
      assert.ok(proveInclusion(trie.root, keyOf(message, sha256), trie.pages, () => message) !== undefined)
  })

  it('of a group that the latest trie has taken are not given back', () => {
    const [trie, straight] = [new MemoryTrie({ rule: neverRule }), new MemoryTrie({ rule: neverRule })]
    for (let block = 0; block < 6; block += 1) {
      straight.insert(someMessages(900, `block ${block}`))
      trie.pages.discard(trie.insert(someMessages(900, `block ${block}`)))
      trie.pages.discard(insertLeaves(trie.root, leavesOf(`candidate ${block}`, 900), trie.pages))
      assert.equal(stateRootOf(trie.root), stateRootOf(straight.root))
    }
    for (const message of someMessages(900, 'block 0'))
      assert.ok(proveInclusion(trie.root, keyOf(message, sha256), trie.pages, () => message) !== undefined)
  })

  it('of a candidate that is discarded are never read as its own again', () => {
    const trie = new MemoryTrie({ rule: neverRule })
    trie.insert(someMessages(3_000))
    const candidate = insertLeaves(trie.root, leavesOf('candidate', 900), trie.pages)
    trie.pages.discard(candidate)
    let refused = 0
    for (const message of someMessages(900, 'candidate')) {
      try {
        assert.ok(
          proveInclusion(candidate.root, keyOf(message, sha256), trie.pages, () => message) !== undefined,
        )
      } catch (error) {
        assert.ok(error instanceof RangeError, `${error}`)
        refused += 1
      }
    }
    assert.ok(refused > 0)
  })

  it('do not pile up while the trie is only read, and what is read is right', () => {
    const trie = new MemoryTrie({ rule: eagerRule, cachedBytesMax: 100_000 })
    const messages = someMessages(12_000)
    for (let at = 0; at < messages.length; at += 500) trie.insert(messages.slice(at, at + 500))
    for (let more = 0; more < 3; more += 1) trie.insert([])
    let most = 0
    // Each proof reads pages that others had to go for: 130 MiB in all.
    for (let round = 0; round < 8; round += 1) {
      for (const message of messages)
        assert.ok(proveInclusion(trie.root, keyOf(message, sha256), trie.pages, () => message) !== undefined)
      most = Math.max(most, trie.pages.waitingBytes)
    }
    assert.ok(most > 32 * 2 ** 20 && most < 72 * 2 ** 20, `${most}`)
    const straight = new MemoryTrie({ rule: neverRule })
    for (const each of [trie, straight]) each.insert(someMessages(700, 'more'))
    for (let at = 0; at < messages.length; at += 500) straight.insert(messages.slice(at, at + 500))
    assert.equal(stateRootOf(trie.root), stateRootOf(straight.root))
  })

  it('that no block needs for a while are kept no longer', () => {
    const trie = new MemoryTrie({ rule: neverRule })
    trie.insert(someMessages(5_000))
    const burst = [1, 2, 3, 4, 5, 6].map((each) =>
      insertLeaves(trie.root, leavesOf(`${each}`, 3_000), trie.pages),
    )
    for (const candidate of burst) trie.pages.discard(candidate)
    const atFirst = trie.pages.waitingBytes
    for (let block = 0; block < 200; block += 1) trie.insert(someMessages(1, `block ${block}`))
    assert.ok(
      atFirst > 2 ** 20 && trie.pages.waitingBytes < atFirst / 2,
      `${atFirst}, ${trie.pages.waitingBytes}`,
    )
  })

  it('hand out room that is no other page’s, and nothing more of one that was ended', () => {
    const row = new SlabRow()
    const first = row.room(1_000)
    const second = row.room(1_000)
    assert.equal(second.slab, first.slab)
    assert.equal(second.start, first.start + 1_000)
    row.end(first.slab)
    assert.notEqual(row.room(1_000).slab, first.slab)
    assert.ok(row.room(1_000_000).slab.bytes.length >= 1_000_000)
  })
})

/** Leaves of nobody's block. */
function leavesOf(prefix: string, count = 50): NewLeaf[] {
  return someMessages(count, prefix).map((data, index) => ({
    ...leafOf(data, sha256),
    reference: { height: 1e6, index },
  }))
}

function slabsOf(trie: MemoryTrie): Slab[] {
  return [...refsOf(trie)].flatMap(({ slab }) => slab ?? [])
}

function* refsOf({ root }: { readonly root: TrieRoot }): Generator<PageRef> {
  const waiting: (PageRef | undefined)[] = [root.left?.below, root.right?.below]
  for (const ref of waiting) {
    if (ref?.page === undefined) continue
    yield ref
    waiting.push(...ref.page.below)
  }
}

function pagesOf(trie: MemoryTrie): Page[] {
  return [...refsOf(trie)].flatMap(({ page }) => page ?? [])
}
