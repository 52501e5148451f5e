import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ChainStore, MemoryStore } from '../../../src/storage/index.ts'
import { describeKey, kindOf } from '../../../src/storage/key-names.ts'
import { seal, unseal } from '../../../src/storage/sealed.ts'
import type { MessageId } from '../../../src/types/index.ts'
import { aFullStore, copyOf, entriesOf } from '../node/full-store.ts'

const short = new MemoryStore()
const { genesis } = await aFullStore(short, 3)
const corrupted = { name: 'StorageError', code: 'corrupted' }

describe('seal', () => {
  it('gives the value back under its own key only, and no changed one', () => {
    const [key, value] = [Uint8Array.of(1, 2), Uint8Array.of(3, 4, 5)]
    const sealed = seal(key, value)

    assert.deepEqual(unseal('thing', key, sealed), value)
    assert.deepEqual(unseal('thing', key, seal(key, new Uint8Array())), new Uint8Array())
    assert.throws(() => unseal('thing', Uint8Array.of(1, 3), sealed), corrupted)
    for (const [at, byte] of sealed.entries())
      assert.throws(() => unseal('thing', key, sealed.with(at, byte ^ 4)), corrupted)
    for (let size = 0; size < sealed.length; size += 1)
      assert.throws(() => unseal('thing', key, sealed.subarray(0, size)), {
        ...corrupted,
        message: /damaged thing/,
      })
  })
})

describe('a node that meets a changed value', () => {
  it('fails with the kind of the value, and only drops a list of peers', async () => {
    const readers: Record<string, (chain: ChainStore) => unknown> = {
      poolBatch: (chain) => chain.loadPool(),
      frame: (chain) => chain.loadFrames(0),
      refusal: async (chain) => {
        for (const [key] of (await entriesOf(short)).filter(([key]) => kindOf(key) === 'refusal'))
          chain.refusalOf(Buffer.from(key.subarray(1)).toString('hex') as MessageId)
      },
    }
    for (const [kind, read] of Object.entries(readers)) {
      const damaged = await changedEach(kind)
      const chain = await ChainStore.open({ store: damaged, genesis: genesis })
      await assert.rejects(async () => read(chain), corrupted, kind)
    }
    for (const place of ['evidence', 'meta (signing-number)']) {
      const damaged = await changedEach(place)
      await assert.rejects(ChainStore.open({ store: damaged, genesis: genesis }), corrupted, place)
    }
    const damaged = await changedEach('meta (peers)')
    const chain = await ChainStore.open({ store: damaged, genesis: genesis })
    const told: unknown[] = []
    assert.deepEqual(
      chain.loadPeers((error) => told.push(error.code)),
      [],
    )
    assert.deepEqual(told, ['corrupted'])
  })

  async function changedEach(kindOrPlace: string): Promise<MemoryStore> {
    const damaged = await copyOf(short)
    for (const [key, value] of await entriesOf(short)) {
      if (kindOf(key) === kindOrPlace || describeKey(key) === kindOrPlace)
        await damaged.write([{ type: 'put', key, value: value.with(0, (value[0] ?? 0) ^ 1) }])
    }
    return damaged
  }
})
