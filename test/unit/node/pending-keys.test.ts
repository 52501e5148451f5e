import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '../../../src/crypto/native/index.ts'
import { Mempool } from '../../../src/mempool/index.ts'
import { PendingKeys } from '../../../src/node/pending-keys.ts'
import { keyOf } from '../../../src/trie/index.ts'
import type { Batch } from '../../../src/types/index.ts'
import { aMessage, ChainBuilder } from '../../support/chain-builder.ts'

/** The keys of a pool that is told of what comes and goes, and how often a hash was made since. */
async function aPool(held: (chain: ChainBuilder) => readonly Batch[] = () => []) {
  const chain = await ChainBuilder.create()
  const mempool = new Mempool({ maxBytes: 1e8, maxBatches: 1_000, reservedAuthors: [], nextHeight: 1 })
  const add = (batch: Batch) => {
    const added = mempool.add({ batch, receivedAt: 0, from: { kind: 'local' }, isPinned: true })
    assert.equal(added.kind, 'added')
    return batch.id
  }
  for (const batch of held(chain)) add(batch)
  const hashes = { count: 0 }
  const keys = new PendingKeys(mempool, (...parts) => {
    hashes.count += 1
    return sha256(...parts)
  })
  const settle = (batches: readonly Batch[]) => {
    const batchIds = batches.map(({ id }) => id)
    keys.remove(mempool.settle({ batchIds, messageIds: [], nextHeight: 1 }).removed)
  }
  const has = (text: string) => keys.has(keyOf(aMessage(text).data, sha256))
  return { chain, keys, hashes, add: (batch: Batch) => keys.add([add(batch)]), settle, has }
}

test('a key is pending while a batch of the pool has a message with it', async () => {
  const { chain, add, settle, has } = await aPool((made) => [made.batch([aMessage('early')])])
  const both = [chain.batch([aMessage('a'), aMessage('b')], 0), chain.batch([aMessage('a')], 1)]
  for (const batch of both) add(batch)
  assert.deepEqual(['early', 'a', 'b', 'c'].map(has), [true, true, true, false])
  settle(both.slice(0, 1))
  assert.deepEqual(['early', 'a', 'b'].map(has), [true, true, false])
  settle(both.slice(1))
  assert.deepEqual(['early', 'a'].map(has), [true, false])
})

test('a batch that leaves before anyone asks is never hashed', async () => {
  const { chain, hashes, add, settle, has } = await aPool()
  const batch = chain.batch([aMessage('a')])
  add(batch)
  settle([batch])
  assert.equal(has('a'), false)
  assert.equal(hashes.count, 0)
})

test('to ask again costs only what came since, however full the pool is', async () => {
  const { chain, hashes, add, has } = await aPool((made) =>
    Array.from({ length: 100 }, (_, number) => made.batch([aMessage(`${number}`)])),
  )
  assert.equal(has('7'), true)
  const first = hashes.count
  assert.ok(first >= 100)
  for (let time = 0; time < 50; time++) assert.equal(has('absent'), false)
  assert.equal(hashes.count, first)
  add(chain.batch([aMessage('new')]))
  assert.equal(has('new'), true)
  assert.equal(hashes.count, first + first / 100)
})
