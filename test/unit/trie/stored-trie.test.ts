import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  auditTrie,
  type CheckpointRule,
  decodeCheckpoint,
  EMPTY_STATE_ROOT,
  insertLeaves,
  leafOf,
  type NewLeaf,
  PAGE_ROOM_BYTES,
  stateRootOf,
  TrieError,
  TriePages,
} from '../../../src/trie/index.ts'
import type { PageRef } from '../../../src/trie/page.ts'
import { pageCostBytes } from '../../../src/trie/pages.ts'
import { eagerRule, MemorySource, MemoryTrie, sha256, someMessages } from './memory-trie.ts'

/** The pages that the checkpoint of a store leads to; all of it sound. */
function auditedPages(source: MemorySource, whole: MemoryTrie): Set<number> {
  const { checkpoint } = source
  if (checkpoint === undefined) return new Set()
  const pages = new TriePages({ source, hash: sha256 })
  const { root, height } = decodeCheckpoint(checkpoint, pages)
  const problems: string[] = []
  const rebuilt = { root: whole.root, pages: whole.pages }
  const ids = auditTrie({ stored: { root, pages }, rebuilt, height, onProblem: (one) => problems.push(one) })
  assert.deepEqual(problems, [])
  return ids
}

describe('a stored trie', () => {
  it('is taken up from any moment of any checkpoint, and goes on to the same roots and the same pages', () => {
    const rule = fc.record({
      dirtyBytesMax: fc.constantFrom(1, 2_000, 20_000),
      leavesMax: fc.integer({ min: 1, max: 60 }),
      blocksMax: fc.integer({ min: 1, max: 8 }),
      pieceBytes: fc.constantFrom(1, 1_000, 5_000),
      slackBytes: fc.constantFrom(0, 3_000, 1e9),
    })
    const sizes = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 25 })
    fc.assert(
      fc.property(rule, sizes, fc.nat({ max: 24 }), (chosen, groups, stop) => {
        const source = new MemorySource()
        const first = new MemoryTrie({ source, rule: chosen, cachedBytesMax: 4_000 })
        const roots = [EMPTY_STATE_ROOT as string]
        for (const [at, size] of groups.entries()) {
          insertBlock(first, at + 1, size)
          roots.push(stateRootOf(first.root))
          auditedPages(source, first)
          if (at === stop) break
        }
        const restarted = new MemoryTrie({ source: source.copy(), rule: chosen, cachedBytesMax: 4_000 })
        assert.equal(stateRootOf(restarted.root), roots[restarted.stored.height])
        // What a checkpoint that was cut off has left.
        for (const id of restarted.source.pages.keys()) {
          if (id >= restarted.stored.pageRange.next) restarted.source.pages.delete(id)
        }
        for (const [at, size] of groups.entries()) {
          if (at < restarted.stored.height) continue
          insertBlock(restarted, at + 1, size)
        }
        const whole = new MemoryTrie()
        for (const [at, size] of groups.entries()) insertBlock(whole, at + 1, size)
        assert.equal(stateRootOf(restarted.root), stateRootOf(whole.root))
        auditedPages(restarted.source, whole)
      }),
      { numRuns: 60 },
    )
  })

  it('writes its pages one behind the other, and each once but for those that it cleans out of the way', () => {
    const source = new MemorySource()
    const rule = { ...eagerRule, blocksMax: 3, leavesMax: 1000, dirtyBytesMax: 1e9, slackBytes: 1e9 }
    const trie = new MemoryTrie({ source, rule })
    for (let height = 1; height <= 60; height += 1) insertBlock(trie, height, 9)
    let next = 1
    for (const [id, bytes] of source.pages) {
      assert.equal(id, next)
      next = id + bytes.length + PAGE_ROOM_BYTES
    }
    assert.equal(
      new Set([...source.pages.values()].map((bytes) => Buffer.from(bytes).toString('hex'))).size,
      source.pages.size,
    )
  })

  it('cleans its log, which takes no more than twice what the trie does, what it may besides and what is on its way', () => {
    const slackBytes = 20_000
    for (const cachedBytesMax of [1, 20_000, 1e9]) {
      const source = new MemorySource()
      const rule = { dirtyBytesMax: 40_000, leavesMax: 1e9, blocksMax: 1e9, pieceBytes: 10_000, slackBytes }
      let trie = new MemoryTrie({ source, rule, cachedBytesMax })
      let [checkpoints, released] = [0, 0]
      for (let height = 1; height <= 400; height += 1) {
        const before = source.checkpoint
        insertBlock(trie, height, 12)
        if (source.checkpoint === before) continue
        checkpoints += 1
        const trieBytes = [...auditedPages(source, trie)].reduce(
          (sum, id) => sum + storedBytes(source, id),
          0,
        )
        const logBytes = [...source.pages.keys()].reduce((sum, id) => sum + storedBytes(source, id), 0)
        // What came while the checkpoint before was written, and could not be cleaned, is as much as that once more.
        assert.ok(logBytes <= 2 * trieBytes + slackBytes + 3 * 40_000, `${logBytes} bytes for ${trieBytes}`)
        released = Math.max(released, Math.min(...source.pages.keys()))
        // What is dead is forgotten at a start.
        if (checkpoints % 7 === 0) trie = restartedFrom(trie, source, { rule, cachedBytesMax })
      }
      assert.ok(
        checkpoints > 20 && released > 100_000,
        `${checkpoints} checkpoints, cleaned up to ${released}`,
      )
    }
  })

  it('writes nothing with a block until a checkpoint is due, and then in pieces', () => {
    const rule: CheckpointRule = {
      dirtyBytesMax: 1e9,
      leavesMax: 100,
      blocksMax: 1e9,
      pieceBytes: 2_000,
      slackBytes: 0,
    }
    const trie = new MemoryTrie({ rule })
    for (let height = 1; height <= 9; height += 1) insertBlock(trie, height, 10)
    assert.equal(trie.source.pages.size, 0)
    insertBlock(trie, 10, 10)
    assert.ok(trie.source.pages.size > 0)
    const atFirst = trie.source.pages.size
    assert.equal(trie.source.checkpoint, undefined)
    for (let height = 11; trie.source.checkpoint === undefined; height += 1) insertBlock(trie, height, 0)
    assert.ok(trie.source.pages.size > atFirst)
    assert.equal(trie.stored.dirtyBytes, 0)
  })

  it('counts what is in memory alone, and nothing once all is written', () => {
    const trie = new MemoryTrie({ rule: eagerRule })
    for (let height = 1; height <= 40; height += 1) insertBlock(trie, height, 20)
    for (let height = 41; height <= 200 && trie.stored.dirtyBytes > 0; height += 1)
      insertBlock(trie, height, 0)
    assert.equal(trie.stored.dirtyBytes, 0)
  })

  it('counts a page that a checkpoint has still to write once, though a block replaced it meanwhile', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 40, maxLength: 80 })
    const rule = { dirtyBytesMax: 1e9, leavesMax: 1e9, blocksMax: 30, pieceBytes: 1, slackBytes: 0 }
    fc.assert(
      fc.property(sizes, (groups) => {
        const trie = new MemoryTrie({ rule, cachedBytesMax: 4_000 })
        for (const [at, size] of groups.entries()) {
          insertBlock(trie, at + 1, size)
          const counted = trie.stored.dirtyBytes
          assert.ok(counted >= bytesInMemoryAlone(trie), `block ${at + 1}: ${counted} bytes counted`)
        }
        // Until what is being written is, and what came since.
        for (let more = 1; more <= 600; more += 1) insertBlock(trie, groups.length + more, 0)
        assert.equal(trie.stored.dirtyBytes, 0)
      }),
      { numRuns: 20 },
    )
  })

  it('lets no page go that the trie before the block leads to: others are executed on it until all is written', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 20 }), (groups) => {
        // As small as can be: whatever was replaced is let go, and has to be read again.
        const trie = new MemoryTrie({ rule: { ...eagerRule, pieceBytes: 1e9 }, cachedBytesMax: 1 })
        for (const [at, size] of groups.entries()) {
          const before = trie.root
          insertBlock(trie, at + 1, size)
          const leaves = leavesOf(at + 1, 'of another candidate', 20)
          const other = insertLeaves(before, leaves, trie.pages)
          assert.notEqual(stateRootOf(other.root), stateRootOf(before))
        }
      }),
      { numRuns: 30 },
    )
  })

  it('refuses a block that does not follow, and a checkpoint that is damaged', () => {
    const trie = new MemoryTrie({ rule: { ...eagerRule, pieceBytes: 1e9 } })
    const inserted = insertLeaves(trie.root, [], trie.pages)
    assert.throws(() => trie.stored.append({ height: 2, inserted }), RangeError)
    insertBlock(trie, 1, 40)
    const { checkpoint } = trie.source
    assert.ok(checkpoint !== undefined)
    assert.equal(stateRootOf(decodeCheckpoint(checkpoint, trie.pages).root), stateRootOf(trie.root))
    for (const at of [32, 33 + 40, checkpoint.length - 1]) {
      const changed = checkpoint.with(at, (checkpoint[at] ?? 0) ^ 0x84)
      assert.throws(
        () => decodeCheckpoint(changed, trie.pages),
        (error) => error instanceof TrieError && error.code === 'bad-checkpoint',
      )
    }
    for (const length of [0, 32, checkpoint.length - 1]) {
      assert.throws(() => decodeCheckpoint(checkpoint.slice(0, length), trie.pages), TrieError)
    }
  })
})

