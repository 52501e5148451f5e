import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  aBlock,
  aCoreWithContext,
  aFinalization,
  aNotarization,
  aNullification,
  aPoolCommitment,
  aProposal,
  aVote,
  only,
  proposalsIn,
  timersIn,
  votesIn,
} from '../../support/consensus.ts'

const block = aBlock()
const nullified = aVote({ kind: 'nullify', validator: 3 })
const notarized = aVote({ validator: 3 })

describe('a core that comes back', () => {
  test('stands in the view to which its certificates lead, whatever their order', () => {
    const certificates = [aNullification(4), aNullification(2), aNotarization(3)]
    assert.equal(aCoreWithContext({ restored: { certificates } }).state.view, 5)
    certificates.reverse()
    assert.equal(aCoreWithContext({ restored: { certificates } }).state.view, 5)
  })

  test('stands in the view in which it signed, though a timer led it there from N(v)', () => {
    const votes = [aVote({ view: 1, validator: 3 })]
    const restored = { certificates: [aNotarization(0)], blocks: [block], votes }
    const core = aCoreWithContext({ restored })
    assert.equal(core.state.view, 1)
    assert.deepEqual(votesIn(core.said), ['finalize 0 A'])
  })

  test('sends its frames from before again', () => {
    assert.equal(only(aCoreWithContext({ restored: {} }).said, 'resend-own').length, 1)
  })

  test('does not notarize another block in a view in which it notarized', () => {
    const restored = { blocks: [block], votes: [notarized] }
    const core = aCoreWithContext({ restored })
    core.getsCheckedProposal({ block: aBlock({ name: 'B' }) })
    assert.deepEqual(core.votes, [])
  })

  test('does not finalize a view that it nullified, nor nullify again', () => {
    const core = aCoreWithContext({ restored: { votes: [nullified] } })
    core.getsCommitmentsOf([0, 1, 2])
    core.viewTimerEnds(0)
    core.getsCertificate(aNotarization(0))
    assert.deepEqual(core.votes, [])
  })

  test('does not nullify a view that it finalized', () => {
    const votes = [aVote({ kind: 'finalize', validator: 3 })]
    const core = aCoreWithContext({ restored: { certificates: [aNotarization(0)], votes } })
    core.getsVotesOf([0, 1, 2], { kind: 'nullify' })
    assert.deepEqual(core.votes, [])
  })

  test('does not propose again in a view in which it proposed, and takes its proposal up', () => {
    const certificates = [aNullification(0)]
    const proposal = aProposal({ block: aBlock({ view: 1 }), justification: certificates })
    const restored = { certificates, blocks: [aBlock({ view: 1 })], proposals: [proposal] }
    const core = aCoreWithContext({ self: 1, restored })
    core.getsCommitmentsOf([0, 1, 2])
    assert.deepEqual(proposalsIn(core.said), [])
    assert.deepEqual(only(core.said, 'build-block'), [])
    core.gets({ kind: 'block-checked', blockId: proposal.blockId, valid: true })
    assert.deepEqual(core.votes, ['notarize 1 A'])
  })

  test('does not make a second pool commitment', () => {
    const commitments = [aPoolCommitment({ validator: 3 })]
    const core = aCoreWithContext({ hasWork: true, restored: { commitments } })
    core.getsCommitmentsOf([0, 1, 2])
    assert.deepEqual(only(core.said, 'make-commitment'), [])
  })

  test('counts its own votes again towards certificates', () => {
    const core = aCoreWithContext({ restored: { blocks: [block], votes: [notarized] } })
    core.getsVotesOf([0, 1], {})
    assert.deepEqual(core.votes, ['finalize 0 A'])
  })

  test('goes on from N(v): finalizes if it had not, and waits for the finalization again', () => {
    const core = aCoreWithContext({ restored: { certificates: [aNotarization(2)] } })
    assert.deepEqual(votesIn(core.said), ['finalize 2 A'])
    assert.deepEqual(timersIn(core.said).slice(0, 2), ['view 2 growth 2', 'finalize 2 growth 2'])
    assert.equal(only(core.said, 'fetch-block').length, 1)
  })

  test('ends the height at once if its finalization was saved', () => {
    const certificates = [aNotarization(0), aFinalization(0)]
    const core = aCoreWithContext({ restored: { certificates, blocks: [block], votes: [notarized] } })
    assert.deepEqual(only(core.said, 'finalise')[0]?.block, block)
    assert.deepEqual(only(core.said, 'resend-own'), [])
  })

  test('checks a block anew before it notarizes it: its batches may be gone', () => {
    const core = aCoreWithContext({ restored: { blocks: [block] } })
    core.getsProposal({ block })
    assert.deepEqual(core.votes, [])
    assert.equal(only(core.said, 'check-block').length, 1)
  })

  test('starts the timer of view 0 only as everyone does', () => {
    const core = aCoreWithContext({ restored: { votes: [notarized], blocks: [block] } })
    assert.deepEqual(timersIn(core.said), ['empty-block'])
    const outputs = core.getsVote({ validator: 0 })
    assert.deepEqual(timersIn(outputs), ['view 0 growth 0'])
  })
})
