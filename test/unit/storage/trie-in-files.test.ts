// The trie over its real files: cleaned, cut off by crashes, and held against one in memory.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { PageFiles } from '../../../src/storage/index.ts'
import {
  auditTrie,
  type CheckpointRule,
  decodeCheckpoint,
  insertLeaves,
  leafOf,
  StoredTrie,
  stateRootOf,
  TriePages,
} from '../../../src/trie/index.ts'
import { MemoryTrie, sha256, someMessages } from '../trie/memory-trie.ts'

const parent = await mkdtemp(join(tmpdir(), 'diseq-trie-'))
after(() => rm(parent, { recursive: true, force: true }))

const rule: CheckpointRule = {
  dirtyBytesMax: 60_000,
  leavesMax: 1e9,
  blocksMax: 1e9,
  pieceBytes: 15_000,
  slackBytes: 20_000,
}

function leavesAt(height: number) {
  return someMessages(25, `block ${height}`).map((data, index) => ({
    ...leafOf(data, sha256),
    reference: { height, index },
  }))
}

test('a trie in files is that of its leaves after every checkpoint, while files come and go and starts are many', async () => {
  const log = await PageFiles.open(join(parent, 'one'), { fileBytesMax: 100_000 })
  const whole = new MemoryTrie()
  let checkpoint: Uint8Array | undefined
  let [checkpoints, firstId] = [0, 0]
  const openTrie = async () => {
    const pages = new TriePages({ source: log, hash: sha256, cachedBytesMax: 30_000 })
    const trie = new StoredTrie({ pages, checkpoint, pastMax: 4, rule })
    assert.equal(await log.cut(trie.pageRange), true)
    return trie
  }
  let trie = await openTrie()
  for (let last = 1; last <= 320; last += 1) {
    whole.insertLeaves(leavesAt(last))
    while (trie.height < last) {
      const height = trie.height + 1
      const inserted = insertLeaves(trie.root, leavesAt(height), trie.pages)
      const writes = trie.append({ height, inserted })
      for (const piece of writes.pages) await log.append(piece)
      if (writes.checkpoint === undefined) continue
      await log.sync()
      checkpoint = writes.checkpoint.bytes
      firstId = writes.checkpoint.firstPageId
      await log.release(firstId)
      checkpoints += 1
    }
    assert.equal(stateRootOf(trie.root), stateRootOf(whole.root))
    // What is in memory alone is gone, and what the log has of an unfinished checkpoint with it.
    if (last % 23 === 0) trie = await openTrie()
    if (last % 10 !== 0 || checkpoint === undefined) continue
    const pages = new TriePages({ source: log, hash: sha256 })
    const { root, height } = decodeCheckpoint(checkpoint, pages)
    const problems: string[] = []
    auditTrie({ stored: { root, pages }, rebuilt: whole, height, onProblem: (one) => problems.push(one) })
    assert.deepEqual(problems, [])
  }
  assert.ok(checkpoints > 15 && firstId > 1_000_000, `${checkpoints} checkpoints, cleaned up to ${firstId}`)
  await log.close()
})
