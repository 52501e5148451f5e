import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Offer, type OfferOptions } from '../../../src/bench/offer.ts'
import { Tally } from '../../../src/bench/tally.ts'
import type { SubmitResult, Target } from '../../../src/bench/target.ts'
import { randomWorkload } from '../../../src/bench/workload.ts'

/** A target that answers when told to, and a clock that stands still until it is moved. */
function offerTo(answer: SubmitResult, options: Partial<OfferOptions>) {
  const groups: number[] = []
  const pending: (() => void)[] = []
  const target: Target = {
    name: 'test',
    entranceCount: 2,
    processes: [],
    submit: (_entrance, messages) => {
      groups.push(messages.length)
      return new Promise((resolve) => pending.push(() => resolve(answer)))
    },
    follow: async () => () => undefined,
  }
  const clock = { nowMs: 0 }
  const tally = new Tally()
  const offer = new Offer({
    target,
    tally,
    workload: randomWorkload(8),
    rate: 'max',
    groupSize: 10,
    inFlight: 3,
    pendingMax: 25,
    nowMs: () => clock.nowMs,
    onError: (error) => assert.fail(String(error)),
    ...options,
  })
  return {
    offer,
    groups,
    tally,
    clock,
    answerAll: () => pending.splice(0).forEach((resolve) => void resolve()),
  }
}

test('as fast as possible sends full requests, and no more than may be pending', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const { offer, groups } = offerTo({ kind: 'accepted' }, {})
  offer.start()
  t.mock.timers.tick(5)
  assert.deepEqual(groups, [10, 10])
})

test('keeps no more requests under way than asked for', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const { offer, groups } = offerTo({ kind: 'accepted' }, { pendingMax: 1_000 })
  offer.start()
  t.mock.timers.tick(5)
  assert.deepEqual(groups, [10, 10, 10])
})

test('at a rate, what fell due while requests were stuck keeps the time at which it was due', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const { offer, groups, tally, clock } = offerTo({ kind: 'accepted' }, { rate: 1_000, inFlight: 1 })
  offer.start()
  clock.nowMs = 2
  t.mock.timers.tick(1)
  assert.deepEqual(groups, [2])
  for (const number of [0, 1]) tally.final(number, 100)
  assert.deepEqual([...tally.latencies(0, 10)], [98, 99])
})

test('of a request that is accepted in part, each message counts as it was answered', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const answer: SubmitResult = { kind: 'partly', refused: new Set([0, 2]), retryAfterMs: 50 }
  const { offer, groups, tally, clock, answerAll } = offerTo(answer, { inFlight: 1 })
  offer.start()
  t.mock.timers.tick(1)
  answerAll()
  await Promise.resolve()
  assert.deepEqual([tally.acceptedCount, tally.refusedCount], [8, 2])
  tally.final(1, 5)
  assert.equal(tally.missingCount(), 7)
  clock.nowMs = 49
  t.mock.timers.tick(1)
  assert.equal(groups.length, 1)
  clock.nowMs = 50
  t.mock.timers.tick(1)
  assert.equal(groups.length, 2)
})
