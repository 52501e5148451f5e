import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compareBytes } from '../../../src/codec/index.ts'
import { checkEvidence, conflictOf, makeEvidence } from '../../../src/sequencing/index.ts'
import type { SignedPayload } from '../../../src/types/index.ts'
import { aPoolCommitment, aProposal, aVote, genesis, someEvidence, verify } from './evidence-builders.ts'

describe('a conflict', () => {
  const conflicts: [string, SignedPayload, SignedPayload, ReturnType<typeof conflictOf>][] = [
    [
      'two pool commitments of a height',
      aPoolCommitment({ time: 1 }),
      aPoolCommitment({ time: 2 }),
      'pool-commitments',
    ],
    ['two proposals of a view', aProposal({ block: 'A' }), aProposal({ block: 'B' }), 'proposals'],
    [
      'notarize for two blocks of a view',
      aVote({ kind: 'notarize', block: 'A' }),
      aVote({ kind: 'notarize', block: 'B' }),
      'notarizes',
    ],
    [
      'finalize for two blocks of a view',
      aVote({ kind: 'finalize', block: 'A' }),
      aVote({ kind: 'finalize', block: 'B' }),
      'finalizes',
    ],
    [
      'finalize and nullify of a view',
      aVote({ kind: 'finalize' }),
      aVote({ kind: 'nullify' }),
      'finalize-and-nullify',
    ],
  ]
  for (const [name, first, second, conflict] of conflicts) {
    test(`is ${name}, in either order`, () => {
      assert.equal(conflictOf(first, second), conflict)
      assert.equal(conflictOf(second, first), conflict)
    })
  }

  const honest: [string, SignedPayload, SignedPayload][] = [
    ['the same commitment twice', aPoolCommitment({}), aPoolCommitment({})],
    ['commitments of two heights', aPoolCommitment({ height: 3 }), aPoolCommitment({ height: 4 })],
    ['the same proposal twice', aProposal({}), aProposal({})],
    ['proposals of two views', aProposal({ view: 0, block: 'A' }), aProposal({ view: 1, block: 'B' })],
    ['proposals of two heights', aProposal({ height: 3, block: 'A' }), aProposal({ height: 4, block: 'B' })],
    [
      'notarize in two views',
      aVote({ kind: 'notarize', view: 0, block: 'A' }),
      aVote({ kind: 'notarize', view: 1, block: 'B' }),
    ],
    ['notarize and nullify of a view', aVote({ kind: 'notarize' }), aVote({ kind: 'nullify' })],
    ['notarize and finalize of a view', aVote({ kind: 'notarize' }), aVote({ kind: 'finalize' })],
    [
      'notarize of one block, finalize of another',
      aVote({ kind: 'notarize', block: 'A' }),
      aVote({ kind: 'finalize', block: 'B' }),
    ],
    ['nullify twice', aVote({ kind: 'nullify' }), aVote({ kind: 'nullify' })],
    [
      'finalize and nullify of two views',
      aVote({ kind: 'finalize', view: 1 }),
      aVote({ kind: 'nullify', view: 0 }),
    ],
    [
      'finalize and nullify of two heights',
      aVote({ kind: 'finalize', height: 4 }),
      aVote({ kind: 'nullify' }),
    ],
    ['a commitment and a vote', aPoolCommitment({}), aVote({ kind: 'nullify' })],
    ['a proposal and a vote', aProposal({ block: 'A' }), aVote({ kind: 'notarize', block: 'B' })],
  ]
  for (const [name, first, second] of honest) {
    test(`is not ${name}`, () => {
      assert.equal(conflictOf(first, second), undefined)
      assert.equal(conflictOf(second, first), undefined)
    })
  }

  test('is not made by another signature of the same bytes', () => {
    const vote = aVote({ kind: 'finalize' })
    assert.equal(conflictOf(vote, { ...vote, signature: new Uint8Array(64) }), undefined)
  })

  test('is not seen in bytes that are not of their kind, or no payload at all', () => {
    const [a, b] = [aVote({ kind: 'notarize', block: 'A' }), aVote({ kind: 'notarize', block: 'B' })]
    assert.equal(conflictOf({ ...a, kind: 'finalize' }, { ...b, kind: 'finalize' }), undefined)
    assert.equal(conflictOf(a, { ...b, bytes: b.bytes.subarray(1) }), undefined)
    assert.equal(conflictOf(a, { ...b, bytes: new Uint8Array(0) }), undefined)
  })
})

describe('evidence', () => {
  test('is made with the smaller payload first', () => {
    const [a, b] = [aPoolCommitment({ time: 1 }), aPoolCommitment({ time: 2 })]
    const evidence = makeEvidence({ validator: 1, payloads: [b, a] })
    assert.deepEqual(evidence, { validator: 1, height: 3, first: a, second: b })
    assert.deepEqual(evidence, makeEvidence({ validator: 1, payloads: [a, b] }))
    assert.ok(compareBytes(a.bytes, b.bytes) < 0)
  })

  test('is not made of what an honest validator signs', () => {
    const payloads = [aVote({ kind: 'notarize' }), aVote({ kind: 'nullify' })] as const
    assert.equal(makeEvidence({ validator: 1, payloads }), undefined)
  })

  test('convicts its validator', () => {
    const checked = checkEvidence({ evidence: someEvidence({ validator: 1 }), genesis, verify })
    assert.deepEqual(checked, { ok: true, conflict: 'notarizes' })
  })

  test('against nobody is refused', () => {
    const checked = checkEvidence({ evidence: { ...someEvidence(), validator: 4 }, genesis, verify })
    assert.deepEqual(checked, { ok: false, rejected: 'unknown-validator' })
  })

  test('signed by another validator is refused, whichever payload it is', () => {
    const evidence = someEvidence({ validator: 1 })
    const other = someEvidence({ validator: 2 })
    for (const forged of [
      { ...evidence, validator: 2 },
      { ...evidence, first: other.first },
      { ...evidence, second: other.second },
    ]) {
      assert.deepEqual(checkEvidence({ evidence: forged, genesis, verify }), {
        ok: false,
        rejected: 'bad-signature',
      })
    }
  })

  test('in the wrong order, or of another height than it says, is refused', () => {
    const evidence = someEvidence()
    for (const wrong of [
      { ...evidence, first: evidence.second, second: evidence.first },
      { ...evidence, height: 4 },
    ]) {
      assert.deepEqual(checkEvidence({ evidence: wrong, genesis, verify }), {
        ok: false,
        rejected: 'not-canonical',
      })
    }
  })

  test('without a conflict is refused', () => {
    const evidence = someEvidence()
    const same = { ...evidence, second: evidence.first }
    assert.deepEqual(checkEvidence({ evidence: same, genesis, verify }), {
      ok: false,
      rejected: 'no-conflict',
    })
  })
})
