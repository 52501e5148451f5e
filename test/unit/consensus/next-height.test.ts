import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  aBlock,
  aCertificate,
  aCoreWithContext,
  aFinalization,
  aNotarization,
  aPoolCommitment,
  aProposal,
  aVote,
  only,
} from '../../support/consensus.ts'

const finish = (core: ReturnType<typeof aCoreWithContext>) => {
  core.getsCertificate(aFinalization(0))
  return core.startsHeight(2)
}

describe('what comes in of the next height', () => {
  test('counts when that height begins: commitments, votes, a proposal, certificates', () => {
    const core = aCoreWithContext({ self: 3 })
    const block = aBlock({ name: 'B', height: 2 })
    core.getsCommitmentsOf([0, 1, 2], 2)
    core.getsVotesOf([0, 1], { height: 2, block: 'B' })
    core.getsProposal({ block })
    const outputs = finish(core)
    assert.deepEqual([...core.state.commitments.keys()], [0, 1, 2])
    assert.deepEqual([...(core.state.views.get(0)?.notarizes.keys() ?? [])], [0, 1])
    assert.equal(only(outputs, 'check-block')[0]?.block, block)
  })

  test('can end that height at once', () => {
    const core = aCoreWithContext()
    core.getsCertificate(aFinalization(0, 'B', 2))
    assert.equal(only(core.said, 'finalise').length, 0)
    assert.equal(only(finish(core), 'finalise')[0]?.finalization.height, 2)
  })

  test('is kept though a peer pushes the same again and again before', () => {
    const core = aCoreWithContext()
    const block = aBlock({ name: 'B', height: 2 })
    for (let time = 0; time < 20; time++) {
      core.getsCommitmentsOf([0], 2)
      core.getsVote({ validator: 0, height: 2, block: 'B' })
      core.getsCertificate(aNotarization(0, 'B', 2))
    }
    core.getsProposal({ block })
    core.getsCertificate(aFinalization(0, 'B', 2))
    const outputs = finish(core)
    assert.equal(core.state.commitments.has(0), true)
    assert.deepEqual(
      only(outputs, 'finalise').map((output) => output.block),
      [block],
    )
  })

  test('is kept with its contradictions, which are evidence then', () => {
    const core = aCoreWithContext()
    core.getsVote({ validator: 0, height: 2, block: 'B' })
    core.getsVote({ validator: 0, height: 2, block: 'C' })
    core.gets({ kind: 'pool-commitment', commitment: aPoolCommitment({ validator: 1, height: 2 }) })
    core.gets({
      kind: 'pool-commitment',
      commitment: aPoolCommitment({ validator: 1, height: 2, content: 1 }),
    })
    assert.equal(only(finish(core), 'evidence').length, 2)
  })

  test('is bounded for each validator, so that one cannot take the room of another', () => {
    const core = aCoreWithContext()
    for (let view = 0; view < 50; view++) core.getsVote({ kind: 'nullify', validator: 0, height: 2, view })
    core.getsVote({ validator: 1, height: 2 })
    assert.equal(core.state.next.get(0)?.length, 8)
    assert.equal(core.state.next.get(1)?.length, 1)
  })

  test('is let go if it is of a height beyond the next', () => {
    const core = aCoreWithContext()
    core.getsVote({ validator: 0, height: 3 })
    core.getsCertificate(aFinalization(0, 'A', 3))
    assert.equal(core.state.next.size, 0)
  })

  test('is forgotten when block sync has gone past it', () => {
    const core = aCoreWithContext()
    core.getsCertificate(aFinalization(0, 'B', 2))
    core.getsCommitmentsOf([0, 1, 2], 2)
    core.startsHeight(5)
    assert.equal(core.state.finalization, undefined)
    assert.equal(core.state.commitments.size, 0)
    assert.equal(core.state.next.size, 0)
  })
})

describe('a height that is over', () => {
  test('takes nothing more: no vote, proposal, certificate or timer of it changes anything', () => {
    const core = aCoreWithContext()
    core.getsCertificate(aFinalization(1))
    const before = structuredClone(core.state)
    const outputs = core.gets(
      { kind: 'vote', vote: aVote({ validator: 1 }) },
      { kind: 'proposal', proposal: aProposal({ block: aBlock() }) },
      { kind: 'certificate', certificate: aCertificate() },
      { kind: 'timer', timer: { kind: 'view', height: 1, view: 0 } },
    )
    assert.deepEqual(outputs, [])
    assert.deepEqual(core.state, before)
  })

  test('is not moved by what is left of a lower one', () => {
    const core = aCoreWithContext({ height: 2 })
    const outputs = core.gets(
      { kind: 'vote', vote: aVote({ validator: 1, height: 1 }) },
      { kind: 'timer', timer: { kind: 'view', height: 1, view: 0 } },
      { kind: 'block-built', height: 1, view: 0, block: aBlock({ height: 1 }) },
      { kind: 'block-unbuildable', height: 1, view: 0 },
    )
    assert.deepEqual(outputs, [])
    assert.equal(core.state.views.size, 0)
  })
})
