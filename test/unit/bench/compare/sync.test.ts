import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Syncing } from '../../../../bench/compare/contender.ts'
import { measureSync, type SyncFigures, syncTableOf } from '../../../../bench/compare/sync.ts'

/** A network whose chain is as high as the next of `chain` each time, and a node that answers the next of `joining`. */
function aSyncing(chain: readonly number[], joining: readonly (number | 'busy')[]): Syncing {
  const heights = [...chain]
  const answers = [...joining]
  const next = <T>(list: T[]): T => (list.length > 1 ? list.shift() : list[0]) as T
  return {
    chain: async () => {
      const height = next(heights)
      return { height, messages: 100 * height }
    },
    join: async () => ({
      startedMs: performance.now(),
      pid: process.pid,
      height: async () => {
        const answer = next(answers)
        if (answer === 'busy') throw new Error('connection refused')
        return answer
      },
    }),
  }
}

test('a new node is measured on the chain as it is when no more blocks come', async () => {
  const syncing = aSyncing([3, 5, 5], ['busy', 0, 2, 'busy', 5])
  const figures = await measureSync(syncing, { target: 'diseq', round: 1, timeoutMs: 60_000 })
  const { target, round, blocks, messages, firstSeconds, seconds, messagesPerSecond } = figures
  assert.deepEqual(
    { target, round, blocks, messages },
    { target: 'diseq', round: 1, blocks: 5, messages: 500 },
  )
  assert.ok(firstSeconds > 0 && firstSeconds < seconds, `${firstSeconds} s of ${seconds} s`)
  assert.equal(messagesPerSecond, 500 / seconds)
  assert.ok(figures.residentMaxBytes > 2 ** 20)
})

test('a node that does not get the whole chain in its time has no figure, and what it has is told', async () => {
  const syncing = aSyncing([4, 4], ['busy', 1, 'busy'])
  await assert.rejects(
    measureSync(syncing, { target: 'cometbft', round: 0, timeoutMs: 100 }),
    /cometbft has 1 of 4 blocks/,
  )
})

test("the table divides DISEQ's figure by that of the same round", () => {
  const figures = (target: string, round: number, messagesPerSecond: number): SyncFigures => ({
    target,
    round,
    blocks: 10,
    messages: 1_000,
    firstSeconds: 1.5,
    seconds: 1_000 / messagesPerSecond,
    messagesPerSecond,
    residentMaxBytes: 100 * 2 ** 20,
  })
  const table = syncTableOf([
    figures('diseq', 0, 300),
    figures('cometbft', 0, 100),
    figures('cometbft', 1, 200),
  ])
  const [, , ...rows] = table.split('\n')
  assert.deepEqual(rows, [
    '| diseq | 1 | 1000 | 10 | 1.50 | 3.3 | 300 | 1.00 | 100 |',
    '| cometbft | 1 | 1000 | 10 | 1.50 | 10.0 | 100 | 3.00 | 100 |',
    '| cometbft | 2 | 1000 | 10 | 1.50 | 5.0 | 200 | – | 100 |',
  ])
})
