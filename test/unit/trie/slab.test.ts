import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { insertLeaves, keyOf, leafOf, proveInclusion, stateRootOf } from '../../../src/trie/index.ts'
import { ENTRY_BYTES, type Page, type PageRef } from '../../../src/trie/page.ts'
import { SlabRow } from '../../../src/trie/slab.ts'
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

  it('leave older tries, and candidates made of them, as they were', () => {
    const trie = new MemoryTrie({ rule: neverRule })
    trie.insert(someMessages(300))
    const before = trie.root
    const leaves = someMessages(50, 'of another candidate').map((data, index) => ({
      ...leafOf(data, sha256),
      reference: { height: 301, index },
    }))
    const made = stateRootOf(insertLeaves(before, leaves, trie.pages).root)
    for (let block = 0; block < 40; block += 1) trie.insert(someMessages(60, `block ${block}`))
    for (const message of someMessages(300)) {
      assert.ok(proveInclusion(before, keyOf(message, sha256), trie.pages, () => message) !== undefined)
    }
    assert.equal(stateRootOf(insertLeaves(before, leaves, trie.pages).root), made)
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

function* refsOf({ root }: MemoryTrie): Generator<PageRef> {
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
