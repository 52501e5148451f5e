// Protocol §3.6: finalize(v, B), nullify(v), and that no validator sends both (§6.2).
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Output } from '../../src/consensus/index.ts'
import {
  aBlock,
  aCertificate,
  aCoreWithContext,
  aNotarization,
  aNullification,
  only,
  votesIn,
} from '../support/consensus.ts'

describe('finalize(v, B) is sent on N(v, B)', () => {
  test('that came as a certificate', () => {
    assert.deepEqual(votesIn(aCoreWithContext().getsCertificate(aNotarization(0))), ['finalize 0 A'])
  })

  test('that its votes make, with exactly Q and not with Q − 1', () => {
    const core = aCoreWithContext()
    core.getsVotesOf([0, 1], {})
    assert.deepEqual(core.votes, [])
    core.getsVotesOf([2], {})
    assert.deepEqual(core.votes, ['finalize 0 A'])
  })

  test('of a lower view too', () => {
    const core = aCoreWithContext()
    core.getsCertificate(aNullification(3))
    core.getsCertificate(aNotarization(1))
    assert.deepEqual(core.votes, ['finalize 1 A'])
  })

  test('though it notarized another block, or none, itself', () => {
    const core = aCoreWithContext()
    core.getsCheckedProposal({ block: aBlock({ name: 'B' }) })
    core.getsCertificate(aNotarization(0))
    assert.deepEqual(core.votes, ['notarize 0 B', 'finalize 0 A'])
  })

  test('once', () => {
    const core = aCoreWithContext()
    core.getsCertificate(aNotarization(0))
    core.getsCertificate(aNotarization(0))
    core.getsVotesOf([0, 1, 2], {})
    assert.deepEqual(core.votes, ['finalize 0 A'])
  })

  test('unless nullify(v) was sent', () => {
    const core = aCoreWithContext()
    core.getsVotesOf([1, 2], { kind: 'nullify' })
    core.getsCertificate(aNotarization(0))
    assert.deepEqual(core.votes, ['nullify 0'])
  })

  test('also where nullify of another view was sent', () => {
    const core = aCoreWithContext()
    core.getsVotesOf([1, 2], { kind: 'nullify' })
    core.getsCertificate(aNotarization(1))
    assert.deepEqual(core.votes, ['nullify 0', 'finalize 1 A'])
  })
})

describe('nullify(v) is sent when the timer of v ends', () => {
  test('without N(v, ·)', () => {
    assert.deepEqual(votesIn(aCoreWithContext().viewTimerEnds(0)), ['nullify 0'])
  })

  test('and not with it', () => {
    const core = aCoreWithContext()
    core.getsCertificate(aNotarization(0))
    assert.deepEqual(votesIn(core.viewTimerEnds(0)), [])
  })

  test('though it notarized', () => {
    const core = aCoreWithContext()
    core.getsCheckedProposal({ block: aBlock() })
    assert.deepEqual(votesIn(core.viewTimerEnds(0)), ['nullify 0'])
  })

  test('and not when the timer of a lower view ends late', () => {
    const core = aCoreWithContext()
    core.getsCertificate(aNullification(0))
    assert.deepEqual(votesIn(core.viewTimerEnds(0)), [])
  })

  test('once', () => {
    const core = aCoreWithContext()
    core.viewTimerEnds(0)
    core.viewTimerEnds(0)
    core.getsVotesOf([0, 1], { kind: 'nullify' })
    assert.deepEqual(core.votes, ['nullify 0'])
  })
})

describe("nullify(v) is sent at once on the leader's own", () => {
  test('in its view', () => {
    assert.deepEqual(votesIn(aCoreWithContext().getsVote({ kind: 'nullify', validator: 0 })), ['nullify 0'])
  })

  test("and not on another's", () => {
    assert.deepEqual(votesIn(aCoreWithContext().getsVote({ kind: 'nullify', validator: 1 })), [])
  })

  test('when its view is entered, where it came before', () => {
    const core = aCoreWithContext()
    core.getsVote({ kind: 'nullify', view: 1, validator: 1 })
    assert.deepEqual(core.votes, [])
    core.getsCertificate(aNullification(0))
    assert.deepEqual(core.votes, ['nullify 1'])
  })
})

