import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { HeightContext, RestoredHeight } from '../../../src/consensus/index.ts'
import { Mempool } from '../../../src/mempool/index.ts'
import type { ChainHead } from '../../../src/node/chain-head.ts'
import { Driver, type DriverOptions, type DriverWork } from '../../../src/node/driver.ts'
import type { Executed } from '../../../src/node/execution.ts'
import { ListedBatches } from '../../../src/node/listed-batches.ts'
import { trusted } from '../../../src/node/ports.ts'
import type { Signing, Unsigned } from '../../../src/node/signing.ts'
import { InvariantBroken, thresholdsOf } from '../../../src/quorum/index.ts'
import { ChainStore, MemoryStore } from '../../../src/storage/index.ts'
import type { BatchId, PeerId } from '../../../src/types/index.ts'
import { aMessage, ChainBuilder } from '../../support/chain-builder.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }
const nothing: RestoredHeight = { blocks: [], certificates: [], commitments: [], votes: [], proposals: [] }

/** Signs nothing, and says what it was asked for. */
function aSigning() {
  const asked: string[] = []
  const signing = {
    number: 0,
    signAll: async (wanted: readonly Unsigned[]) => {
      asked.push(...wanted.map((item) => (item.kind === 'vote' ? item.body.kind : item.kind)))
      return []
    },
  }
  return { signing: signing as unknown as Signing, asked }
}

/** Validator 0's driver, at a height that a test moves on by itself. */
async function aDriverAt(
  finalHeight: number,
  options: Partial<Omit<DriverOptions, 'work'>> & {
    work?: Partial<DriverWork>
    leaders?: number[]
  } = {},
) {
  const chain = await ChainBuilder.create()
  const { genesis } = chain
  const powers = genesis.validators.map(({ power }) => power)
  const state = { height: finalHeight, line: chain.state.line }
  const context = (): HeightContext => ({
    height: state.height + 1,
    leaders: options.leaders ?? [3, 2, 1, 0],
    demoted: new Set(),
  })
  const store = await ChainStore.open({ store: new MemoryStore(), genesis })
  const driver = new Driver({
    core: { powers, thresholds: thresholdsOf(powers, genesis.faultModel), self: 0 },
    genesis,
    pace: {
      viewTimeoutMs: 1,
      viewTimeoutMinMs: 1,
      viewTimeoutCapMs: 1,
      finalizeTimeoutMs: 1,
      proposalGraceMs: 1,
      emptyBlockIntervalMs: 0,
    },
    entriesMax: 10,
    settledHeight: () => 0,
    clock: { nowMs: () => 0, schedule: () => () => {} },
    log,
    transport: { publish: () => {} },
    store,
    mempool: new Mempool({ maxBytes: 1e7, maxBatches: 100, reservedAuthors: [], nextHeight: 1 }),
    listed: new ListedBatches(),
    head: { state, context } as unknown as ChainHead,
    keys: {
      validator: 0,
      nodeKey: genesis.validators[0]?.nodeKey ?? assert.fail(),
      signBatch: () => assert.fail(),
      proveVrf: () => assert.fail(),
    },
    signing: undefined,
    onFatal: (error) => assert.fail(String(error)),
    ...options,
    work: {
      execute: async () => undefined,
      executed: () => undefined,
      batchesOf: () => undefined,
      build: async () => undefined,
      fetchBlock: () => {},
      exchangeSoon: () => {},
      finalise: () => {},
      onEvidence: () => {},
      ...options.work,
    },
  })
  const makeFinal = (goneBatches: readonly BatchId[] = []) => {
    state.height += 1
    driver.onFinal(goneBatches)
  }
  return { chain, driver, store, makeFinal }
}

test('a commitment made ahead before a restart is that of its height after it', async () => {
  const { chain, driver, makeFinal } = await aDriverAt(6)
  const ahead = trusted(chain.commitment({ validator: 0, height: 8 }))
  driver.start(nothing, [{ kind: 'pool-commitment', commitment: ahead }])
  await turn()
  assert.equal(driver.core.context.height, 7)
  makeFinal()
  await turn()
  assert.equal(driver.core.context.height, 8)
  assert.equal(driver.core.commitments.get(0), ahead)
})

test('of two blocks that become final while the driver is busy, the later one’s height goes on', async () => {
  const { driver, makeFinal } = await aDriverAt(6)
  driver.start(nothing, [])
  makeFinal()
  makeFinal()
  await turn()
  assert.equal(driver.core.context.height, 9)
})

/** What a driver does that has been sent a block, and found it valid. */
async function driverGiven(
  work: (executed: Executed) => Partial<DriverWork>,
  options: Pick<Partial<DriverOptions>, 'mempool'> = {},
) {
  const { block, executed } = await (await ChainBuilder.create()).makeBlock({ messages: [aMessage('once')] })
  const { header, id, signature } = block
  const { height, view, leader } = header
  const { signing, asked } = aSigning()
  const failures: unknown[] = []
  const made = await aDriverAt(height - 1, {
    signing,
    ...options,
    onFatal: (error) => failures.push(error),
    leaders: [leader, ...[0, 1, 2, 3].filter((other) => other !== leader)],
    work: { execute: async () => executed, ...work(executed) },
  })
  const proposal = { height, view, leader, blockId: id, signature, justification: [], block }
  made.driver.start(nothing, [{ kind: 'proposal', proposal: trusted(proposal) }])
  for (let turns = 0; turns < 10; turns++) await turn()
  return {
    ...made,
    executed,
    asked,
    failures,
    stored: async () => (await made.store.loadPool()).map(({ batch }) => batch.id),
  }
}

