import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClaimedHeights } from '../../../src/node/claimed-heights.ts'
import { thresholdsOf } from '../../../src/quorum/index.ts'

function claimsOf(powers: number[], faultModel: 'byzantine' | 'crash' = 'byzantine'): ClaimedHeights {
  return new ClaimedHeights({ powers, thresholds: thresholdsOf(powers, faultModel) })
}

test('no height is believed that validators of the power that may lie claim alone', () => {
  const claims = claimsOf([1, 1, 1, 1])
  claims.note(0, 1_000_000_000)
  assert.equal(claims.believable, 0)
  claims.note(1, 7)
  assert.equal(claims.believable, 7)
  claims.note(2, 9)
  assert.equal(claims.believable, 9)
})

test('where nobody lies one validator is believed', () => {
  const claims = claimsOf([1, 1, 1], 'crash')
  claims.note(2, 5)
  assert.equal(claims.believable, 5)
})