describe('nullify(v) is sent at once on nullify from power > f', () => {
  test('not from exactly f, but from f + 1', () => {
    const core = aCoreWithContext({ powers: [1, 1, 1, 1, 1, 1, 1], self: 6 })
    core.getsVotesOf([1, 2], { kind: 'nullify' })
    assert.deepEqual(core.votes, [])
    core.getsVotesOf([3], { kind: 'nullify' })
    assert.deepEqual(core.votes, ['nullify 0'])
  })

  test('counting power', () => {
    // W = 10, f = 3.
    const core = aCoreWithContext({ powers: [1, 2, 3, 4], self: 1 })
    core.getsVotesOf([2], { kind: 'nullify' })
    assert.deepEqual(core.votes, [])
    const strong = aCoreWithContext({ powers: [1, 2, 3, 4], self: 1 })
    strong.getsVotesOf([3], { kind: 'nullify' })
    assert.deepEqual(strong.votes, ['nullify 0'])
  })

  test('in the crash model from more than may crash, though nobody lies', () => {
    // W = 6, f = 2, l = 0, Q = 4.
    const core = aCoreWithContext({ powers: [1, 1, 1, 1, 1, 1], self: 5, faultModel: 'crash' })
    core.getsVotesOf([1, 2], { kind: 'nullify' })
    assert.deepEqual(core.votes, [])
    core.getsVotesOf([3], { kind: 'nullify' })
    assert.deepEqual(core.votes, ['nullify 0'])
  })

  test('not twice by one of them', () => {
    const core = aCoreWithContext()
    core.getsVotesOf([1, 1, 1], { kind: 'nullify' })
    assert.deepEqual(core.votes, [])
  })

  test('of the current view only', () => {
    const core = aCoreWithContext()
    core.getsVotesOf([0, 2], { kind: 'nullify', view: 1 })
    assert.deepEqual(core.votes, [])
    core.getsCertificate(aNullification(1))
    core.getsVotesOf([0, 1], { kind: 'nullify', view: 0 })
    assert.deepEqual(core.votes, [])
  })
})

describe('nullify(v) is never sent after finalize(v, ·)', () => {
  const reasons: Record<string, (core: ReturnType<typeof aCoreWithContext>) => Output[]> = {
    'by its timer': (core) => core.viewTimerEnds(0),
    'by the leader': (core) => core.getsVote({ kind: 'nullify', validator: 0 }),
    'by power > f': (core) => core.getsVotesOf([1, 2], { kind: 'nullify' }),
  }
  for (const [reason, give] of Object.entries(reasons)) {
    test(reason, () => {
      const core = aCoreWithContext()
      core.getsCertificate(aNotarization(0))
      assert.deepEqual(votesIn(give(core)), [])
    })
  }
})

describe('two votes that no honest validator sends are evidence', () => {
  const evidenceIn = (outputs: readonly Output[]) =>
    only(outputs, 'evidence').flatMap(({ pair }) =>
      pair.map((item) => (item.kind === 'vote' ? item.vote.kind : item.kind)),
    )
  const pairs = [
    { first: { kind: 'notarize', block: 'A' }, second: { kind: 'notarize', block: 'B' }, isEvidence: true },
    { first: { kind: 'finalize', block: 'A' }, second: { kind: 'finalize', block: 'B' }, isEvidence: true },
    { first: { kind: 'finalize', block: 'A' }, second: { kind: 'nullify' }, isEvidence: true },
    { first: { kind: 'nullify' }, second: { kind: 'finalize', block: 'A' }, isEvidence: true },
    { first: { kind: 'notarize', block: 'A' }, second: { kind: 'notarize', block: 'A' }, isEvidence: false },
    { first: { kind: 'notarize', block: 'A' }, second: { kind: 'nullify' }, isEvidence: false },
    { first: { kind: 'nullify' }, second: { kind: 'notarize', block: 'A' }, isEvidence: false },
    { first: { kind: 'notarize', block: 'A' }, second: { kind: 'finalize', block: 'B' }, isEvidence: false },
    { first: { kind: 'nullify' }, second: { kind: 'nullify' }, isEvidence: false },
  ] as const
  const spelled = (vote: { kind: string; block?: string }) =>
    `${vote.kind}${vote.block ? ` ${vote.block}` : ''}`
  for (const { first, second, isEvidence } of pairs) {
    test(`${spelled(first)} and ${spelled(second)} of one view are ${isEvidence ? 'some' : 'none'}`, () => {
      const core = aCoreWithContext()
      core.getsVote({ ...first, validator: 1 })
      const outputs = core.getsVote({ ...second, validator: 1 })
      assert.deepEqual(evidenceIn(outputs), isEvidence ? [first.kind, second.kind] : [])
    })
  }

  test('votes of two views or of two validators are none', () => {
    const core = aCoreWithContext()
    core.getsVote({ validator: 1, block: 'A' })
    assert.deepEqual(evidenceIn(core.getsVote({ validator: 1, view: 1, block: 'B' })), [])
    assert.deepEqual(evidenceIn(core.getsVote({ validator: 2, block: 'B' })), [])
  })

  test('the first of them counts, the second does not', () => {
    const core = aCoreWithContext()
    core.getsVotesOf([0, 1], { block: 'A' })
    core.getsVotesOf([1, 2], { block: 'B' })
    assert.deepEqual(core.votes, [])
    assert.equal(only(core.getsVote({ validator: 2, block: 'A' }), 'evidence').length, 1)
    assert.deepEqual(votesIn(core.getsVote({ validator: 3, block: 'A' })), ['finalize 0 A'])
  })
})

describe('more liars than the fault model allows stop the node', () => {
  const impossible = {
    'two blocks notarized in a view': [aNotarization(0, 'A'), aNotarization(0, 'B')],
    'a view nullified and then final': [aNullification(0), aCertificate({ kind: 'finalization' })],
  }
  for (const [what, certificates] of Object.entries(impossible)) {
    test(what, () => {
      const core = aCoreWithContext()
      assert.throws(() => {
        for (const certificate of certificates) core.getsCertificate(certificate)
      }, /InvariantBroken/)
    })
  }
})
