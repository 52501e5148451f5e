import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { firstDifference, KEY_BITS } from '../../../src/trie/encoding.ts'
import { keyOf, pagesOf, proveInclusion, TrieError, TriePages } from '../../../src/trie/index.ts'
import {
  decodePage,
  ENTRY_BYTES,
  type Entry,
  Page,
  PageRef,
  packEntry,
  packPage,
  setGap,
} from '../../../src/trie/page.ts'
import { pageCostBytes } from '../../../src/trie/pages.ts'
import { eagerRule, MemorySource, MemoryTrie, sha256, someMessages } from './memory-trie.ts'

const hash = sha256

/** All of it in the store. */
function storedTrie(count: number): MemorySource {
  const built = new MemoryTrie({ rule: { ...eagerRule, pieceBytes: 2 ** 30 } })
  built.insert(someMessages(count))
  return built.source
}

function proveAll(trie: MemoryTrie, count: number): void {
  const data = () => new Uint8Array()
  for (const message of someMessages(count)) {
    assert.ok(proveInclusion(trie.root, keyOf(message, sha256), trie.pages, data) !== undefined)
  }
}

describe('pages in memory', () => {
  it('are read from the store once as long as they are held', () => {
    const trie = new MemoryTrie({ source: storedTrie(200), cachedBytesMax: 2 ** 20 })
    trie.source.reads = 0
    proveAll(trie, 200)
    const once = trie.source.reads
    assert.equal(once, trie.source.pages.size)
    proveAll(trie, 200)
    assert.equal(trie.source.reads, once)
  })

  it('take no more room than the limit, whatever is read', () => {
    const cachedBytesMax = 9_000
    const trie = new MemoryTrie({ source: storedTrie(500), cachedBytesMax })
    for (const message of someMessages(500)) {
      proveInclusion(trie.root, keyOf(message, sha256), trie.pages, () => message)
      assert.ok(trie.pages.heldBytes <= cachedBytesMax)
    }
    const held = [...refsBelow(trie)].filter(({ page }) => page !== undefined)
    assert.ok(held.length * 2 * ENTRY_BYTES <= cachedBytesMax)
  })

  it('that are used again and again stay, those read once go', () => {
    const trie = new MemoryTrie({ source: storedTrie(1000), cachedBytesMax: 30_000 })
    const often = keyOf(someMessages(1)[0] ?? new Uint8Array(), sha256)
    let missed = 0
    for (const message of someMessages(1000)) {
      proveInclusion(trie.root, keyOf(message, sha256), trie.pages, () => message)
      trie.source.reads = 0
      proveInclusion(trie.root, often, trie.pages, () => message)
      missed += trie.source.reads
    }
    // Three pages or so each time, were it pushed out by what is asked for between.
    assert.ok(missed < 300, `${missed} reads`)
  })

  it('are those that the latest trie leads to: a version that was replaced takes no room', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 10, maxLength: 40 })
    const rule = fc.record({
      dirtyBytesMax: fc.constantFrom(1, 20_000),
      leavesMax: fc.integer({ min: 1, max: 60 }),
      blocksMax: fc.integer({ min: 1, max: 8 }),
      pieceBytes: fc.constantFrom(1, 5_000, 1e9),
      slackBytes: fc.constantFrom(0, 10_000, 1e9),
    })
    fc.assert(
      fc.property(rule, fc.constantFrom(8_000, 40_000, 1e9), sizes, (chosen, cachedBytesMax, groups) => {
        const trie = new MemoryTrie({ rule: chosen, cachedBytesMax })
        for (const [at, size] of groups.entries()) {
          trie.insert(someMessages(size, `block ${at}`))
          const held = [...refsBelow(trie)].filter(({ ringAt }) => ringAt !== undefined)
          const heldBytes = held.reduce((sum, { page }) => sum + (page ? pageCostBytes(page) : 0), 0)
          // With little room a page may go while one below it is being looked at.
          if (cachedBytesMax === 1e9) assert.equal(trie.pages.heldBytes, heldBytes)
          assert.ok(trie.pages.heldBytes <= cachedBytesMax)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('of an older trie can be read as long as the store has them', () => {
    const trie = new MemoryTrie({ source: storedTrie(300), cachedBytesMax: 2 ** 20 })
    const before = trie.root
    proveAll(trie, 300)
    trie.insert(someMessages(300, 'later'))
    for (const message of someMessages(300)) {
      const proof = proveInclusion(before, keyOf(message, sha256), trie.pages, () => message)
      assert.ok(proof !== undefined)
    }
  })

  it('refuses a limit below 1', () => {
    const source = new MemorySource()
    for (const cachedBytesMax of [0, -1, 1.5, Number.NaN]) {
      assert.throws(() => new TriePages({ source, hash, cachedBytesMax }), RangeError)
    }
  })

  it('says which page is missing, and which cannot be read', () => {
    const source = new MemorySource()
    const pages = new TriePages({ source, hash })
    const failure = (code: string) => (error: unknown) =>
      error instanceof TrieError && error.code === code && error.message.includes('page 7')
    assert.throws(() => pages.load(new PageRef(7, undefined)), failure('missing-page'))
    for (const length of [0, 1, ENTRY_BYTES - 1, ENTRY_BYTES + 1, 17 * ENTRY_BYTES]) {
      source.pages.set(7, new Uint8Array(length))
      assert.throws(() => pages.load(new PageRef(7, undefined)), failure('bad-page'))
    }
  })
})

describe('the bytes of a page', () => {
  const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const height = fc.oneof(fc.nat(), fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1))

  it('give entries back, to the last height, index and number', () => {
    const index = fc.oneof(fc.nat(), fc.constantFrom(0, 2 ** 31, 2 ** 32 - 1))
    const leaf = fc.record({ bit: fc.constant(KEY_BITS), index, id: fc.constant(undefined) })
    const page = fc.record({ bit: fc.integer({ min: 1, max: 255 }), index: fc.constant(0), id: height })
    const entry = fc.record({
      key: bytes32,
      own: bytes32,
      branch: bytes32,
      newest: height,
      is: fc.oneof(leaf, page),
    })
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 16 }), (all) => {
        const bytes = new Uint8Array(all.length * ENTRY_BYTES)
        const below = all.map(({ is }) => (is.id === undefined ? undefined : new PageRef(is.id, undefined)))
        for (const [at, { key, own, branch, newest, is }] of all.entries()) {
          const start = at * ENTRY_BYTES
          packEntry(bytes, start, { ...entryWith(key, own, branch), newest, ...is, below: below[at] })
          if (at > 0) setGap(bytes, start)
        }
        const decoded = decodePage(packed(new Page(bytes, below))) ?? assert.fail('it is a page')
        assert.equal(decoded.count, all.length)
        for (const [at, { key, own, branch, newest, is }] of all.entries()) {
          const found = decoded.entry(at)
          assert.deepEqual(found.keyIn.slice(found.keyAt, found.keyAt + 32), key)
          assert.deepEqual(decoded.hashOf(at, at + 1), own)
          assert.deepEqual(decoded.branchHash(at), branch)
          const before = all[at - 1]?.key
          if (before !== undefined) assert.equal(decoded.gap(at), firstDifference(before, key) & 0xff)
          assert.deepEqual([found.newest, found.index, found.bit], [newest, is.index, is.bit])
          assert.equal(found.below?.id, is.id)
        }
      }),
    )
  })

  it('are not written before those of the pages below have their numbers', () => {
    const page = new Page(new Uint8Array(ENTRY_BYTES), [new PageRef(undefined, undefined)])
    assert.throws(() => packed(page), RangeError)
  })

  it('hold no height that they could not give back', () => {
    const bytes = new Uint8Array(ENTRY_BYTES)
    const key = new Uint8Array(32)
    const entry = { ...entryWith(key, key, key), newest: 2 ** 48, index: 0, bit: KEY_BITS, below: undefined }
    assert.throws(() => packEntry(bytes, 0, entry), RangeError)
  })
})

/** As the log has it, without what is the log's own. */
function packed(page: Page): Uint8Array {
  const bytes = new Uint8Array(page.storedBytes)
  packPage(bytes, 0, page)
  const [stored] = pagesOf({ firstId: 1, bytes })
  return stored?.bytes.slice() ?? assert.fail('a piece of one page')
}

function entryWith(
  key: Uint8Array,
  own: Uint8Array,
  branch: Uint8Array,
): Omit<Entry, 'newest' | 'index' | 'bit' | 'below'> {
  const places = { keyIn: key, keyAt: 0, hashIn: own, hashAt: 0, branchIn: branch, branchAt: 0 }
  return { ...places, isChanged: false, level: 0 }
}

function* refsBelow({ root }: MemoryTrie): Generator<PageRef> {
  const waiting = [root.left?.below, root.right?.below]
  for (const ref of waiting) {
    if (ref === undefined) continue
    yield ref
    waiting.push(...(ref.page?.below ?? []))
  }
}
