import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PeerConduct } from '../../../src/network/peer-conduct.ts'
import type { PeerId } from '../../../src/types/index.ts'

const stranger = 'stranger' as PeerId
const validator = 'validator' as PeerId
const rules = { framesPerSecond: 100, bytesPerSecond: 10_000, banMs: 300_000, validatorBanMs: 10_000 }

function aConduct() {
  const clock = { ms: 0 }
  const cutOff: PeerId[] = []
  const conduct = new PeerConduct({
    rules,
    isValidator: (peer) => peer === validator,
    now: () => clock.ms,
    onCutOff: (peer) => cutOff.push(peer),
  })
  return { conduct, clock, cutOff }
}

test('cuts a peer off at its tenth fault in quick succession, and not at the ninth', () => {
  const { conduct, clock, cutOff } = aConduct()
  for (let fault = 1; fault <= 9; fault++) {
    clock.ms += 100
    conduct.punish(stranger, 'bad')
  }
  assert.deepEqual(cutOff, [])
  assert.equal(conduct.isBanned(stranger), false)
  conduct.punish(stranger, 'bad')
  assert.deepEqual(cutOff, [stranger])
  assert.equal(conduct.isBanned(stranger), true)
  assert.equal(conduct.invalidCountOf(stranger), 10)
})

test('forgives faults that are rare', () => {
  const { conduct, clock, cutOff } = aConduct()
  for (let fault = 1; fault <= 100; fault++) {
    clock.ms += 20_000
    conduct.punish(stranger, 'bad')
  }
  assert.deepEqual(cutOff, [])
})

test('lets a validator back sooner than a stranger, and each begins anew', () => {
  const { conduct, clock } = aConduct()
  for (const peer of [stranger, validator])
    for (let fault = 1; fault <= 10; fault++) conduct.punish(peer, 'bad')
  clock.ms = rules.validatorBanMs - 1
  assert.equal(conduct.isBanned(validator), true)
  clock.ms = rules.validatorBanMs
  assert.equal(conduct.isBanned(validator), false)
  assert.equal(conduct.isBanned(stranger), true)
  assert.equal(conduct.pointsOf(validator), 0)
  clock.ms = rules.banMs
  assert.equal(conduct.isBanned(stranger), false)
})

test('lets through four seconds of a peer’s rate at once, then its rate', () => {
  const { conduct, clock } = aConduct()
  const burst = () => {
    let count = 0
    while (conduct.allowFrame(stranger, 1, 'votes')) count += 1
    return count
  }
  assert.equal(burst(), 400)
  clock.ms += 1_000
  assert.equal(burst(), 100)
})

test('counts bytes as well as frames', () => {
  const { conduct, clock } = aConduct()
  assert.equal(conduct.allowFrame(stranger, 40_000, 'votes'), true)
  assert.equal(conduct.allowFrame(stranger, 1_000, 'votes'), false)
  clock.ms += 100
  assert.equal(conduct.allowFrame(stranger, 1_000, 'votes'), true)
})

test('drops what is over the rate without a cut, until it is a flood', () => {
  const { conduct, cutOff } = aConduct()
  let dropped = 0
  while (cutOff.length === 0) if (!conduct.allowFrame(stranger, 1, 'votes')) dropped += 1
  assert.ok(dropped >= 1_500 && dropped <= 2_500, `${dropped} dropped`)
  assert.equal(conduct.allowFrame(validator, 1, 'votes'), true, 'others are not touched')
})

test('does not cut a validator off for a flood, which it may only hand on, but drops what is too much', () => {
  const { conduct, cutOff } = aConduct()
  let dropped = 0
  for (let frame = 0; frame < 10_000; frame++) if (!conduct.allowFrame(validator, 1, 'batches')) dropped += 1
  assert.ok(dropped > 9_000)
  assert.equal(conduct.allowMessages(validator, 1_000), false)
  assert.deepEqual(cutOff, [])
  assert.equal(conduct.allowFrame(validator, 1, 'votes'), true, 'votes have a rate of their own')
})

test('remembers a bounded number of peers', () => {
  const { conduct } = aConduct()
  conduct.punish(stranger, 'bad')
  for (let peer = 0; peer < 2_000; peer++) conduct.allowRequest(`p${peer}` as PeerId)
  assert.equal(conduct.invalidCountOf(stranger), 0)
})
