// Protocol §3.6, why it is live, and §6.6: real cores in a timely network, from the first commitment to the final
// block; with as many down as the fault model allows, and with one more.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { FaultModel } from '../../src/types/index.ts'
import { Random } from '../support/random.ts'
import { VotingWorld } from '../support/voting-world.ts'

function finalViews(options: {
  powers: readonly number[]
  absent?: readonly number[]
  faultModel?: FaultModel
  heights?: number
}): number[] {
  const { powers, absent = [], faultModel = 'byzantine', heights = 1 } = options
  const leaders = [...powers.keys()]
  const world = new VotingWorld({ powers, faultModel, liars: [], absent, leaders, random: new Random(1) })
  world.start()
  world.becomeTimely(1 + heights, { roundsMax: 100 })
  return Array.from({ length: heights }, (_, at) => world.finals.get(at + 1)?.view ?? Number.NaN)
}
const equalPowers = (count: number) => Array.from({ length: count }, () => 1)

describe('a height is final in its first view where everyone is there', () => {
  for (const count of [1, 2, 3, 4, 7, 10]) {
    test(`with ${count} validators, height after height`, () => {
      assert.deepEqual(finalViews({ powers: equalPowers(count), heights: 3 }), [0, 0, 0])
    })
  }

  test('with validators of unequal power', () => {
    assert.deepEqual(finalViews({ powers: [100, 1, 1, 60, 70], heights: 3 }), [0, 0, 0])
  })
})

describe('a height is final in the first view of a leader who is there', () => {
  const cases = [
    { powers: equalPowers(4), absent: [3], view: 0 },
    { powers: equalPowers(4), absent: [0], view: 1 },
    { powers: equalPowers(7), absent: [4, 5], view: 0 },
    { powers: equalPowers(7), absent: [0, 1], view: 2 },
    { powers: equalPowers(3), absent: [0], faultModel: 'crash', view: 1 },
    { powers: equalPowers(4), absent: [0], faultModel: 'crash', view: 1 },
    { powers: equalPowers(5), absent: [0, 1], faultModel: 'crash', view: 2 },
    { powers: [3, 1, 2, 4], absent: [0], view: 1 },
    { powers: [1, 1, 1, 7], absent: [0, 1, 2], view: 3 },
  ] as const
  for (const { powers, absent, view, ...rest } of cases) {
    const faultModel: FaultModel = 'faultModel' in rest ? rest.faultModel : 'byzantine'
    test(`view ${view} of powers ${powers} where ${absent} of them are down, under ${faultModel} faults`, () => {
      assert.deepEqual(finalViews({ powers, absent, faultModel }), [view])
    })
  }
})

describe('a height waits where more than f are down', () => {
  const cases = [
    { powers: equalPowers(3), absent: [2], faultModel: 'byzantine' },
    { powers: equalPowers(4), absent: [2, 3], faultModel: 'byzantine' },
    { powers: equalPowers(4), absent: [2, 3], faultModel: 'crash' },
    { powers: equalPowers(7), absent: [0, 1, 2], faultModel: 'byzantine' },
    { powers: [3, 1, 2, 4], absent: [3], faultModel: 'byzantine' },
  ] as const
  for (const { powers, absent, faultModel } of cases) {
    test(`powers ${powers} without ${absent}, under ${faultModel} faults`, () => {
      assert.throws(() => finalViews({ powers, absent, faultModel }), /no progress/)
    })
  }
})
