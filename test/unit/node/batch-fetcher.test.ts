import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { BatchFetcher } from '../../../src/node/batch-fetcher.ts'
import type { Batch, BatchId, PeerId } from '../../../src/types/index.ts'

const silent = () => undefined
const log = { debug: silent, info: silent, warn: silent, error: silent }
const lister = { peerId: 'lister' as PeerId, validator: 2 }
const batch = (id: string) => ({ id }) as Batch

function aFetcher() {
  const due: (() => void)[] = []
  const requests: { wanted: readonly BatchId[]; reply: (batches: readonly Batch[]) => void }[] = []
  const taken: string[] = []
  const fetcher = new BatchFetcher({
    transport: {
      peers: () => [lister],
      requestBatches: (_peer, { wanted }) =>
        new Promise((resolve) => requests.push({ wanted, reply: (batches) => resolve([...batches]) })),
    },
    clock: {
      nowMs: () => 1_000_000 + 1_000 * requests.length,
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
  return { fetcher, requests, taken, runDue }
}

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
