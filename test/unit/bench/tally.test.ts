import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quantile, Tally } from '../../../src/bench/tally.ts'

test('counts what was accepted and did not come back as missing, and nothing else', () => {
  const tally = new Tally()
  for (const outcome of ['accepted', 'accepted', 'refused'] as const) {
    tally.answered(tally.sent(1), outcome)
  }
  tally.sent(1)
  tally.final(0, 5)
  assert.equal(tally.missingCount(), 1)
  assert.deepEqual([tally.acceptedCount, tally.refusedCount, tally.finalCount], [2, 1, 1])
})

test('counts a message that is final twice as doubled, and takes its first time', () => {
  const tally = new Tally()
  tally.sent(10)
  tally.final(0, 15)
  tally.final(0, 40)
  assert.equal(tally.doubledCount, 1)
  assert.equal(tally.finalCount, 1)
  assert.deepEqual([...tally.latencies(0, 100)], [5])
})

test('does not count messages that it never sent', () => {
  const tally = new Tally()
  tally.final(3, 5)
  assert.equal(tally.finalCount, 0)
})

test('counts throughput by when messages became final, and latency by when they were due', () => {
  const tally = new Tally()
  for (const dueMs of [10, 20, 30]) tally.sent(dueMs)
  for (const [number, atMs] of [19, 31, 45].entries()) tally.final(number, atMs)
  assert.equal(tally.finalBetween(19, 45), 2)
  assert.deepEqual([...tally.latencies(20, 31)], [11, 15])
})

test('keeps every message when it outgrows its first room', () => {
  const tally = new Tally()
  for (let number = 0; number < 70_000; number++) tally.sent(number)
  tally.final(69_999, 70_001)
  assert.deepEqual([...tally.latencies(0, 1e9)], [2])
})

test('a quantile is the value below which the share lies', () => {
  const sorted = Float64Array.from({ length: 100 }, (_, index) => index)
  assert.equal(quantile(sorted, 0.5), 50)
  assert.equal(quantile(sorted, 0.99), 99)
  assert.equal(quantile(sorted, 1), 99)
  assert.ok(Number.isNaN(quantile(new Float64Array(0), 0.5)))
})
