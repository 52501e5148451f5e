// Protocol §3.6: what certificates do, how views follow one another, when timers start; and the order of saving and
// signing ("On disk, before it is on the wire").
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  aBlock,
  aCertificate,
  aCoreWithContext,
  aFinalization,
  aNotarization,
  aNullification,
  blockIdOf,
  only,
  proposalsIn,
  timersIn,
  votesIn,
} from '../support/consensus.ts'

describe('a quorum of equal votes of one view is a certificate', () => {
  const seven = { powers: [1, 1, 1, 1, 1, 1, 1], self: 6 } as const

  for (const kind of ['notarize', 'nullify', 'finalize'] as const) {
    test(`of ${kind}: with exactly Q and not with Q − 1, signers ascending`, () => {
      const core = aCoreWithContext(seven)
      core.getsVotesOf([4, 0, 3, 1], { kind })
      assert.deepEqual(only(core.said, 'forward-certificate'), [])
      core.getsVotesOf([2], { kind })
      const [forwarded] = only(core.said, 'forward-certificate')
      assert.deepEqual(
        forwarded?.certificate.signatures.map(({ validator }) => validator),
        [0, 1, 2, 3, 4],
      )
    })
  }

  test('not votes for two blocks, of two views or of two kinds', () => {
    const core = aCoreWithContext()
    core.getsVotesOf([0, 1], { block: 'A' })
    core.getsVotesOf([2], { block: 'B' })
    core.getsVotesOf([2], { block: 'A', view: 1 })
    core.getsVotesOf([2], { block: 'A', kind: 'finalize' })
    assert.deepEqual(only(core.said, 'forward-certificate'), [])
  })

  test('by power: one strong validator can be needed', () => {
    // W = 10, Q = 7.
    const core = aCoreWithContext({ powers: [4, 1, 2, 3], self: 1 })
    core.getsVotesOf([1, 2, 3], {})
    assert.deepEqual(only(core.said, 'forward-certificate'), [])
    core.getsVotesOf([0], {})
    assert.equal(only(core.said, 'forward-certificate').length, 1)
  })

  test('by own votes too, when they are fed back', () => {
    const core = aCoreWithContext()
    core.getsVotesOf([0, 3, 1], {})
    assert.deepEqual(core.votes, ['finalize 0 A'])
  })
})

describe('any certificate of a view not below the own is acted on', () => {
  test('U(v) leads to v + 1', () => {
    const core = aCoreWithContext()
    core.getsCertificate(aNullification(0))
    assert.equal(core.state.view, 1)
    core.getsCertificate(aNullification(40))
    assert.equal(core.state.view, 41)
  })

  test('N(v, ·) leads to v', () => {
    const core = aCoreWithContext()
    core.getsCertificate(aNotarization(30))
    assert.equal(core.state.view, 30)
  })

  test('N(v, ·) leads to v + 1 when the finalize timer ends without F', () => {
    const core = aCoreWithContext()
    const outputs = core.getsCertificate(aNotarization(2))
    assert.ok(timersIn(outputs).includes('finalize 2 growth 2'))
    core.finalizeTimerEnds(2)
    assert.equal(core.state.view, 3)
  })

  test('the finalize timer does nothing in a view that is over, or has no N', () => {
    const core = aCoreWithContext()
    core.finalizeTimerEnds(0)
    assert.equal(core.state.view, 0)
    core.getsCertificate(aNotarization(0))
    core.getsCertificate(aNullification(4))
    core.finalizeTimerEnds(0)
    assert.equal(core.state.view, 5)
  })

  test('one of a lower view does not lead back, and starts no timer', () => {
    const core = aCoreWithContext()
    core.getsCertificate(aNullification(4))
    const outputs = [...core.getsCertificate(aNullification(1)), ...core.getsCertificate(aNotarization(2))]
    assert.equal(core.state.view, 5)
    assert.deepEqual(timersIn(outputs), [])
  })

  test('those that a proposal carries count like any other', () => {
    const core = aCoreWithContext()
    core.getsProposal({ block: aBlock({ view: 1 }), justification: [aNullification(0)] })
    assert.equal(core.state.view, 1)
  })

  test('one of another height is not', () => {
    const core = aCoreWithContext({ height: 2 })
    assert.deepEqual(core.getsCertificate(aNullification(0, 1)), [])
    assert.equal(core.state.view, 0)
  })
})

