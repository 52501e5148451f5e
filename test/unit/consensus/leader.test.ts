import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { leaderOf, leaderOrder } from '../../../src/consensus/index.ts'
import { thresholdsOf } from '../../../src/quorum/index.ts'
import type { Hash } from '../../../src/types/index.ts'
import vectors from '../../vectors/leader-order.json' with { type: 'json' }

const anyBeacon = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex') as Hash)

describe('leaderOrder', () => {
  for (const { name, beacon, powers, demoted, order } of vectors.cases) {
    test(`draws the known order of ${name}`, () => {
      const drawn = leaderOrder({ beacon: beacon as Hash, powers, demoted: new Set(demoted) })
      assert.deepEqual(drawn, order)
    })
  }

  test('is a permutation in which the demoted stand last, both parts as they were drawn', () => {
    const anyPowers = fc.array(fc.integer({ min: 1, max: 2 ** 32 - 1 }), { minLength: 1, maxLength: 20 })
    const anySet = fc.uniqueArray(fc.integer({ min: 0, max: 19 }))
    fc.assert(
      fc.property(anyBeacon, anyPowers, anySet, (beacon, powers, some) => {
        const demoted = new Set(some)
        const drawn = leaderOrder({ beacon, powers, demoted: new Set() })
        assert.deepEqual(
          [...drawn].sort((a, b) => a - b),
          [...powers.keys()],
        )
        const expected = [
          ...drawn.filter((validator) => !demoted.has(validator)),
          ...drawn.filter((validator) => demoted.has(validator)),
        ]
        assert.deepEqual(leaderOrder({ beacon, powers, demoted }), expected)
      }),
    )
  })

  test('lets a validator lead first in proportion to its power', () => {
    const powers = [1, 2, 5]
    const first = [0, 0, 0]
    const draws = 2_000
    for (let draw = 0; draw < draws; draw++) {
      const beacon = draw.toString(16).padStart(64, '0') as Hash
      const leader = leaderOf(leaderOrder({ beacon, powers, demoted: new Set() }), 0)
      first[leader] = (first[leader] ?? 0) + 1
    }
    const { powerTotal } = thresholdsOf(powers, 'byzantine')
    for (const [validator, count] of first.entries()) {
      const share = (powers[validator] ?? 0) / powerTotal
      assert.ok(Math.abs(count / draws - share) < 0.04, `validator ${validator} led ${count} of ${draws}`)
    }
  })
})

describe('leaderOf', () => {
  test('begins again with the first leader after the last', () => {
    assert.deepEqual(
      [0, 1, 2, 3, 7].map((view) => leaderOf([2, 0, 1], view)),
      [2, 0, 1, 2, 0],
    )
  })

  test('refuses an order of nobody', () => {
    assert.throws(() => leaderOf([], 0), RangeError)
  })
})
