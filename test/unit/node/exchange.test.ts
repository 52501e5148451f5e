import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type BatchesRequest, decodeFrame, type Frame, type PeerStatus } from '../../../src/codec/index.ts'
import { createState, step } from '../../../src/consensus/index.ts'
import { sha256 } from '../../../src/crypto/native/index.ts'
import { Mempool } from '../../../src/mempool/index.ts'
import { Exchange } from '../../../src/node/exchange.ts'
import type { Transport } from '../../../src/node/ports.ts'
import { thresholdsOf } from '../../../src/quorum/index.ts'
import type { Batch, BatchId, BlockId, PeerId } from '../../../src/types/index.ts'
import { aMessage, ChainBuilder } from '../../support/chain-builder.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }
const statusIntervalMs = 10_000

/** The exchange of validator 0's node, connected to validator 1. */
async function anExchange(
  options: {
    blockIntervalMs?: number
    isInLine?: (id: BatchId) => boolean
    requestView?: Transport['requestView']
    requestStatus?: Transport['requestStatus']
    onFrame?: () => void
    onPeerStatus?: () => void
  } = {},
) {
  const chain = await ChainBuilder.create()
  const powers = chain.genesis.validators.map(({ power }) => power)
  const core = createState({ powers, thresholds: thresholdsOf(powers, 'byzantine') })
  step(core, { kind: 'start-height', context: { height: 1, leaders: [0, 1, 2, 3], demoted: new Set() } })
  const mempool = new Mempool({ maxBytes: 1 << 28, maxBatches: 16_000, reservedAuthors: [], nextHeight: 1 })
  const clock = { ms: 0, timers: [] as { atMs: number; action: () => void }[] }
  const seen = { views: 0, failures: [] as unknown[], handedOver: new Set<BatchId>(), handOvers: 0 }
  const exchange: Exchange = new Exchange({
    transport: {
      publish: () => {},
      peers: () => [{ peerId: 'p1' as PeerId, validator: 1 }],
      requestStatus:
        options.requestStatus ??
        (async () => {
          exchange.soon()
          return {} as PeerStatus
        }),
      requestView: async (...request: Parameters<Transport['requestView']>) => {
        seen.views += 1
        return options.requestView?.(...request) ?? []
      },
      requestBatches: async (_: PeerId, { pushed }: BatchesRequest) => {
        for (const bytes of pushed) {
          const frame = decodeFrame(bytes, { limits: chain.genesis.limits, entriesMax: 9, sha256 })
          assert.ok(frame.ok && frame.value.kind === 'batch')
          seen.handedOver.add(frame.value.batch.id)
          seen.handOvers += 1
        }
        return []
      },
    } as unknown as Transport,
    clock: {
      nowMs: () => clock.ms,
      schedule: (delayMs, action) => {
        clock.timers.push({ atMs: clock.ms + delayMs, action })
        return () => {}
      },
    },
    log,
    core,
    mempool,
    self: undefined,
    nodeKey: chain.genesis.validators[0]?.nodeKey ?? assert.fail(),
    isInLine: options.isInLine ?? (() => false),
    statusIntervalMs,
    blockIntervalMs: () => options.blockIntervalMs ?? 0,
    onFrame: options.onFrame ?? (() => {}),
    onPeerStatus: options.onPeerStatus ?? (() => {}),
    onFatal: (error) => seen.failures.push(error),
  })
  exchange.start()
  const pass = async (durationMs: number) => {
    const endMs = clock.ms + durationMs
    while (clock.ms < endMs) {
      clock.ms += 50
      const due = clock.timers.filter(({ atMs }) => atMs <= clock.ms)
      clock.timers = clock.timers.filter(({ atMs }) => atMs > clock.ms)
      for (const { action } of due) action()
      await turn()
    }
  }
  const hold = (batch: Batch, isPinned: boolean) => {
    const from = isPinned ? ({ kind: 'local' } as const) : ({ kind: 'block' } as const)
    assert.equal(mempool.add({ batch, receivedAt: clock.ms, from, isPinned }).kind, 'added')
  }
  return { chain, exchange, seen, pass, hold }
}

test('an own batch is handed over, however many older ones of others wait before it', async () => {
  const { chain, seen, pass, hold } = await anExchange()
  for (let number = 0; number < 300; number++) hold(chain.batch([aMessage(`${number}`)], 1), false)
  const own = chain.batch([aMessage('own')], 0)
  hold(own, true)
  await pass(3_000)
  assert.deepEqual([...seen.handedOver], [own.id])
})

test('an own batch that nobody lists is handed over again, after twice as long each time', async () => {
  const { chain, seen, pass, hold } = await anExchange()
  hold(chain.batch([aMessage('own')], 0), true)
  await pass(33_000)
  // After 1, 2, 4, 8, 16 and 32 seconds.
  assert.equal(seen.handOvers, 6)
  await pass(120_000)
  assert.equal(seen.handOvers, 10, 'and each half minute then')
})

test('where blocks take long, an own batch waits for some of them before it is handed over', async () => {
  const { chain, seen, pass, hold } = await anExchange({ blockIntervalMs: 1_000 })
  hold(chain.batch([aMessage('own')], 0), true)
  await pass(3_500)
  assert.equal(seen.handOvers, 0)
  await pass(2_000)
  assert.equal(seen.handOvers, 1)
})

test('what waits is handed over in the order in which it came, a quarter of a mebibyte a second', async () => {
  const { chain, seen, pass, hold } = await anExchange()
  const data = new Uint8Array(50_000)
  for (let number = 0; number < 30; number++)
    hold(chain.batch([{ data: data.fill(number), timestamp: number }], 0), true)
  await pass(2_500)
  assert.ok(seen.handOvers >= 5 && seen.handOvers <= 15, `${seen.handOvers}`)
  await pass(20_000)
  assert.equal(seen.handedOver.size, 30)
})

test('an own batch that stays listed and comes into no block is handed over all the same: a liar alone may list it', async () => {
  const { chain, seen, pass, hold } = await anExchange({ isInLine: () => true })
  const own = chain.batch([aMessage('own')], 0)
  hold(own, true)
  await pass(20_000)
  assert.equal(seen.handedOver.size, 0, 'it waits for its turn')
  await pass(60_000)
  assert.deepEqual([...seen.handedOver], [own.id])
})

test('peers that always know more are not asked ten times a second', async () => {
  const { exchange, seen, pass } = await anExchange()
  exchange.soon()
  await pass(1_000)
  assert.ok(seen.views >= 1)
  await pass(60_000)
  assert.ok(seen.views < 20, `asked ${seen.views} times in a minute`)
})

test('a peer that does not answer is its own trouble, what this node throws is fatal', async () => {
  const bug = new Error('a bug')
  const silent = async () => Promise.reject(new Error('no answer'))
  const fail = () => {
    throw bug
  }
  const frame = { kind: 'vote' } as unknown as Frame
  const failuresOf = async (options: Parameters<typeof anExchange>[0]) => {
    const { exchange, seen, pass } = await anExchange(options)
    exchange.soon()
    exchange.fetchBlock('ab'.repeat(32) as BlockId, [1])
    await pass(statusIntervalMs + 1_000)
    return new Set(seen.failures)
  }
  assert.deepEqual(await failuresOf({ requestView: silent, requestStatus: silent, onFrame: fail }), new Set())
  assert.deepEqual(await failuresOf({ requestView: async () => [frame], onFrame: fail }), new Set([bug]))
  assert.deepEqual(await failuresOf({ onPeerStatus: fail }), new Set([bug]))
})
