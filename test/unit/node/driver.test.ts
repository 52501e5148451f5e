import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { HeightContext, RestoredHeight } from '../../../src/consensus/index.ts'
import { Mempool } from '../../../src/mempool/index.ts'
import type { ChainHead } from '../../../src/node/chain-head.ts'
import { Driver } from '../../../src/node/driver.ts'
import { ListedBatches } from '../../../src/node/listed-batches.ts'
import { trusted } from '../../../src/node/ports.ts'
import { thresholdsOf } from '../../../src/quorum/index.ts'
import { ChainStore, MemoryStore } from '../../../src/storage/index.ts'
import { ChainBuilder } from '../../support/chain-builder.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }
const nothing: RestoredHeight = { blocks: [], certificates: [], commitments: [], votes: [], proposals: [] }

/** Validator 0's driver, at a height that a test moves on by itself. */
async function aDriverAt(finalHeight: number) {
  const chain = await ChainBuilder.create()
  const { genesis } = chain
  const powers = genesis.validators.map(({ power }) => power)
  const state = { height: finalHeight }
  const context = (): HeightContext => ({
    height: state.height + 1,
    leaders: [3, 2, 1, 0],
    demoted: new Set(),
  })
  const driver = new Driver({
    core: { powers, thresholds: thresholdsOf(powers, genesis.faultModel), self: 0 },
    genesis,
    pace: {
      viewTimeoutMs: 1,
      viewTimeoutCapMs: 1,
      finalizeTimeoutMs: 1,
      proposalGraceMs: 1,
      emptyBlockIntervalMs: 0,
    },
    entriesMax: 10,
    clock: { nowMs: () => 0, schedule: () => () => {} },
    log,
    transport: { publish: () => {} },
    store: await ChainStore.open({ store: new MemoryStore(), genesis }),
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
    work: {
      execute: async () => undefined,
      executed: () => undefined,
      build: async () => undefined,
      fetchBlock: () => {},
      exchangeSoon: () => {},
      finalise: () => {},
      onEvidence: () => {},
    },
    onFatal: (error) => assert.fail(String(error)),
  })
  const makeFinal = () => {
    state.height += 1
    driver.onFinal([])
  }
  return { chain, driver, makeFinal }
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
