import assert from 'node:assert/strict'
import { test } from 'node:test'
import { genesisState } from '../../../src/chain/index.ts'
import { sha256 } from '../../../src/crypto/native/index.ts'
import { Mempool } from '../../../src/mempool/index.ts'
import type { ChainHead } from '../../../src/node/chain-head.ts'
import { PoolDoor } from '../../../src/node/pool-door.ts'
import { ChainStore, MemoryStore } from '../../../src/storage/index.ts'
import type { PeerId } from '../../../src/types/index.ts'
import { aMessage, ChainBuilder } from '../../support/chain-builder.ts'

test('what waits at the door is bounded in bytes, for what peers bring', async () => {
  const chain = await ChainBuilder.create()
  const { genesis } = chain
  const store = await ChainStore.open({ store: new MemoryStore(), genesis })
  const door = new PoolDoor({
    store,
    mempool: new Mempool({ maxBytes: 1 << 30, maxBatches: 10_000, reservedAuthors: [], nextHeight: 1 }),
    head: { state: genesisState(genesis, sha256) } as unknown as ChainHead,
    genesis,
    clock: { nowMs: () => 0, schedule: () => () => {} },
    verifySigned: () => true,
    onAdded: () => {},
    onFatal: (error) => assert.fail(String(error)),
  })
  const large = 'x'.repeat(250_000)
  const batches = Array.from({ length: 150 }, (_, number) =>
    chain.batch([aMessage(`${number} 1 ${large}`), aMessage(`${number} 2 ${large}`)]),
  )
  const from = { kind: 'peer', peer: 'someone' as PeerId } as const
  const results = batches.map((batch) => door.offer({ batch, from, isPinned: false }))
  const [own] = [chain.batch([aMessage('own')])]
  assert.ok(own)
  const local = await door.offer({ batch: own, from: { kind: 'local' }, isPinned: true })
  assert.equal(local.kind, 'added')
  await Promise.all(results)
  assert.ok(door.droppedCount >= 10 && door.droppedCount <= 30, `${door.droppedCount} dropped`)
  const [first] = batches
  assert.ok(first)
  assert.notEqual((await door.offer({ batch: first, from, isPinned: false })).kind, 'refused', 'room again')
})
