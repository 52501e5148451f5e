import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkReservedMessage,
  evidenceOfMessage,
  isReserved,
  messageOfEvidence,
} from '../../../src/sequencing/index.ts'
import { aMessage } from './builders.ts'
import { genesis, someEvidence, verify } from './evidence-builders.ts'

const evidence = someEvidence({ validator: 1 })
const message = messageOfEvidence(evidence)
const context = { genesis, verify, isConvicted: () => false }

test('namespaces that begin with diseq/ are reserved, others are not', () => {
  assert.equal(isReserved({ namespace: 'diseq/' }), true)
  assert.equal(isReserved({ namespace: 'diseq/evidence' }), true)
  assert.equal(isReserved({ namespace: 'diseq' }), false)
  assert.equal(isReserved({ namespace: 'my diseq/' }), false)
  assert.equal(isReserved({ namespace: 'Diseq/' }), false)
  assert.equal(isReserved({}), false)
})

test('evidence survives its message', () => {
  assert.deepEqual(evidenceOfMessage(message), { ok: true, value: evidence })
  assert.equal(checkReservedMessage({ message, ...context }), undefined)
})

test('evidence has one form only', () => {
  for (const other of [
    { ...message, timestamp: 1 },
    { ...message, expiresAt: 9 },
    { ...message, namespace: 'diseq/evidence/' },
    { ...message, data: message.data.subarray(1) },
    { ...message, data: new Uint8Array([...message.data, 0]) },
  ]) {
    assert.equal(evidenceOfMessage(other).ok, false)
    assert.notEqual(checkReservedMessage({ message: other, ...context }), undefined)
  }
})

test('only the first evidence against a validator is valid', () => {
  const isConvicted = (validator: number) => validator === 1
  assert.match(checkReservedMessage({ message, ...context, isConvicted }) ?? '', /in the chain already/)
  const other = messageOfEvidence(someEvidence({ validator: 2 }))
  assert.equal(checkReservedMessage({ message: other, ...context, isConvicted }), undefined)
})

test('evidence that convicts nobody is not valid', () => {
  const forged = messageOfEvidence({ ...evidence, validator: 2 })
  assert.match(checkReservedMessage({ message: forged, ...context }) ?? '', /bad-signature/)
})

test('nothing else in a reserved namespace is valid', () => {
  const other = aMessage('x', { namespace: 'diseq/validators' })
  assert.match(checkReservedMessage({ message: other, ...context }) ?? '', /reserved/)
})
