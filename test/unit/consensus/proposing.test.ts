import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  aBlock,
  aCoreWithContext,
  aFinalization,
  aNotarization,
  aNullification,
  only,
  proposalsIn,
  type TestCore,
  votesIn,
} from '../../support/consensus.ts'

/** Validator 2, the leader of view 2, makes a fresh block: it knows of no notarization. */
function aBuildingLeader(): TestCore {
  const core = aCoreWithContext({ self: 2 })
  core.getsCommitmentsOf([0, 1, 2])
  core.getsCertificate(aNullification(0))
  core.getsCertificate(aNullification(1))
  assert.equal(only(core.said, 'build-block').length, 1)
  return core
}
const built = { kind: 'block-built', height: 1, view: 2, block: aBlock({ name: 'C', view: 2 }) } as const
const unbuildable = { kind: 'block-unbuildable', height: 1, view: 2 } as const

describe('a leader that is making its block', () => {
  test('saves it, then proposes it, once', () => {
    const core = aBuildingLeader()
    const kinds = core.gets(built).map(({ kind }) => kind)
    assert.ok(
      kinds.indexOf('save-block') >= 0 && kinds.indexOf('save-block') < kinds.indexOf('sign-proposal'),
    )
    assert.deepEqual(proposalsIn(core.gets(built)), [])
  })

  test('repeats a lower notarized block that it learns of meanwhile, when its own is made', () => {
    const core = aBuildingLeader()
    core.getsCertificate(aNotarization(0, 'A'))
    assert.deepEqual(proposalsIn(core.gets(built)), ['2 A again'])
  })

  test('repeats it too when its own cannot be made, and does not give the view up', () => {
    const core = aBuildingLeader()
    core.getsCertificate(aNotarization(1, 'B'))
    const outputs = core.gets(unbuildable)
    assert.deepEqual(proposalsIn(outputs), ['2 B again'])
    assert.deepEqual(votesIn(outputs), [])
  })

  test('lets a block go that is made too late for its view', () => {
    const core = aBuildingLeader()
    core.getsCertificate(aNullification(2))
    assert.deepEqual(core.gets(built), [])
    assert.deepEqual(core.gets(unbuildable), [])
  })

  test('proposes nothing after it gave the view up', () => {
    const core = aBuildingLeader()
    core.viewTimerEnds(2)
    assert.deepEqual(votesIn(core.said), ['nullify 2'])
    assert.deepEqual(proposalsIn(core.gets(built)), [])
  })

  test('proposes nothing once the height is final', () => {
    const core = aBuildingLeader()
    core.getsCertificate(aFinalization(2))
    assert.deepEqual(core.gets(built), [])
  })
})

describe('the certificates that a proposal carries', () => {
  test('are the latest 64 nullifications for a fresh block', () => {
    const core = aCoreWithContext({ self: 0 })
    core.getsCommitmentsOf([0, 1, 2])
    for (let view = 0; view < 100; view++) core.getsCertificate(aNullification(view))
    core.gets({
      kind: 'block-built',
      height: 1,
      view: 100,
      block: aBlock({ name: 'D', view: 100, leader: 0 }),
    })
    const [proposal] = only(core.said, 'sign-proposal').slice(-1)
    const views = proposal?.proposal.justification.map(({ view }) => view)
    assert.deepEqual(
      views,
      Array.from({ length: 64 }, (_, at) => 36 + at),
    )
  })

  test('are the notarization and the latest 63 nullifications for a repeated one', () => {
    const core = aCoreWithContext({ self: 0 })
    core.getsCertificate(aNotarization(0, 'A'))
    for (let view = 1; view < 100; view++) core.getsCertificate(aNullification(view))
    const [proposal] = only(core.said, 'sign-proposal').slice(-1)
    assert.equal(proposal?.proposal.view, 100)
    const [first, ...rest] = proposal?.proposal.justification ?? []
    assert.deepEqual([first?.kind, first?.view], ['notarization', 0])
    assert.deepEqual(
      rest.map(({ view }) => view),
      Array.from({ length: 63 }, (_, at) => 37 + at),
    )
  })
})
