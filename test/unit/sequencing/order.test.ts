import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { hexToBytes } from '../../../src/codec/index.ts'
import { thresholdsOf } from '../../../src/quorum/index.ts'
import { orderBatches } from '../../../src/sequencing/index.ts'
import type { FaultModel, PoolCommitment } from '../../../src/types/index.ts'
import { aCommitment, batchId, hashOf, sha256 } from './builders.ts'

const beacon = hashOf('beacon')

function order(
  commitments: readonly PoolCommitment[],
  { powers = [1, 1, 1, 1], faultModel = 'byzantine' as FaultModel } = {},
) {
  const thresholds = thresholdsOf(powers, faultModel)
  return orderBatches({ commitments, powers, thresholds, beacon, sha256 })
}

/** Commitments of validators 0, 1, … that received the batches of these labels at these times. */
function commitmentsOf(...received: Record<string, number>[]): PoolCommitment[] {
  return received.map((times, validator) => aCommitment({ validator, received: times }))
}

describe('membership', () => {
  test('a batch listed by power f is not in the block, one listed by f + 1 is', () => {
    const ordered = order(commitmentsOf({ few: 1, enough: 1 }, { enough: 1 }, {}))
    assert.deepEqual(ordered, [{ batchId: batchId('enough'), fairTime: 1 }])
  })

  test('power counts, not the number of listers', () => {
    const powers = [1, 1, 1, 4]
    const ordered = order(commitmentsOf({ light: 5 }, { light: 5 }, {}, { heavy: 9 }), { powers })
    assert.deepEqual(ordered, [{ batchId: batchId('heavy'), fairTime: 9 }])
  })

  test('in the crash model f is larger', () => {
    const powers = [1, 1, 1, 1, 1]
    const commitments = commitmentsOf({ two: 1, three: 1 }, { two: 1, three: 1 }, { three: 1 })
    assert.deepEqual(
      order(commitments, { powers, faultModel: 'crash' }).map((batch) => batch.batchId),
      [batchId('three')],
    )
  })

  test('refuses to count a validator twice', () => {
    const twice = [...commitmentsOf({ a: 1 }), ...commitmentsOf({ a: 1 })]
    assert.throws(() => order(twice), /two commitments of validator 0/)
  })

  test('a batch is in exactly if listers of power > f list it', () => {
    const sets = fc.array(fc.array(fc.constantFrom('a', 'b', 'c')), { minLength: 1, maxLength: 7 })
    fc.assert(
      fc.property(
        sets,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 7, maxLength: 7 }),
        (lists, powers) => {
          const commitments = commitmentsOf(
            ...lists.map((list) => Object.fromEntries(list.map((label) => [label, 1]))),
          )
          const ordered = new Set(order(commitments, { powers }).map((batch) => batch.batchId))
          for (const label of ['a', 'b', 'c'] as const) {
            const power = lists.reduce(
              (sum, list, at) => sum + (list.includes(label) ? (powers[at] ?? 0) : 0),
              0,
            )
            assert.equal(ordered.has(batchId(label)), power > thresholdsOf(powers, 'byzantine').faultyMax)
          }
        },
      ),
    )
  })
})

describe('order', () => {
  test('the fair time is the first at which power > f had the batch', () => {
    const ordered = order(commitmentsOf({ a: 40 }, { a: 10 }, { a: 30 }, { a: 20 }))
    assert.deepEqual(ordered, [{ batchId: batchId('a'), fairTime: 20 }])
  })

  test('fair times are weighted by power', () => {
    const powers = [3, 1, 1, 2] // f = 2
    assert.equal(order(commitmentsOf({ a: 40 }, { a: 10 }, { a: 20 }), { powers })[0]?.fairTime, 40)
    assert.equal(order(commitmentsOf({}, { a: 10 }, { a: 20 }, { a: 30 }), { powers })[0]?.fairTime, 30)
  })

  test('the oldest fair time comes first', () => {
    const ordered = order(commitmentsOf({ young: 9, old: 3 }, { young: 9, old: 4 }))
    assert.deepEqual(
      ordered.map((batch) => batch.batchId),
      [batchId('old'), batchId('young')],
    )
  })

  test('ties go by SHA-256(beacon ‖ batch id) as unsigned bytes', () => {
    const labels = Array.from({ length: 40 }, (_, at) => `tied ${at}`)
    const received = Object.fromEntries(labels.map((label) => [label, 5]))
    const expected = labels
      .map((label) => ({
        id: batchId(label),
        tie: Buffer.from(sha256(Buffer.concat([hexToBytes(beacon), hexToBytes(batchId(label))]))),
      }))
      .sort((a, b) => Buffer.compare(a.tie, b.tie))
    const ordered = order(commitmentsOf(received, received))
    assert.deepEqual(
      ordered.map((batch) => batch.batchId),
      expected.map((batch) => batch.id),
    )
  })

  test('does not depend on the order of the commitments', () => {
    const times = fc.record({ a: fc.nat(3), b: fc.nat(3), c: fc.nat(3), d: fc.nat(3) }, { requiredKeys: [] })
    const shuffled = fc
      .array(times, { minLength: 4, maxLength: 4 })
      .map((lists) => commitmentsOf(...(lists as Record<string, number>[])))
      .chain((commitments) =>
        fc.tuple(fc.constant(commitments), fc.shuffledSubarray(commitments, { minLength: 4, maxLength: 4 })),
      )
    fc.assert(fc.property(shuffled, ([one, other]) => assert.deepEqual(order(one), order(other))))
  })

  test('a fair time lies between the first and the last honest reception, whatever f liars say', () => {
    const powers = [1, 1, 1, 1, 1, 1, 1] // f = 2
    const honestTimes = fc.array(fc.integer({ min: 1000, max: 2000 }), { minLength: 3, maxLength: 5 })
    const liars = fc.array(fc.option(fc.nat(5000)), { minLength: 2, maxLength: 2 })
    fc.assert(
      fc.property(honestTimes, liars, (honest, lies) => {
        const lists = [...honest, ...lies].map((time) => (time === null ? {} : { a: time }))
        const fairTime =
          order(commitmentsOf(...(lists as Record<string, number>[])), { powers })[0]?.fairTime ?? -1
        assert.ok(fairTime >= Math.min(...honest) && fairTime <= Math.max(...honest))
      }),
    )
  })

  test('what all honest validators received first stands first, whatever f liars say', () => {
    const powers = [1, 1, 1, 1, 1, 1, 1]
    const honest = fc.array(fc.tuple(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 100, max: 199 })), {
      minLength: 3,
      maxLength: 5,
    })
    const lie = fc.record({ x: fc.nat(300), y: fc.nat(300) }, { requiredKeys: [] })
    fc.assert(
      fc.property(honest, fc.array(lie, { minLength: 2, maxLength: 2 }), (times, lies) => {
        const lists = [...times.map(([x, y]) => ({ x, y })), ...(lies as Record<string, number>[])]
        const ordered = order(commitmentsOf(...lists), { powers })
        assert.equal(ordered[0]?.batchId, batchId('x'))
      }),
    )
  })

  test('orders the most that a proposal can carry', () => {
    const received = Object.fromEntries(Array.from({ length: 262 }, (_, at) => [`${at}`, at % 7]))
    const commitments = Array.from({ length: 100 }, (_, validator) => aCommitment({ validator, received }))
    const powers = commitments.map(() => 1)
    assert.equal(order(commitments, { powers }).length, 262)
  })
})
