// What every StateTrie must do, run against each of them by test/unit/node/state-trie.test.ts: over a real log of pages,
// with checkpoints and cleaning every few blocks.
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import type { TrieSettings } from '../../src/node/restart.ts'
import type { ChainStore } from '../../src/storage/index.ts'
import {
  absenceOf,
  type ExecutedTrie,
  executionsMax,
  inclusionOf,
  keyOf,
  rootToJson,
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

function there<T>(value: T | undefined): T {
  assert(value !== undefined)
  return value
}

/** Executes the next block and makes it final. @returns whether that made a checkpoint whole. */
export async function grow(trie: StateTrie, store: ChainStore): Promise<boolean> {
  const executed = there(await trie.execute(trie.height, dataOf(trie.height + 1)))
  const writes = there(await trie.append(executed))
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
        const path = there(await trie.path(key, height))
        const included = inclusionOf(path, key, ({ height: of, index }) => dataOf(of)[index])
        const absent = absenceOf(path, key, ({ height: of, index }) => dataOf(of)[index])
        assert.deepEqual([included !== undefined, absent !== undefined], [height >= 40, height < 40])
        const [, first] = (included ?? absent)?.nodes[0] ?? []
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
      assert.equal(await trie.append(there(executed[2])), undefined)
      assert.equal(trie.height, 5)
    })

    it('makes one block of a height final, and forgets the others, and the oldest of more than it keeps', async () => {
      const { store, trie } = await aTrie()
      await grow(trie, store)
      const all: ExecutedTrie[] = []
      for (let of = 0; of <= executionsMax; of += 1) all.push(there(await trie.execute(1, dataOf(of + 10))))
      const [first, second] = [there(all[0]), there(all[1])]
      assert.equal(await trie.append(first), undefined)
      await store.saveTrie(there(await trie.append(second)))
      assert.deepEqual([trie.height, trie.top], [2, second.top])
      for (const other of all) assert.equal(await trie.append(other), undefined)
      await grow(trie, store)
      assert.equal(trie.height, 3)
    })

    it('answers while what a block changed is being written: on both tries, and of both', async () => {
      const { store, trie } = await aTrie()
      const tops = [trie.top]
      let pieces = 0
      for (let height = 1; height <= 120; height += 1) {
        const executed = there(await trie.execute(height - 1, dataOf(height)))
        const writes = there(await trie.append(executed))
        tops.push(trie.top)
        const look = async () => {
          const [on, after] = await Promise.all(
            [height - 1, height].map((at) => trie.execute(at, dataOf(height))),
          )
          assert.deepEqual([on?.top, after?.top], [executed.top, executed.top])
          for (const at of [height - 1, height]) {
            const key = keyOf(there(dataOf(1 + (height % at || 0))[3]), sha256)
            const { steps } = there(await trie.path(key, at))
            assert.deepEqual(steps[0], [false, { Root: rootToJson(there(tops[at])) }])
          }
        }
        async function* looking() {
          for await (const piece of writes.pages) {
            pieces += 1
            await look()
            yield piece
          }
        }
        await Promise.all([look(), store.saveTrie({ ...writes, pages: looking() })])
      }
      assert.ok(pieces > 50, `${pieces} pieces`)
    })

    it('has no way in a trie that is no longer kept, or not there yet', async () => {
      const { store, trie } = await aTrie()
      for (let height = 1; height <= 70; height += 1) await grow(trie, store)
      const key = keyOf(new Uint8Array(1), sha256)
      const heights = [0, 4, 5, 70, 71]
      const found = await Promise.all(heights.map((height) => trie.path(key, height)))
      assert.deepEqual(
        found.map((path) => path !== undefined),
        [false, false, true, true, false],
      )
    })

    it('takes a block without data, and data that is there already', async () => {
      const { store, trie } = await aTrie()
      await grow(trie, store)
      const { top } = trie
      for (const data of [[], dataOf(1)]) {
        const executed = there(await trie.execute(trie.height, data))
        assert.deepEqual(executed.top, top)
        await trie.append(executed)
      }
      assert.equal(trie.height, 3)
    })
  })
}