describe('the audit of a stored trie', () => {
  it('finds every changed byte that a page is read by', () => {
    const trie = new MemoryTrie({ rule: { ...eagerRule, pieceBytes: 1e9 } })
    insertBlock(trie, 1, 60)
    const { checkpoint } = trie.source
    assert.ok(checkpoint !== undefined)
    for (const [id, bytes] of trie.source.pages) {
      for (let at = 0; at < bytes.length; at += 1) {
        // At the left of a page's first entry is no branch, and a leaf ends in two bytes of nothing.
        const field = at % 110
        if ((at < 110 && field >= 64 && field <= 96) || field >= 108) continue
        const source = trie.source.copy()
        source.pages.set(id, bytes.with(at, (bytes[at] ?? 0) ^ 1))
        const pages = new TriePages({ source, hash: sha256 })
        const { root, height } = decodeCheckpoint(checkpoint, pages)
        let problems = 0
        const stored = { root, pages }
        const rebuilt = { root: trie.root, pages: trie.pages }
        auditTrie({ stored, rebuilt, height, onProblem: () => (problems += 1) })
        assert.ok(problems > 0, `byte ${at} of page ${id}`)
      }
    }
  })
})

/** The same, from the last whole checkpoint, with the blocks since put in again. */
function restartedFrom(
  trie: MemoryTrie,
  source: MemorySource,
  options: { rule: CheckpointRule; cachedBytesMax: number },
): MemoryTrie {
  const { height } = trie.stored
  const restarted = new MemoryTrie({ source, ...options })
  for (const id of source.pages.keys()) if (id >= restarted.stored.pageRange.next) source.pages.delete(id)
  while (restarted.stored.height < height) insertBlock(restarted, restarted.stored.height + 1, 12)
  assert.equal(stateRootOf(restarted.root), stateRootOf(trie.root))
  return restarted
}

function storedBytes(source: MemorySource, id: number): number {
  return (source.pages.get(id)?.length ?? 0) + PAGE_ROOM_BYTES
}

function insertBlock(trie: MemoryTrie, height: number, size: number): void {
  trie.insertLeaves(leavesOf(height, `block ${height}`, size))
}

function leavesOf(height: number, prefix: string, size: number): NewLeaf[] {
  const messages = someMessages(size, prefix)
  return messages.map((data, index) => ({ ...leafOf(data, sha256), reference: { height, index } }))
}

/** Of the trie of now: what a look through it finds. */
function bytesInMemoryAlone({ root }: MemoryTrie): number {
  const below = (ref: PageRef | undefined): number => {
    if (ref?.page === undefined || ref.id !== undefined) return 0
    return ref.page.below.reduce((sum, each) => sum + below(each), pageCostBytes(ref.page))
  }
  return below(root.left?.below) + below(root.right?.below)
}
