// Protocol §3.1, "When": when a validator makes its pool commitment of a height. What it lists is sequencing's.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Input, Output } from '../../src/consensus/index.ts'
import {
  aBlock,
  aCoreWithContext,
  aFinalization,
  aNotarization,
  aNullification,
  aPoolCommitment,
  blockIdOf,
  only,
} from '../support/consensus.ts'

const asked = (outputs: readonly Output[]) =>
  only(outputs, 'make-commitment').map(({ height, evenIfEmpty }) => ({ height, evenIfEmpty }))
const emptyBlockTimer: Input = { kind: 'timer', timer: { kind: 'empty-block', height: 1 } }

describe('a pool commitment is made when the pool is not empty', () => {
  test('at once when the height begins with work', () => {
    assert.deepEqual(asked(aCoreWithContext({ hasWork: true }).said), [{ height: 1, evenIfEmpty: false }])
  })

  test('as soon as work comes', () => {
    const core = aCoreWithContext()
    assert.deepEqual(asked(core.said), [])
    assert.deepEqual(asked(core.gets({ kind: 'pool', hasWork: true })), [{ height: 1, evenIfEmpty: false }])
  })

  test('not by an idle chain, which sends nothing', () => {
    const core = aCoreWithContext()
    assert.deepEqual(asked(core.gets({ kind: 'pool', hasWork: false })), [])
    assert.deepEqual(
      core.said.map(({ kind }) => kind),
      ['arm-timer'],
    )
  })

  test('not by a node that is no validator', () => {
    const core = aCoreWithContext({ self: 'watcher', hasWork: true })
    core.getsCommitmentsOf([0, 1, 2])
    assert.deepEqual(asked(core.said), [])
  })
})

describe('a pool commitment is made when power > l has said anything of the height', () => {
  const ways: Record<string, (core: ReturnType<typeof aCoreWithContext>, validator: number) => void> = {
    commitments: (core, validator) => core.getsCommitmentsOf([validator]),
    'notarize votes': (core, validator) => core.getsVote({ validator }),
    'nullify votes': (core, validator) => core.getsVote({ kind: 'nullify', validator }),
    'finalize votes': (core, validator) => core.getsVote({ kind: 'finalize', validator }),
    proposals: (core, validator) =>
      core.getsProposal({ block: aBlock({ name: `by ${validator}`, view: validator }), leader: validator }),
    'votes of a view far ahead': (core, validator) => core.getsVote({ view: 1_000, validator }),
  }
  for (const [way, say] of Object.entries(ways)) {
    test(`by ${way}: not by exactly l, but by l + 1, even of an empty pool`, () => {
      const core = aCoreWithContext()
      say(core, 0)
      assert.deepEqual(asked(core.said), [])
      say(core, 1)
      assert.deepEqual(asked(core.said), [{ height: 1, evenIfEmpty: true }])
    })
  }

  test('by a mixture of them', () => {
    const core = aCoreWithContext()
    core.getsCommitmentsOf([0])
    core.getsVote({ validator: 1 })
    assert.deepEqual(asked(core.said), [{ height: 1, evenIfEmpty: true }])
  })

  test('by a certificate alone, which shows the votes of its signers', () => {
    const core = aCoreWithContext()
    assert.deepEqual(asked(core.getsCertificate(aNullification(0))), [{ height: 1, evenIfEmpty: true }])
  })

  test('not by one validator however often it speaks', () => {
    const core = aCoreWithContext()
    core.getsCommitmentsOf([0, 0])
    core.getsVote({ validator: 0 })
    core.getsProposal({ block: aBlock() })
    assert.deepEqual(asked(core.said), [])
  })

  test('counting power, not heads', () => {
    // W = 10, l = 3.
    const powers = [1, 2, 3, 4]
    const byMany = aCoreWithContext({ powers })
    byMany.getsCommitmentsOf([0, 1])
    assert.deepEqual(asked(byMany.said), [])
    const byOne = aCoreWithContext({ powers, self: 0 })
    assert.equal(asked(byOne.getsCommitmentsOf([3])).length, 1)
  })

  test('by anyone at all where nobody lies (l = 0)', () => {
    const core = aCoreWithContext({ faultModel: 'crash' })
    assert.equal(asked(core.getsCommitmentsOf([0])).length, 1)
  })
})

describe('a pool commitment is made when emptyBlockInterval has passed', () => {
  test('of an empty pool too', () => {
    const core = aCoreWithContext()
    assert.deepEqual(
      only(core.said, 'arm-timer').map(({ timer }) => timer),
      [{ kind: 'empty-block', height: 1 }],
    )
    assert.deepEqual(asked(core.gets(emptyBlockTimer)), [{ height: 1, evenIfEmpty: true }])
  })

  test('not by the interval of another height', () => {
    assert.deepEqual(asked(aCoreWithContext({ height: 2 }).gets(emptyBlockTimer)), [])
  })
})

test('a pool commitment is made at most once a height, whatever the reasons', () => {
  const core = aCoreWithContext({ hasWork: true })
  core.gets({ kind: 'pool-commitment', commitment: aPoolCommitment({ validator: 3 }) })
  core.getsCommitmentsOf([0, 1, 2])
  core.gets(emptyBlockTimer, { kind: 'pool', hasWork: false }, { kind: 'pool', hasWork: true })
  assert.equal(asked(core.said).length, 1)
})

describe('with finalize(B) goes the commitment for the next height', () => {
  const assumed = (outputs: readonly Output[]) =>
    only(outputs, 'make-commitment').filter(({ assuming }) => assuming !== undefined)

  test('of the pool as it would be with B in the chain, and not if that is empty', () => {
    const core = aCoreWithContext()
    core.getsCheckedProposal({ block: aBlock() })
    assert.deepEqual(assumed(core.getsCertificate(aNotarization(0))), [
      { kind: 'make-commitment', height: 2, assuming: blockIdOf('A'), evenIfEmpty: false },
    ])
  })

  test('not where B is not in hand: what it would leave of the pool is unknown', () => {
    const core = aCoreWithContext()
    assert.deepEqual(assumed(core.getsCertificate(aNotarization(0))), [])
  })

  test('not where finalize is not sent', () => {
    const core = aCoreWithContext()
    core.getsCheckedProposal({ block: aBlock() })
    core.getsVotesOf([1, 2], { kind: 'nullify' })
    assert.deepEqual(assumed(core.getsCertificate(aNotarization(0))), [])
  })

  test('once it is made, not again with the finalize of another view or when the height begins', () => {
    const core = aCoreWithContext({ hasWork: true })
    core.getsCheckedProposal({ block: aBlock() })
    core.getsCertificate(aNotarization(0))
    core.gets({ kind: 'pool-commitment', commitment: aPoolCommitment({ validator: 3, height: 2 }) })
    core.finalizeTimerEnds(0)
    assert.deepEqual(assumed(core.getsCertificate(aNotarization(1))), [])
    core.getsCertificate(aFinalization(1))
    assert.deepEqual(asked(core.startsHeight(2)), [])
  })
})
