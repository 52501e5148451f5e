import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeFinalBlock } from '../../../src/codec/index.ts'
import { ChainStore, type FinalStep, MemoryStore, StorageError } from '../../../src/storage/index.ts'
import { formatVersion, metaKeys } from '../../../src/storage/keys.ts'
import { PAGE_ROOM_BYTES } from '../../../src/trie/index.ts'
import type { BlockId, MessageId } from '../../../src/types/index.ts'
import { pieceOf } from '../../contract/page-log.ts'
import {
  aBatch,
  aFinalStep,
  aGenesis,
  aMessage,
  anOpenStore,
  first,
  genesis,
  hashOf,
  next,
  second,
} from './chain-fixture.ts'

const genesisId = genesis.hash as BlockId
const skipped = [
  { batch: 0, message: 2 },
  { batch: 1, message: 0 },
]

describe('ChainStore: the chain', () => {
  it('begins at genesis', async () => {
    const chain = await anOpenStore()

    assert.deepEqual(chain.tip, { height: 0, blockId: genesisId })
    assert.equal(await chain.readFinal(0), undefined)
    assert.equal(await chain.readFinal(1), undefined)
    assert.equal(await chain.readHeader(0), undefined)
    assert.equal(await chain.readMessages(1), undefined)
    assert.equal(chain.messageAt({ height: 1, index: 0 }), undefined)
  })

  it('gives back a final block, before and after it is opened again', async () => {
    const store = new MemoryStore()
    const chain = await anOpenStore(store)
    const step = next(chain, [first, second], skipped)
    await chain.saveFinal(step)

    for (const reader of [chain, await anOpenStore(store)]) {
      const { block } = step.final
      assert.deepEqual(reader.tip, { height: 1, blockId: block.id })
      assert.deepEqual(await reader.readFinal(1), { ...step.final, skipped })
      assert.deepEqual(await reader.readFinalBytes(1), encodeFinalBlock(step.final))
      const batchIds = step.final.batches.map(({ id }) => id)
      assert.deepEqual(await reader.readOutline(1), { block: step.final.block, batchIds })
      assert.equal(await reader.readOutline(2), undefined)
      assert.deepEqual(await reader.readHeader(1), { id: block.id, header: block.header })
      assert.equal(reader.heightOfBlock(block.id), 1)
      assert.equal(reader.heightOfBlock(genesisId), undefined)
    }
  })

  it('gives back a block without messages', async () => {
    const chain = await anOpenStore()
    const step = next(chain)
    await chain.saveFinal(step)

    assert.deepEqual(await chain.readFinalBytes(1), encodeFinalBlock(step.final))
    assert.deepEqual(await chain.readMessages(1), [])
    assert.equal(chain.messageAt({ height: 1, index: 0 }), undefined)
  })

  it('finds messages by id and place, leaving out those that the sequence skips', async () => {
    const chain = await anOpenStore()
    await chain.saveFinal(next(chain, [first, second], skipped))

    const messages = (await chain.readMessages(1)) ?? []
    assert.deepEqual(
      messages.map(({ message }) => message),
      [first.messages[0], first.messages[1], second.messages[1], second.messages[2]],
    )
    const ids = messages.map(({ id }) => id)
    const unknown = [first.messageIds[2] as MessageId, hashOf('nothing') as MessageId]
    assert.deepEqual(await chain.messagePlaces([...ids, ...unknown]), [
      ...ids.map((_, index) => ({ height: 1, index })),
      undefined,
      undefined,
    ])
    for (const [index, { message }] of messages.entries()) {
      assert.deepEqual(chain.messageAt({ height: 1, index }), message)
      assert.deepEqual(chain.dataOf({ height: 1, index }), message.data)
    }
    assert.equal(chain.messageAt({ height: 1, index: messages.length }), undefined)
  })

  it('stores a block of many and large messages', async () => {
    const chain = await anOpenStore()
    const batches = [0, 1, 2].map((author) =>
      aBatch(
        Array.from({ length: 50 }, (_, at) => aMessage(`${author} ${at} `.repeat(1 + 20 * at))),
        author,
      ),
    )
    const step = next(chain, batches)
    await chain.saveFinal(step)

    assert.deepEqual(await chain.readFinalBytes(1), encodeFinalBlock(step.final))
    const messages = batches.flatMap((batch) => batch.messages)
    for (const index of [0, 49, 50, 99, 149]) {
      assert.deepEqual(chain.messageAt({ height: 1, index }), messages[index])
    }
  })

  it('finds batches of the pool and of the chain by id', async () => {
    const chain = await anOpenStore()
    await chain.saveFinal(next(chain, [first]))
    await chain.saveStep({ batches: [{ batch: second, receivedAt: 5, pinned: false }] })

    const ids = [second.id, first.id, aBatch([aMessage('z')]).id]
    assert.deepEqual(await chain.readBatches(ids), [second, first, undefined])
    assert.deepEqual(await chain.batchHeights(ids), [undefined, 1, undefined])
  })

  it('gives headers of a range, as many as there are', async () => {
    const chain = await anOpenStore()
    for (let count = 0; count < 3; count += 1) await chain.saveFinal(next(chain))

    const heights = async (from: number, count: number) =>
      (await chain.readHeaders(from, count)).map(({ header }) => header.height)
    assert.deepEqual(await heights(1, 2), [1, 2])
    assert.deepEqual(await heights(2, 10), [2, 3])
    assert.deepEqual(await heights(4, 1), [])
  })

  it('takes the block after the tip and no other', async () => {
    const chain = await anOpenStore()
    const step = next(chain)
    await assert.rejects(
      chain.saveFinal(aFinalStep({ height: 2, previousBlockId: genesisId })),
      /does not follow/,
    )
    await assert.rejects(
      chain.saveFinal(aFinalStep({ height: 1, previousBlockId: hashOf('other') as BlockId })),
      /another chain/,
    )
    await chain.saveFinal(step)
    await assert.rejects(chain.saveFinal(step), /does not follow/)

    assert.equal(chain.tip.height, 1)
  })

  it('refuses a block whose skipped messages do not fit its header or its batches', async () => {
    const chain = await anOpenStore()
    const step = next(chain, [first, second], skipped)

    await assert.rejects(
      chain.saveFinal({ ...step, skipped: skipped.slice(1) }),
      /another number of messages/,
    )
    await assert.rejects(chain.saveFinal({ ...step, skipped: [...skipped].reverse() }), /out of order/)
    await assert.rejects(
      chain.saveFinal({ ...step, skipped: [skipped[0], { batch: 2, message: 0 }] as FinalStep['skipped'] }),
      /does not have/,
    )
    assert.equal(chain.tip.height, 0)
    await chain.saveFinal(step)
  })

  it('changes nothing when the write fails', async () => {
    const store = new FailingStore()
    const chain = await anOpenStore(store)
    await chain.saveStep({ frames: [{ kind: 'block', block: next(chain).final.block }] })
    store.fails = true
    const step = next(chain, [first])
    await assert.rejects(chain.saveFinal(step), /no space/)
    assert.equal(chain.tip.height, 0)
    assert.equal((await chain.loadFrames(1)).length, 1)

    store.fails = false
    await chain.saveFinal(step)
    assert.equal(chain.tip.height, 1)
    assert.equal((await chain.loadFrames(1)).length, 0)
  })

  it('writes each save at once, synced', async () => {
    const store = new FailingStore()
    const chain = await anOpenStore(store)
    store.writes = []
    await chain.saveStep({ batches: [{ batch: first, receivedAt: 5, pinned: true }] })
    await chain.saveFinal(next(chain, [first]))
    await chain.saveStep({})

    assert.deepEqual(store.writes, [{ sync: true }, { sync: true }])
  })

  it('remembers convictions', async () => {
    const store = new MemoryStore()
    const chain = await anOpenStore(store)
    await chain.saveFinal({ ...next(chain), convicted: [3] })
    await chain.saveFinal({ ...next(chain), convicted: [1] })

    assert.deepEqual(await (await anOpenStore(store)).readConvictions(), [
      { validator: 1, height: 2 },
      { validator: 3, height: 1 },
    ])
  })

  it('keeps pages of the trie and its checkpoint with a block, until they are let go', async () => {
    const store = new MemoryStore()
    const chain = await anOpenStore(store)
    const bytes = Uint8Array.of(7)
    const size = bytes.length + PAGE_ROOM_BYTES
    const trie = (ids: readonly number[], checkpoint?: number, firstPageId = 1) => ({
      pages: [pieceOf(ids.map((id) => ({ id, bytes })))],
      checkpoint: checkpoint === undefined ? undefined : { bytes: Uint8Array.of(checkpoint), firstPageId },
    })
    const [second, third, fourth] = [1 + size, 1 + 2 * size, 1 + 3 * size]
    assert.equal(chain.readTrieCheckpoint(), undefined)
    await chain.saveFinal({ ...next(chain), trie: trie([1, second]) })
    assert.equal(chain.readTrieCheckpoint(), undefined)
    await chain.saveFinal({ ...next(chain), trie: trie([third], 9) })
    await chain.saveTrie(trie([fourth]))

    const again = await anOpenStore(store)
    assert.deepEqual(again.readTrieCheckpoint(), Uint8Array.of(9))
    const held = () => [1, second, third, fourth].map((id) => again.triePages.get(id)?.[0])
    assert.deepEqual(held(), [7, 7, 7, 7])
    assert.equal(await again.cutTriePages({ first: 1, next: fourth }), true)
    assert.deepEqual(held(), [7, 7, 7, undefined])
    await again.saveTrie(trie([], 10, third))
    assert.deepEqual(held(), [undefined, undefined, 7, undefined])
  })

  it('takes no changed checkpoint for a whole one', async () => {
    const store = new MemoryStore()
    const chain = await anOpenStore(store)
    await chain.saveTrie({ pages: [], checkpoint: { bytes: Uint8Array.of(2), firstPageId: 1 } })
    const value = store.get(metaKeys.trieCheckpoint)
    assert(value !== undefined)
    await store.write([{ type: 'put', key: metaKeys.trieCheckpoint, value: value.with(0, 8) }])
    const isCorrupted = (error: unknown) => error instanceof StorageError && error.code === 'corrupted'
    assert.throws(() => chain.readTrieCheckpoint(), isCorrupted)
  })

  it('forgets a checkpoint together with its pages where one of them is missing', async () => {
    const store = new MemoryStore()
    const chain = await anOpenStore(store)
    const page = { id: 1, bytes: Uint8Array.of(7) }
    await chain.saveTrie({
      pages: [pieceOf([page])],
      checkpoint: { bytes: Uint8Array.of(2), firstPageId: 1 },
    })
    assert.equal(await chain.cutTriePages({ first: 1, next: 50 }), false)
    assert.equal(chain.readTrieCheckpoint(), undefined)
    assert.equal(chain.triePages.get(1), undefined)
  })
})