describe('every certificate is forwarded once when first seen', () => {
  const certificates = { notarization: aNotarization(3), nullification: aNullification(3) }
  for (const [name, certificate] of Object.entries(certificates)) {
    test(`a ${name}, saved before`, () => {
      const core = aCoreWithContext()
      const kinds = core.getsCertificate(certificate).map(({ kind }) => kind)
      assert.deepEqual(kinds.slice(0, 2), ['save-certificate', 'forward-certificate'])
      assert.deepEqual(only(core.getsCertificate(certificate), 'forward-certificate'), [])
    })
  }

  test('a finalization', () => {
    const kinds = aCoreWithContext()
      .getsCertificate(aFinalization(0))
      .map(({ kind }) => kind)
    assert.deepEqual(kinds, ['save-certificate', 'forward-certificate', 'finalise'])
  })

  test('one that own counting made is not forwarded again when it comes from others', () => {
    const core = aCoreWithContext()
    core.getsVotesOf([0, 1, 2], {})
    core.getsCertificate(aCertificate({ signers: [1, 2, 3] }))
    assert.equal(only(core.said, 'forward-certificate').length, 1)
  })
})

describe('F(v, B), of any view, makes B final', () => {
  test('of a view below the current one', () => {
    const core = aCoreWithContext()
    core.getsCheckedProposal({ block: aBlock() })
    core.getsCertificate(aNotarization(0))
    core.finalizeTimerEnds(0)
    const outputs = core.getsVotesOf([0, 1, 2], { kind: 'finalize' })
    assert.deepEqual(only(outputs, 'finalise')[0]?.block, aBlock())
  })

  test('of a view far above, and of a block not in hand', () => {
    const outputs = aCoreWithContext().getsCertificate(aFinalization(90))
    const [final] = only(outputs, 'finalise')
    assert.equal(final?.finalization.blockId, blockIdOf('A'))
    assert.equal(final?.block, undefined)
  })

  test('once', () => {
    const core = aCoreWithContext()
    core.getsCertificate(aFinalization(0))
    assert.deepEqual(core.getsCertificate(aFinalization(1)), [])
  })
})

describe('timers', () => {
  test('of view 0 starts with commitments of a quorum, not with those of Q − 1, and once', () => {
    const core = aCoreWithContext()
    core.getsCommitmentsOf([0, 1])
    assert.equal(timersIn(core.said).includes('view 0 growth 0'), false)
    core.getsCommitmentsOf([2, 3])
    assert.equal(timersIn(core.said).filter((timer) => timer === 'view 0 growth 0').length, 1)
  })

  test('of view 0 starts with votes of power > l, not of exactly l: one liar must not make empty blocks', () => {
    const core = aCoreWithContext()
    core.getsVote({ validator: 0 })
    core.getsVote({ validator: 0, kind: 'nullify' })
    assert.equal(timersIn(core.said).includes('view 0 growth 0'), false)
    core.getsVote({ validator: 1, kind: 'nullify', view: 3 })
    assert.equal(timersIn(core.said).includes('view 0 growth 0'), true)
  })

  test('of view 0 does not start with a proposal, or commitments of power > l', () => {
    const core = aCoreWithContext()
    core.getsProposal({ block: aBlock() })
    core.getsCommitmentsOf([0, 1])
    assert.equal(timersIn(core.said).includes('view 0 growth 0'), false)
  })

  test('of view 0 starts with any vote where nobody lies (l = 0)', () => {
    const core = aCoreWithContext({ faultModel: 'crash' })
    assert.deepEqual(timersIn(core.getsVote({ validator: 0 })), ['view 0 growth 0'])
  })

  test('of view 0 does not start any more when a later view is entered', () => {
    const core = aCoreWithContext()
    core.getsCertificate(aNullification(0))
    core.getsCommitmentsOf([0, 1, 2])
    assert.deepEqual(timersIn(core.said), ['empty-block', 'view 1 growth 1'])
  })

  test('of a later view start on entering it, and grow with the view', () => {
    const core = aCoreWithContext()
    for (const view of [0, 1, 5]) core.getsCertificate(aNullification(view))
    assert.deepEqual(timersIn(core.said).slice(1), ['view 1 growth 1', 'view 2 growth 2', 'view 6 growth 6'])
  })

  test('begin anew with each height', () => {
    const core = aCoreWithContext()
    core.getsCertificate(aNullification(7))
    core.getsCertificate(aFinalization(8))
    core.startsHeight(2)
    const outputs = core.getsCommitmentsOf([0, 1, 2], 2)
    assert.deepEqual(timersIn(outputs), ['view 0 growth 0'])
  })
})

