// Protocol §3.2: who leads. Known orders are in test/vectors/leader-order.json, read by the unit test.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { leaderOf, leaderOrder } from '../../src/consensus/index.ts'
import type { Hash } from '../../src/types/index.ts'
import { aBlock, aCoreWithContext, only } from '../support/consensus.ts'

const beacon = '5a'.repeat(32) as Hash

describe('leader(h, view) is entry view mod n of the order', () => {
  test('and a proposal of anyone else is not looked at', () => {
    const core = aCoreWithContext({ leaders: [2, 0, 3, 1], self: 1 })
    core.getsProposal({ block: aBlock({ leader: 0 }), leader: 0 })
    assert.equal(core.state.views.get(0)?.proposal, undefined)
    core.getsProposal({ block: aBlock({ leader: 2 }), leader: 2 })
    assert.equal(core.state.views.get(0)?.proposal?.leader, 2)
  })

  test('and the order begins again after its last', () => {
    const core = aCoreWithContext({ leaders: [2, 0, 3, 1], self: 1 })
    core.getsProposal({ block: aBlock({ view: 4, leader: 2 }), leader: 2 })
    assert.equal(core.state.views.get(4)?.proposal?.leader, 2)
  })
})

describe('the order is a function of the chain alone', () => {
  test('the same beacon and powers give the same order, another beacon another', () => {
    const powers = Array.from({ length: 20 }, (_, at) => at + 1)
    const order = (of: Hash) => leaderOrder({ beacon: of, powers, demoted: new Set() })
    assert.deepEqual(order(beacon), order(beacon))
    assert.notDeepEqual(order(beacon), order('5b'.repeat(32) as Hash))
  })

  test('one that is alone leads every view', () => {
    const order = leaderOrder({ beacon, powers: [3], demoted: new Set([0]) })
    assert.deepEqual(
      [0, 1, 2].map((view) => leaderOf(order, view)),
      [0, 0, 0],
    )
  })
})

describe('those who are absent or convicted go to the end', () => {
  test('a leader does not wait for their commitments beyond a quorum', () => {
    const core = aCoreWithContext({ self: 0, demoted: [3] })
    core.getsCommitmentsOf([0, 1, 2])
    assert.equal(only(core.said, 'build-block').length, 1)
  })

  test('a leader gives the others a short grace', () => {
    const core = aCoreWithContext({ self: 0 })
    core.getsCommitmentsOf([0, 1, 2])
    assert.equal(only(core.said, 'build-block').length, 0)
  })
})
