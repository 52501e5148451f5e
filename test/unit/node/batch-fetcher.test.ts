import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { BatchFetcher } from '../../../src/node/batch-fetcher.ts'
import type { Batch, BatchId, PeerId } from '../../../src/types/index.ts'

const silent = () => undefined
const log = { debug: silent, info: silent, warn: silent, error: silent }
const lister = { peerId: 'lister' as PeerId, validator: 2 }
const batch = (id: string) => ({ id }) as Batch

function aFetcher(peers: readonly (typeof lister)[] = [lister]) {
  let passedMs = 0
  const due: (() => void)[] = []
  const requests: { wanted: readonly BatchId[]; reply: (batches: readonly Batch[]) => void }[] = []
  const taken: string[] = []
  const fetcher = new BatchFetcher({
    transport: {
      peers: () => peers,
      requestBatches: (_peer, { wanted }) =>
        new Promise((resolve) => requests.push({ wanted, reply: (batches) => resolve([...batches]) })),
    },
    clock: {
      nowMs: () => 1_000_000 + passedMs + 1_000 * requests.length,
      schedule: (_delayMs, action) => {
        due.push(action)
        return () => undefined
      },
    },
    log,
    blockIntervalMs: () => 100,
    onBatch: ({ id }) => taken.push(id),
  })
  const runDue = () => {
    for (const action of due.splice(0)) action()
  }
  const pass = (ms: number) => {
    passedMs += ms
  }
  return { fetcher, requests, taken, runDue, pass }
}

test('a batch that is listed anew is asked for although each height was over before the patience with it', async () => {
  const { fetcher, requests, taken, runDue, pass } = aFetcher()
  for (let height = 7; height < 12; height += 1) {
    fetcher.want('a' as BatchId, { height, holders: [2], isUrgent: false })
    pass(18)
    fetcher.settle(height)
    runDue()
  }
  assert.deepEqual(
    requests.map(({ wanted }) => wanted),
    [['a']],
  )
  requests[0]?.reply([batch('a')])
  await turn()
  assert.deepEqual(taken, ['a'])
  assert.equal(fetcher.wantedCount, 0)
})

test('what nobody connected lists is forgotten a while after its height, asked for or not', () => {
  const { fetcher, requests, runDue, pass } = aFetcher([])
  fetcher.want('a' as BatchId, { height: 7, holders: [2], isUrgent: false })
  fetcher.settle(7)
  assert.equal(fetcher.wantedCount, 1)
  pass(1_000)
  runDue()
  assert.equal(fetcher.wantedCount, 0)
  assert.equal(requests.length, 0)
})

test('a batch that was asked for is taken although its height is over when it comes', async () => {
  const { fetcher, requests, taken, runDue } = aFetcher()
  fetcher.want('a' as BatchId, { height: 7, holders: [2], isUrgent: true })
  runDue()
  assert.deepEqual(requests[0]?.wanted, ['a'])
  fetcher.settle(7)
  assert.equal(fetcher.wantedCount, 0)
  requests[0]?.reply([batch('a')])
  await turn()
  assert.deepEqual(taken, ['a'])
})

test('what was not asked for is not taken, and nothing twice', async () => {
  const { fetcher, requests, taken, runDue } = aFetcher()
  fetcher.want('a' as BatchId, { height: 7, holders: [2], isUrgent: true })
  runDue()
  requests[0]?.reply([batch('b'), batch('a'), batch('a')])
  await turn()
  assert.deepEqual(taken, ['a'])
})

test('nothing is taken after the end', async () => {
  const { fetcher, requests, taken, runDue } = aFetcher()
  fetcher.want('a' as BatchId, { height: 7, holders: [2], isUrgent: true })
  runDue()
  fetcher.stop()
  requests[0]?.reply([batch('a')])
  await turn()
  assert.deepEqual(taken, [])
})
