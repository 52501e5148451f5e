import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  exceedsFaulty,
  exceedsLying,
  InvariantBroken,
  isQuorum,
  powerOf,
  assert as protocolAssert,
  thresholdsOf,
} from '../../../src/quorum/index.ts'

const equalPowers = (count: number) => Array.from({ length: count }, () => 1)

describe('thresholdsOf', () => {
  const table = [
    { faultModel: 'byzantine', powers: equalPowers(1), f: 0, l: 0, q: 1 },
    { faultModel: 'byzantine', powers: equalPowers(3), f: 0, l: 0, q: 3 },
    { faultModel: 'byzantine', powers: equalPowers(4), f: 1, l: 1, q: 3 },
    { faultModel: 'byzantine', powers: equalPowers(6), f: 1, l: 1, q: 5 },
    { faultModel: 'byzantine', powers: equalPowers(7), f: 2, l: 2, q: 5 },
    { faultModel: 'byzantine', powers: [5, 1, 1, 3], f: 3, l: 3, q: 7 },
    { faultModel: 'crash', powers: equalPowers(1), f: 0, l: 0, q: 1 },
    { faultModel: 'crash', powers: equalPowers(2), f: 0, l: 0, q: 2 },
    { faultModel: 'crash', powers: equalPowers(3), f: 1, l: 0, q: 2 },
    { faultModel: 'crash', powers: equalPowers(4), f: 1, l: 0, q: 3 },
    { faultModel: 'crash', powers: equalPowers(5), f: 2, l: 0, q: 3 },
  ] as const
  for (const { faultModel, powers, f, l, q } of table) {
    test(`gives f=${f}, l=${l}, Q=${q} for powers ${powers} under ${faultModel} faults`, () => {
      const powerTotal = powers.reduce((sum: number, power) => sum + power, 0)
      assert.deepEqual(thresholdsOf(powers, faultModel), {
        powerTotal,
        faultyMax: f,
        lyingMax: l,
        quorum: q,
      })
    })
  }

  test('makes two quorums share more power than may lie, and a quorum out of all that is not faulty', () => {
    const anyPowers = fc.array(fc.integer({ min: 1, max: 2 ** 32 - 1 }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(
        anyPowers,
        fc.constantFrom('byzantine' as const, 'crash' as const),
        (powers, faultModel) => {
          const { powerTotal, faultyMax, lyingMax, quorum } = thresholdsOf(powers, faultModel)
          assert.ok(2 * quorum - powerTotal > lyingMax)
          assert.ok(quorum <= powerTotal - faultyMax)
          assert.ok(lyingMax <= faultyMax)
        },
      ),
    )
  })

  for (const powers of [[], [0], [1, -1], [1.5], [Number.NaN], [1, Number.POSITIVE_INFINITY]]) {
    test(`refuses the powers [${powers}]`, () => {
      assert.throws(() => thresholdsOf(powers, 'byzantine'), RangeError)
    })
  }

  test('takes a total power below 2^52, and refuses one that could not be doubled exactly', () => {
    assert.equal(thresholdsOf([2 ** 52 - 1], 'crash').powerTotal, 2 ** 52 - 1)
    assert.throws(() => thresholdsOf([2 ** 52], 'crash'), RangeError)
  })
})

describe('powerOf', () => {
  const powers = [5, 1, 1, 3]

  test('adds the power of validators, a repeated one once', () => {
    assert.equal(powerOf(powers, [0, 3]), 8)
    assert.equal(powerOf(powers, [3, 3, 3]), 3)
    assert.equal(powerOf(powers, []), 0)
  })

  test('gives an index that no validator has no power', () => {
    assert.equal(powerOf(powers, [4, -1, 0.5]), 0)
  })
})

describe('the three thresholds', () => {
  const byzantine = thresholdsOf([5, 1, 1, 3], 'byzantine')
  const crash = thresholdsOf(equalPowers(5), 'crash')

  test('a quorum begins with exactly Q, not with Q − 1', () => {
    assert.equal(isQuorum(byzantine, 6), false)
    assert.equal(isQuorum(byzantine, 7), true)
  })

  test('more than f begins with f + 1, not with f', () => {
    assert.equal(exceedsFaulty(byzantine, 3), false)
    assert.equal(exceedsFaulty(byzantine, 4), true)
    assert.equal(exceedsFaulty(crash, 2), false)
    assert.equal(exceedsFaulty(crash, 3), true)
  })

  test('more than l is any power at all where nobody lies', () => {
    assert.equal(exceedsLying(byzantine, 3), false)
    assert.equal(exceedsLying(byzantine, 4), true)
    assert.equal(exceedsLying(crash, 0), false)
    assert.equal(exceedsLying(crash, 1), true)
  })
})

describe('assert', () => {
  test('throws InvariantBroken naming the invariant, only where it does not hold', () => {
    protocolAssert(true, 'one block of a height is final')
    assert.throws(
      () => protocolAssert(false, 'one block of a height is final'),
      (error) => error instanceof InvariantBroken && error.message === 'one block of a height is final',
    )
  })
})