test('a block’s batches are on disk when its notarize vote is signed, also when the block was recomputed long ago', async () => {
  const { executed, asked, failures, stored } = await driverGiven(({ content }) => ({
    batchesOf: () => content.batches,
  }))
  assert.deepEqual([asked, failures], [['notarize'], []])
  assert.deepEqual(await stored(), executed.content.batchIds)
})

test('no vote is signed for a block whose batches nobody can name', async () => {
  const { asked, failures } = await driverGiven(() => ({ batchesOf: () => undefined }))
  assert.deepEqual(asked, [])
  assert.ok(failures[0] instanceof InvariantBroken)
})

test('a batch that came with a block and never was in the pool is forgotten with the height', async () => {
  const { driver, executed, makeFinal } = await driverGiven(({ content }) => ({
    batchesOf: () => content.batches,
  }))
  assert.equal(driver.storedCount, executed.content.batches.length)
  makeFinal()
  assert.equal(driver.storedCount, 0)
  for (const id of executed.content.batchIds) driver.markStored(id)
  makeFinal(executed.content.batchIds)
  assert.equal(driver.storedCount, 0)
})

test('a pool that empties and fills again while its commitment is signed does not ask the record for another', async () => {
  const { signing, asked } = aSigning()
  const mempool = new Mempool({ maxBytes: 1e7, maxBatches: 100, reservedAuthors: [], nextHeight: 1 })
  const { chain, driver } = await aDriverAt(0, {
    signing,
    mempool,
  })
  const batch = chain.batch([aMessage('once')])
  mempool.add({ batch, receivedAt: 0, from: { kind: 'local' }, isPinned: true })
  driver.start(nothing, [])
  for (const hasWork of [true, false, true]) driver.enqueue({ kind: 'pool', hasWork })
  for (let turns = 0; turns < 5; turns++) await turn()
  assert.deepEqual(asked, ['pool-commitment'])
})

test('nothing is listed for a height that validators say is final: this node fetches it', async () => {
  const { signing, asked } = aSigning()
  const mempool = new Mempool({ maxBytes: 1e7, maxBatches: 100, reservedAuthors: [], nextHeight: 1 })
  const { chain, driver, makeFinal } = await aDriverAt(4, { signing, mempool, settledHeight: () => 5 })
  mempool.add({ batch: chain.batch([aMessage('a')]), receivedAt: 1, from: { kind: 'local' }, isPinned: true })
  driver.start(nothing, [])
  driver.enqueue({ kind: 'pool', hasWork: true })
  for (let turns = 0; turns < 10; turns++) await turn()
  assert.deepEqual(asked, [])
  makeFinal()
  for (let turns = 0; turns < 10; turns++) await turn()
  assert.deepEqual(asked, ['pool-commitment'], 'the next height is under way')
})

test('a batch that clients were answered for is kept as such on disk when a commitment or a vote writes it first', async () => {
  const { signing } = aSigning()
  const mempool = new Mempool({ maxBytes: 1e7, maxBatches: 100, reservedAuthors: [], nextHeight: 1 })
  const { chain, driver, store } = await aDriverAt(0, { signing, mempool })
  const [own, others] = ['own', 'others'].map((text) => chain.batch([aMessage(text)]))
  assert(own !== undefined && others !== undefined)
  mempool.add({ batch: own, receivedAt: 0, from: { kind: 'local' }, isPinned: true })
  mempool.add({ batch: others, receivedAt: 0, from: { kind: 'peer', peer: 'p' as PeerId }, isPinned: false })
  driver.start(nothing, [])
  driver.enqueue({ kind: 'pool', hasWork: true })
  for (let turns = 0; turns < 5; turns++) await turn()
  const stored = (await store.loadPool()).map(({ batch, pinned }) => [batch.id, pinned])
  assert.deepEqual(
    new Map(stored as [BatchId, boolean][]),
    new Map([
      [own.id, true],
      [others.id, false],
    ]),
  )
})

test('a block’s batch that clients were answered for is kept as such when the vote for the block writes it first', async () => {
  const mempool = new Mempool({ maxBytes: 1e7, maxBatches: 100, reservedAuthors: [], nextHeight: 1 })
  const { store } = await driverGiven(
    ({ content: { batches } }) => {
      for (const batch of batches)
        mempool.add({ batch, receivedAt: 0, from: { kind: 'local' }, isPinned: true })
      return { batchesOf: () => batches }
    },
    { mempool },
  )
  assert.deepEqual(
    (await store.loadPool()).map(({ pinned }) => pinned),
    [true],
  )
})