describe('ChainStore.open', () => {
  it('refuses the store of another network', async () => {
    const store = new MemoryStore()
    await anOpenStore(store)

    const other = ChainStore.open({ store, genesis: aGenesis('other') })
    await assert.rejects(other, { name: 'StorageError', code: 'other-genesis' })
  })

  it('refuses a store of a later format, and migrates one of an earlier', async () => {
    const store = new MemoryStore()
    const migration = {
      from: formatVersion,
      name: 'made up',
      async *run() {
        yield [{ type: 'put', key: Uint8Array.of(0xf0), value: Uint8Array.of(1) } as const]
      },
    }
    await anOpenStore(store)
    const later = { version: formatVersion + 1, migrations: [migration] }
    await assert.rejects(
      ChainStore.open({ store, genesis, format: { version: formatVersion + 1, migrations: [] } }),
      {
        code: 'open-failed',
      },
    )
    await ChainStore.open({ store, genesis, format: later })
    assert.deepEqual(store.get(Uint8Array.of(0xf0)), Uint8Array.of(1))

    await assert.rejects(anOpenStore(store), { name: 'StorageError', code: 'format-too-new' })
    await ChainStore.open({ store, genesis, format: later })
  })

  it('leaves nothing of the nodes in which format 1 kept the trie', async () => {
    const store = new MemoryStore()
    const chain = await anOpenStore(store)
    await chain.saveFinal(next(chain, [first]))
    const nodes = [Uint8Array.of(0x20), Uint8Array.of(0x20, 0xff, 0xff), Uint8Array.of(0x21, 9)]
    for (const key of nodes) await store.write([{ type: 'put', key, value: Uint8Array.of(1) }])
    await store.write([{ type: 'put', key: metaKeys.format, value: Uint8Array.of(0, 0, 0, 1) }])

    const again = await anOpenStore(store)
    assert.deepEqual(
      nodes.map((key) => store.get(key)),
      [undefined, undefined, undefined],
    )
    assert.equal(again.tip.height, 1)
    assert.deepEqual(store.get(metaKeys.format), Uint8Array.of(0, 0, 0, formatVersion))
    assert.equal(again.readTrieCheckpoint(), undefined)
  })

  it('leaves nothing of the pages that format 2 kept among the keys, nor of a checkpoint that names them', async () => {
    const store = new MemoryStore()
    const chain = await anOpenStore(store)
    await chain.saveFinal(next(chain, [first]))
    const pages = [Uint8Array.of(0x22, 0), Uint8Array.of(0x22, 0xff, 0xff)]
    for (const key of [...pages, metaKeys.trieCheckpoint])
      await store.write([{ type: 'put', key, value: Uint8Array.of(1) }])
    await store.write([{ type: 'put', key: metaKeys.format, value: Uint8Array.of(0, 0, 0, 2) }])

    const again = await anOpenStore(store)
    assert.deepEqual(
      pages.map((key) => store.get(key)),
      [undefined, undefined],
    )
    assert.equal(again.readTrieCheckpoint(), undefined)
    assert.equal(again.tip.height, 1)
  })

  it('says what is damaged where a stored value does not decode', async () => {
    const store = new MemoryStore()
    const chain = await anOpenStore(store)
    const step = next(chain, [first])
    await chain.saveFinal(step)
    for await (const [key, value] of store.iterate({ gte: Uint8Array.of(0x11), lt: Uint8Array.of(0x12) })) {
      await store.write([{ type: 'put', key, value: value.subarray(1) }])
    }

    const corrupted = { name: 'StorageError', code: 'corrupted' }
    await assert.rejects(chain.readFinal(1), corrupted)
    await assert.rejects(chain.readBatches([first.id]), corrupted)
  })
})

class FailingStore extends MemoryStore {
  fails = false
  writes: { sync: boolean }[] = []
  override async write(
    operations: Parameters<MemoryStore['write']>[0],
    options: { sync: boolean } = { sync: false },
  ): Promise<void> {
    if (this.fails) throw new Error('no space left')
    this.writes.push(options)
    await super.write(operations)
  }
}