describe('before it is on the wire, it is on disk', () => {
  test('block B before notarize(v, B)', () => {
    const core = aCoreWithContext()
    const outputs = core.getsCheckedProposal({ block: aBlock() })
    assert.deepEqual(
      outputs.slice(-2).map(({ kind }) => kind),
      ['save-block', 'sign-vote'],
    )
  })

  test('N(v, B) before finalize(v, B)', () => {
    const kinds = aCoreWithContext()
      .getsCertificate(aNotarization(0))
      .map(({ kind }) => kind)
    assert.ok(kinds.indexOf('save-certificate') < kinds.indexOf('sign-vote'))
    assert.ok(kinds.indexOf('save-certificate') >= 0)
  })

  test('the certificate by which a view was entered before the first signature of it', () => {
    const core = aCoreWithContext()
    core.getsVote({ kind: 'nullify', view: 1, validator: 1 })
    const outputs = core.getsVotesOf([0, 1, 2], { kind: 'nullify' })
    assert.deepEqual(votesIn(outputs), ['nullify 0', 'nullify 1'])
    const saved = outputs.findIndex(({ kind }) => kind === 'save-certificate')
    const signed = outputs.findIndex((output) => output.kind === 'sign-vote' && output.body.view === 1)
    assert.ok(saved >= 0 && saved < signed)
  })

  test('the certificates that a proposal carries before it', () => {
    const core = aCoreWithContext({ self: 2 })
    core.getsCertificate(aNotarization(0))
    const outputs = core.getsCertificate(aNullification(1))
    assert.deepEqual(proposalsIn(outputs), ['2 A again'])
    const saved = only(core.said, 'save-certificate').map(({ certificate }) => certificate)
    const [{ proposal } = { proposal: undefined }] = only(outputs, 'sign-proposal')
    for (const certificate of proposal?.justification ?? []) assert.ok(saved.includes(certificate))
    const kinds = outputs.map(({ kind }) => kind)
    assert.ok(kinds.indexOf('save-certificate') < kinds.indexOf('sign-proposal'))
  })
})

describe('what peers can grow is bounded', () => {
  test('votes are kept for the current view and 8 above it', () => {
    const core = aCoreWithContext()
    core.getsVote({ validator: 0, view: 8 })
    core.getsVote({ validator: 0, view: 9 })
    assert.deepEqual([...core.state.views.keys()], [8])
  })

  test('votes of views far below are let go, certificates are not', () => {
    const core = aCoreWithContext()
    core.getsVotesOf([0, 1], {})
    core.getsCertificate(aNotarization(0))
    core.getsCertificate(aNullification(63))
    assert.equal(core.state.views.get(0)?.notarizes.size, 2)
    core.getsCertificate(aNullification(64))
    assert.equal(core.state.views.get(0)?.notarizes.size, 0)
    assert.equal(core.state.views.get(0)?.notarization?.blockId, blockIdOf('A'))
    core.getsVote({ validator: 2, view: 0 })
    assert.equal(core.state.views.get(0)?.notarizes.size, 0)
  })

  test('proposals of views below are let go with their blocks, notarized ones are not', () => {
    const core = aCoreWithContext()
    core.getsProposal({ block: aBlock() })
    core.getsCertificate(aNullification(0))
    core.getsProposal({ block: aBlock({ name: 'B', view: 1 }) })
    core.getsCertificate(aNotarization(1, 'B'))
    core.getsCertificate(aNullification(20))
    assert.deepEqual([...core.state.blocks.keys()], [blockIdOf('B')])
  })
})
