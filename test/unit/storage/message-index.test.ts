import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ChainStore, type KeyRange, type KeyValueEntry, MemoryStore } from '../../../src/storage/index.ts'
import { allOf, formatVersion, messageFilterKey, metaKeys } from '../../../src/storage/keys.ts'
import { IdBits, IdFilter } from '../../../src/storage/message-index.ts'
import { messagesInParts, withoutOldPlaces } from '../../../src/storage/migrations/message-parts.ts'
import type { MessageId } from '../../../src/types/index.ts'
import { aBatch, aMessage, genesis, hashOf, next } from './chain-fixture.ts'

const partMessages = 4
/** Of blocks 1 and on: parts end with blocks 2 (exactly full), 4 (more than full), and 6 (alone too many). */
const blockSizes = [1, 3, 2, 5, 0, 9, 2, 1]
const partsOfBlocks = [0, 0, 1, 1, 2, 2, 3, 3]

class CountingStore extends MemoryStore {
  keysRead = 0
  override getMany(keys: readonly Uint8Array[]) {
    this.keysRead += keys.length
    return super.getMany(keys)
  }
}

const open = (store: MemoryStore) => ChainStore.open({ store, genesis, partMessages })

/** The ids of each block's messages, in sequence. */
async function fill(chain: ChainStore, sizes: readonly number[] = blockSizes): Promise<MessageId[][]> {
  const ids: MessageId[][] = []
  for (const size of sizes) {
    const height = chain.tip.height + 1
    const messages = Array.from({ length: size }, (_, at) => aMessage(`${height} ${at}`))
    const batches = size === 0 ? [] : [aBatch(messages)]
    await chain.saveFinal(next(chain, batches))
    ids.push(batches.flatMap(({ messageIds }) => [...messageIds]))
  }
  return ids
}

async function assertFinds(chain: ChainStore, ids: readonly (readonly MessageId[])[]): Promise<void> {
  const unknown = Array.from({ length: 50 }, (_, at) => hashOf(`unknown ${at}`) as MessageId)
  assert.deepEqual(await chain.messagePlaces([...unknown, ...ids.flat().toReversed()]), [
    ...unknown.map(() => undefined),
    ...ids.flatMap((some, at) => some.map((_, index) => ({ height: at + 1, index }))).toReversed(),
  ])
}

async function entriesOf(
  store: MemoryStore,
  range: KeyRange = { gte: Uint8Array.of(0), lt: Uint8Array.of(0xff) },
) {
  const entries: KeyValueEntry[] = []
  for await (const entry of store.iterate(range)) entries.push(entry)
  return entries
}

describe('the index of messages', () => {
  it('finds messages in all of its parts, before and after it is opened again', async () => {
    const store = new MemoryStore()
    const chain = await open(store)
    const ids = await fill(chain)
    await assertFinds(chain, ids)
    const again = await open(store)
    await assertFinds(again, ids)
    ids.push(...(await fill(again, [1, 4, 4])))
    await assertFinds(again, ids)
    await assertFinds(await open(store), ids)
  })

  it('ends a part with the block that fills it, wherever it was opened again in between', async () => {
    const straight = new MemoryStore()
    await fill(await open(straight))
    const parts = (await entriesOf(straight, allOf('messagePlace'))).map(
      ([key, value]) => [key[4], value[7]] as const,
    )
    const found = new Map(parts.map(([part = -1, height = -1]) => [height, part]))
    for (const [at, part] of partsOfBlocks.entries())
      if (blockSizes[at] !== 0) assert.equal(found.get(at + 1), part, `block ${at + 1}`)

    const reopened = new MemoryStore()
    for (const size of blockSizes) await fill(await open(reopened), [size])
    assert.deepEqual(await entriesOf(reopened), await entriesOf(straight))
  })

  it('asks the store for next to nothing where messages are new', async () => {
    const store = new CountingStore()
    const chain = await ChainStore.open({ store, genesis, partMessages: 1_000 })
    const messages = Array.from({ length: 3_500 }, (_, at) => aMessage(`${at}`))
    for (let part = 0; part < 7; part += 1)
      await chain.saveFinal(next(chain, [aBatch(messages.slice(part * 500, part * 500 + 500))]))
    for (const reader of [chain, await ChainStore.open({ store, genesis, partMessages: 1_000 })]) {
      store.keysRead = 0
      const unknown = Array.from({ length: 2_000 }, (_, at) => hashOf(`unknown ${at}`) as MessageId)
      await reader.messagePlaces(unknown)
      // Six of a thousand in each of three full parts, fewer in the fourth.
      assert.ok(store.keysRead > 0 && store.keysRead < 100, `${store.keysRead}`)
    }
  })

  it('has no id in vain whatever bits it has', () => {
    const id = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(fc.array(id, { minLength: 1 }), fc.integer({ min: 1, max: 500 }), (ids, room) => {
        const [filter, bits] = [new IdFilter(room), new IdBits(room)]
        for (const bytes of ids) filter.add(bits.ofBytes(bytes, 0))
        for (const bytes of ids) {
          assert.ok(filter.mayHave(bits.ofBytes(bytes, 0)))
          assert.ok(filter.mayHave(bits.of(Buffer.from(bytes).toString('hex') as MessageId)))
        }
      }),
    )
  })

  it('refuses to open on a filter that was changed, or is of another size', async () => {
    const store = new MemoryStore()
    await fill(await open(store))
    const key = messageFilterKey(1)
    const value = store.get(key) ?? assert.fail()
    await store.write([{ type: 'put', key, value: value.with(9, 0xff ^ (value[9] ?? 0)) }])
    await assert.rejects(open(store), { name: 'StorageError', code: 'corrupted' })
    await store.write([{ type: 'put', key, value }])
    await assert.rejects(ChainStore.open({ store, genesis, partMessages: 400 }), { code: 'corrupted' })
    await open(store)
  })

  it('refuses to open where a filter is missing, which would hide the parts after it', async () => {
    // All blocks: three full parts and one that is not; those up to the second full part; one full part.
    for (const [part, blocks] of [
      [0, 8],
      [1, 8],
      [2, 8],
      [1, 4],
      [0, 2],
    ] as const) {
      const store = new MemoryStore()
      await fill(await open(store), blockSizes.slice(0, blocks))
      await store.write([{ type: 'del', key: messageFilterKey(part) }])
      const refused = { name: 'StorageError', code: 'corrupted' }
      await assert.rejects(open(store), refused, `part ${part} of ${blocks} blocks`)
    }
  })

  it('takes a block whose write failed as not there', async () => {
    class FullStore extends MemoryStore {
      isFull = false
      override async write(operations: Parameters<MemoryStore['write']>[0]): Promise<void> {
        if (!this.isFull) return super.write(operations)
        for (const operation of operations) assert.ok(operation.key)
        throw new Error('no space left')
      }
    }
    const [store, straight] = [new FullStore(), new MemoryStore()]
    const chain = await open(store)
    await fill(chain, [3])
    store.isFull = true
    await assert.rejects(fill(chain, [2]))
    store.isFull = false
    await fill(chain, [2, 2])
    await fill(await open(straight), [3, 2, 2])
    assert.deepEqual(await entriesOf(store), await entriesOf(straight))
  })
})

