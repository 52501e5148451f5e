// What every StateTrie must do, run against each of them by test/unit/node/state-trie.test.ts: over a real log of pages,
// with checkpoints and cleaning every few blocks.
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import type { TrieSettings } from '../../src/node/restart.ts'
import type { ChainStore } from '../../src/storage/index.ts'
import {
  absenceOf,
  type ExecutedTrie,
  inclusionOf,
  keyOf,
  type StateTrie,
  stateRootOf,
  topOf,
} from '../../src/trie/index.ts'
import { MemoryTrie, sha256, someMessages } from '../unit/trie/memory-trie.ts'

export interface StateTrieUnderTest {
  readonly name: string
  /** The trie of an empty store, or of one that was written to before. */
  open(store: ChainStore, settings: TrieSettings): Promise<StateTrie>
  /** A store over files of its own. */
  aStore(): Promise<ChainStore>
}

/** Files of pages come and go every few dozen blocks. */
const settings: TrieSettings = {
  cachedBytesMax: 20_000,
  rule: { dirtyBytesMax: 60_000, leavesMax: 1e9, blocksMax: 1e9, pieceBytes: 15_000, slackBytes: 20_000 },
}

function dataOf(height: number): Uint8Array[] {
  return someMessages(25, `block ${height}`)
}

/** Executes the next block and makes it final. @returns whether that made a checkpoint whole. */
export async function grow(trie: StateTrie, store: ChainStore): Promise<boolean> {
  const executed = await trie.execute(trie.height, dataOf(trie.height + 1))
  assert(executed !== undefined)
  const writes = await trie.append(executed)
  assert(writes !== undefined)
  await store.saveTrie(writes)
  return writes.checkpoint !== undefined
}

export function stateTrieContract({ name, open, aStore }: StateTrieUnderTest): void {
  describe(`${name} as a StateTrie`, () => {
    const opened: StateTrie[] = []
    const openAgain = async (store: ChainStore) => {
      const trie = await open(store, settings)
      opened.push(trie)
      return trie
    }
    const aTrie = async () => {
      const store = await aStore()
      return { store, trie: await openAgain(store) }
    }
    after(() => Promise.all(opened.map((trie) => trie.close())))

    it('is the trie of the data of its blocks, over checkpoints, cleaned files and starts', async () => {
      const { store, ...first } = await aTrie()
      let { trie } = first
      const whole = new MemoryTrie()
      let checkpoints = 0
      for (let last = 1; last <= 320; last += 1) {
        whole.insert(dataOf(last))
        while (trie.height < last) if (await grow(trie, store)) checkpoints += 1
        assert.deepEqual(trie.top, topOf(whole.root))
        if (last % 80 !== 0) continue
        await trie.close()
        trie = await openAgain(store)
        assert.ok(trie.height < last && trie.height > last - 80, 'it goes on from a checkpoint')
      }
      assert.ok(checkpoints > 15, `${checkpoints} checkpoints`)
    })

    it('proves what is there and what is not, after the last block and after earlier ones', async () => {
      const { store, trie } = await aTrie()
      const roots = [stateRootOf(trie.top)]
      for (let height = 1; height <= 70; height += 1) {
        await grow(trie, store)
        roots.push(stateRootOf(trie.top))
      }
      const [data] = dataOf(40)
      const key = keyOf(data ?? assert.fail(), sha256)
      for (let height = 6; height <= 70; height += 1) {
        const path = await trie.path(key, height)
        const there = inclusionOf(path, key, ({ height: of, index }) => dataOf(of)[index])
        const absent = absenceOf(path, key, ({ height: of, index }) => dataOf(of)[index])
        assert.deepEqual([there !== undefined, absent !== undefined], [height >= 40, height < 40])
        const [, first] = (there ?? absent)?.nodes[0] ?? []
        assert(first !== undefined && 'Root' in first)
        assert.equal(Buffer.from(first.Root.hash ?? []).toString('hex'), roots[height])
      }
    })

    it('executes on the last block and the one before, on no other', async () => {
      const { store, trie } = await aTrie()
      for (let height = 1; height <= 5; height += 1) await grow(trie, store)
      const heights = [0, 3, 4, 5, 6]
      const executed = await Promise.all(heights.map((base) => trie.execute(base, dataOf(base + 1))))
      assert.deepEqual(
        executed.map((one) => one?.height),
        [undefined, undefined, 5, 6, undefined],
      )
      assert.equal(executed[2]?.stateRoot, stateRootOf(trie.top))
      // Never final, since a block of its height is.
      assert.equal(await trie.append(executed[2] as ExecutedTrie), undefined)
      assert.equal(trie.height, 5)
    })

    it('makes one block of a height final, and forgets the others and what it is told to forget', async () => {
      const { store, trie } = await aTrie()
      await grow(trie, store)
      const all = await Promise.all([1, 2, 3].map((of) => trie.execute(1, dataOf(of + 10))))
      const [first, second, third] = all as ExecutedTrie[]
      assert(first !== undefined && second !== undefined && third !== undefined)
      trie.forget(first)
      assert.equal(await trie.append(first), undefined)
      const writes = await trie.append(second)
      assert(writes !== undefined)
      await store.saveTrie(writes)
      assert.deepEqual([trie.height, trie.top], [2, second.top])
      for (const other of [first, second, third]) assert.equal(await trie.append(other), undefined)
      trie.forget(third)
      await grow(trie, store)
      assert.equal(trie.height, 3)
    })

    it('takes a block without data, and data that is there already', async () => {
      const { store, trie } = await aTrie()
      await grow(trie, store)
      const { top } = trie
      for (const data of [[], dataOf(1)]) {
        const executed = await trie.execute(trie.height, data)
        assert.deepEqual(executed?.top, top)
        await trie.append(executed)
      }
      assert.equal(trie.height, 3)
    })
  })
}
