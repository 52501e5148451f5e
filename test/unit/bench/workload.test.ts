import assert from 'node:assert/strict'
import { test } from 'node:test'
import { givenWorkload, randomWorkload } from '../../../src/bench/workload.ts'

test('random messages have their size, differ, and tell their number', () => {
  const workload = randomWorkload(200)
  const messages = Array.from({ length: 3_000 }, () => workload.next())
  assert.ok(messages.every(({ length }) => length === 200))
  assert.equal(new Set(messages.map((message) => Buffer.from(message).toString('hex'))).size, 3_000)
  assert.deepEqual(
    messages.map((message) => workload.numberOf(message.subarray(0, 8))),
    messages.map((_, index) => index),
  )
})

test('given messages keep their sizes, and are different each time they come round', () => {
  const workload = givenWorkload([Buffer.alloc(10, 1), Buffer.alloc(20, 2)], 'two')
  const messages = Array.from({ length: 4 }, () => workload.next())
  assert.deepEqual(
    messages.map(({ length }) => length),
    [10, 20, 10, 20],
  )
  assert.notDeepEqual(messages[0], messages[2])
})

test('does not take the messages of another run for its own', () => {
  const message = randomWorkload(8).next()
  assert.equal(randomWorkload(8).numberOf(message), undefined)
  assert.equal(randomWorkload(8).numberOf(new Uint8Array(3)), undefined)
})

test('refuses messages too small to hold their number', () => {
  assert.throws(() => randomWorkload(7), RangeError)
  assert.throws(() => givenWorkload([], 'none'), RangeError)
  assert.throws(() => givenWorkload([new Uint8Array(7)], 'small'), RangeError)
})
