import assert from 'node:assert/strict'
import { hkdfSync } from 'node:crypto'
import { test } from 'node:test'
import {
  beaconOf,
  fromHex,
  type SigningKind,
  sha256Hex,
  signingInput,
  toHex,
  vrfInput,
  vrfSeedFromVotingSeed,
} from '../../../src/crypto/index.ts'
import type { Hash } from '../../../src/types/index.ts'

const genesisHash = '11'.repeat(32) as Hash
const otherGenesis = '22'.repeat(32) as Hash
const bytes = Uint8Array.of(0xaa, 0x00, 0xbb)
const kinds: SigningKind[] = [
  'batch',
  'pool-commitment',
  'proposal',
  'notarize',
  'nullify',
  'finalize',
  'receipt',
  'validator-record',
]

test('a signature covers label, kind, a zero byte, the genesis hash and the bytes, in this order', () => {
  for (const kind of kinds) {
    const expected = `${Buffer.from(`diseq/1/${kind}`).toString('hex')}00${genesisHash}aa00bb`
    assert.equal(toHex(signingInput({ kind, genesisHash, bytes })), expected)
  }
})

test('the input to sign differs by kind and by chain, and follows a change of chain and back', () => {
  const seen = new Set<string>()
  for (const chain of [genesisHash, otherGenesis, genesisHash])
    for (const kind of kinds) seen.add(toHex(signingInput({ kind, genesisHash: chain, bytes })))
  assert.equal(seen.size, 2 * kinds.length)
})

test('the input to sign is the caller’s to change', () => {
  const first = signingInput({ kind: 'batch', genesisHash, bytes })
  const expected = toHex(first)
  first.fill(0)
  assert.equal(toHex(signingInput({ kind: 'batch', genesisHash, bytes })), expected)
})

test('refuses a genesis hash that is not 32 bytes of hex, each time', () => {
  for (const wrong of ['11'.repeat(31), '11'.repeat(33), 'AA'.repeat(32), '']) {
    for (let time = 0; time < 2; time++)
      assert.throws(() => signingInput({ kind: 'batch', genesisHash: wrong as Hash, bytes }), RangeError)
  }
})

test('the VRF input is the genesis hash, the height as a big-endian u64 and the beacon', () => {
  const beacon = '33'.repeat(32) as Hash
  const input = (height: number) => toHex(vrfInput({ genesisHash, height, beacon }))
  assert.equal(input(1), `${genesisHash}0000000000000001${beacon}`)
  assert.equal(input(0x0102030405), `${genesisHash}0000000102030405${beacon}`)
  assert.equal(input(Number.MAX_SAFE_INTEGER), `${genesisHash}001fffffffffffff${beacon}`)
  for (const height of [-1, 0.5, Number.NaN, 2 ** 53]) assert.throws(() => input(height), RangeError)
  assert.throws(() => vrfInput({ genesisHash, height: 1, beacon: '33' as Hash }), RangeError)
})

test('the beacon is the hash of the whole VRF output', () => {
  const output = new Uint8Array(64).fill(5)
  assert.equal(beaconOf(output), sha256Hex(output))
  assert.throws(() => beaconOf(output.subarray(0, 32)), RangeError)
})

test('the VRF seed is HKDF-SHA-256 of the voting seed under its own label', () => {
  const seed = fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')
  const expected = new Uint8Array(hkdfSync('sha256', seed, new Uint8Array(), 'diseq/1/vrf', 32))
  assert.deepEqual(vrfSeedFromVotingSeed(seed), expected)
  assert.throws(() => vrfSeedFromVotingSeed(seed.subarray(1)), RangeError)
})
