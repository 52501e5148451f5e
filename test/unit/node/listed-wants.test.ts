import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { BatchFetcher } from '../../../src/node/batch-fetcher.ts'
import { ListedWants } from '../../../src/node/listed-wants.ts'
import type { BatchId, PoolCommitment } from '../../../src/types/index.ts'

const idOf = (number: number) => number.toString(16).padStart(64, '0') as BatchId
const finalHeight = 10

/** What a validator lists: batches of the numbers given. */
function listOf(validator: number, height: number, numbers: readonly number[]): PoolCommitment {
  const entries = numbers.map((number) => ({ batchId: idOf(number), receivedAt: 1 }))
  const bytes = Buffer.from(`${height} ${numbers.join()}`)
  return { height, time: 1, entries, validator, bytes, signature: new Uint8Array(64) }
}

function someWants({ inChain = [] as BatchId[], inHand = [] as BatchId[] } = {}) {
  const fetcher = new BatchFetcher({
    transport: { peers: () => [], requestBatches: async () => [] },
    clock: { nowMs: () => 0, schedule: () => () => {} },
    log: { debug() {}, info() {}, warn() {}, error() {} },
    blockIntervalMs: () => 100,
    onBatch: () => {},
  })
  const wanted: string[] = []
  const state = { final: finalHeight }
  const wants = new ListedWants({
    store: { batchHeights: async (ids) => ids.map((id) => (inChain.includes(id) ? 3 : undefined)) },
    fetcher: {
      want: (id, details) => {
        wanted.push(`${Number.parseInt(id, 16)} of ${[...details.holders].join()}`)
        fetcher.want(id, details)
      },
    },
    finalHeight: () => state.final,
    isInHand: (id) => inHand.includes(id),
    onFatal: (error) => assert.fail(String(error)),
  })
  const settle = (height: number) => {
    state.final = height
    fetcher.settle(height)
    wants.settle(height)
  }
  return { wants, wanted, fetcher, settle }
}

test('what a validator lists is wanted of it, but not what is in hand or in the chain', async () => {
  const { wants, wanted } = someWants({ inHand: [idOf(1)], inChain: [idOf(2)] })
  wants.onCommitment(listOf(3, 11, [1, 2, 7]))
  wants.onCommitment(listOf(2, 12, [7, 8]))
  await turn()
  assert.deepEqual(wanted, ['7 of 3', '7 of 2', '8 of 2'])
})

test('a list of a height that is over, or beyond the next, makes it want nothing: a liar can sign any', async () => {
  const { wants, wanted, fetcher } = someWants()
  for (const height of [1, 10, 13, 2 ** 52]) wants.onCommitment(listOf(3, height, [height]))
  await turn()
  assert.deepEqual(wanted, [])
  assert.equal(fetcher.wantedCount, 0)
})

test('of a validator that signs many lists of a height the first counts, however often it comes', async () => {
  const { wants, wanted, settle } = someWants()
  const first = listOf(3, 11, [1])
  for (const list of [first, listOf(3, 11, [2]), listOf(3, 11, [3, 4]), first]) wants.onCommitment(list)
  await turn()
  assert.deepEqual(wanted, ['1 of 3', '1 of 3'])
  settle(11)
  wants.onCommitment(listOf(3, 12, [2]))
  await turn()
  assert.equal(wanted.at(-1), '2 of 3', 'the next height is another')
})

test('what all validators can make it want at once has a place for every batch that an honest one lists', async () => {
  const { wants, fetcher } = someWants()
  // The most that genesis allows: 1 MiB of entries of 40 bytes, whatever the number of validators.
  const entriesOfAll = Math.floor(2 ** 20 / 40)
  const validators = 4
  const each = Math.floor(entriesOfAll / validators)
  for (let validator = 0; validator < validators; validator++) {
    for (const height of [11, 12]) {
      for (let version = 0; version < 2; version++) {
        const from = ((validator * 2 + height) * 2 + version) * each
        wants.onCommitment(
          listOf(
            validator,
            height,
            Array.from({ length: each }, (_, at) => from + at),
          ),
        )
      }
    }
  }
  await turn()
  assert.equal(fetcher.wantedCount, 2 * validators * each)
})
