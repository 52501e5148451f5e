import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { pureJsCrypto } from '@chainsafe/libp2p-noise'
import { noiseCrypto } from '../../../src/network/noise-crypto.ts'

const key = new Uint8Array(randomBytes(32))
const nonce = new Uint8Array(12).fill(3)
const ad = new Uint8Array(0)

test('encrypts as the portable implementation does, and takes back what either encrypted', () => {
  for (const sizeBytes of [0, 1, 1_199, 1_200, 65_519]) {
    const text = new Uint8Array(randomBytes(sizeBytes))
    const sealed = noiseCrypto.chaCha20Poly1305Encrypt(text, nonce, ad, key).subarray()
    const portable = pureJsCrypto.chaCha20Poly1305Encrypt(text, nonce, ad, key).subarray()
    assert.deepEqual(Buffer.from(sealed), Buffer.from(portable), `${sizeBytes} bytes`)
    const opened = noiseCrypto.chaCha20Poly1305Decrypt(portable, nonce, ad, key).subarray()
    assert.deepEqual(Buffer.from(opened), Buffer.from(text), `${sizeBytes} bytes`)
  }
})

test('refuses what was changed on its way, and another key', () => {
  for (const sizeBytes of [100, 5_000]) {
    const sealed = noiseCrypto.chaCha20Poly1305Encrypt(randomBytes(sizeBytes), nonce, ad, key).subarray()
    const changed = Uint8Array.from(sealed)
    changed[sizeBytes >> 1] = (changed[sizeBytes >> 1] ?? 0) ^ 1
    assert.throws(() => noiseCrypto.chaCha20Poly1305Decrypt(changed, nonce, ad, key))
    const other = new Uint8Array(randomBytes(32))
    assert.throws(() => noiseCrypto.chaCha20Poly1305Decrypt(sealed, nonce, ad, other))
  }
})