describe('format 3, whose index of messages had no parts', () => {
  const format = {
    version: formatVersion,
    migrations: [messagesInParts(partMessages, 5), withoutOldPlaces(5)],
  }

  /** A chain as this format has it, and as format 3 had it. */
  async function both() {
    const wanted = new MemoryStore()
    const ids = await fill(await open(wanted))
    const old = new MemoryStore()
    for (const [key, value] of await entriesOf(wanted)) {
      if (key[0] === 0x1d) continue
      const oldKey = key[0] === 0x1c ? Uint8Array.from([0x1a, ...key.subarray(5)]) : key
      await old.write([{ type: 'put', key: oldKey, value }])
    }
    await old.write([{ type: 'put', key: metaKeys.format, value: Uint8Array.of(0, 0, 0, 3) }])
    return { wanted, old, ids }
  }

  it('becomes what this format would have written', async () => {
    const { wanted, old, ids } = await both()
    const told: string[] = []
    const onMigration = ({ from, name }: { from: number; name: string }) => told.push(`${from} ${name}`)
    const chain = await ChainStore.open({ store: old, genesis, partMessages, format, onMigration })
    assert.deepEqual(told, ['3 messages in parts', '4 without the index before'])
    assert.deepEqual(await entriesOf(old), await entriesOf(wanted))
    await assertFinds(chain, ids)
  })

  it('becomes that too where it is stopped at any write, and begun again', async () => {
    class StoppingStore extends MemoryStore {
      writesLeft = Number.POSITIVE_INFINITY
      override async write(operations: Parameters<MemoryStore['write']>[0]): Promise<void> {
        if (this.writesLeft === 0) throw new Error('stopped')
        this.writesLeft -= 1
        await super.write(operations)
      }
    }
    const { wanted, old } = await both()
    let stops = 0
    for (let writes = 0; ; writes += 1) {
      const store = new StoppingStore()
      await store.write((await entriesOf(old)).map(([key, value]) => ({ type: 'put', key, value })))
      store.writesLeft = writes
      const opening = ChainStore.open({ store, genesis, partMessages, format })
      const isDone = await opening.then(
        () => true,
        () => false,
      )
      if (isDone) break
      stops += 1
      // An older build may go on with it, and has to find every message.
      if (store.get(metaKeys.format)?.at(-1) === 3)
        assert.equal(
          (await entriesOf(store, { gte: Uint8Array.of(0x1a), lt: Uint8Array.of(0x1b) })).length,
          23,
        )
      store.writesLeft = Number.POSITIVE_INFINITY
      await ChainStore.open({ store, genesis, partMessages, format })
      assert.deepEqual(await entriesOf(store), await entriesOf(wanted), `stopped after ${writes} writes`)
    }
    // Twenty-three messages in pieces of five, twice; three filters; the version, twice.
    assert.equal(stops, 15)
  })
})
