import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import * as portable from '../../../src/crypto/index.ts'
import * as native from '../../../src/crypto/native/index.ts'

const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
const ascii = (text: string) => new TextEncoder().encode(text)

test('the native half offers every name of the portable one, but for what its VRF is made of', () => {
  const ofTheVrf = ['challengeOf', 'expandSeed', 'nonceHash', 'outputOfCleared', 'tryCurvePoint']
  const missing = Object.keys(portable).filter((name) => !Object.hasOwn(native, name))
  assert.deepEqual(missing.sort(), ofTheVrf)
})

for (const [half, crypto] of Object.entries({ portable, native })) {
  describe(`${half} hash`, () => {
    test('gives the known SHA-256 digests as bytes and as hex', () => {
      assert.equal(crypto.sha256Hex(new Uint8Array()), empty)
      assert.equal(crypto.sha256Hex(ascii('abc')), abc)
      assert.deepEqual(crypto.sha256(ascii('abc')), crypto.fromHex(abc))
    })

    test('agrees with OpenSSL for all lengths around a block of SHA-256', () => {
      for (let length = 0; length <= 130; length++) {
        const bytes = Uint8Array.from({ length }, (_, index) => 255 - index)
        assert.equal(crypto.sha256Hex(bytes), createHash('sha256').update(bytes).digest('hex'))
        assert.equal(crypto.toHex(crypto.sha256(bytes)), crypto.sha256Hex(bytes))
      }
    })

    test('hashes parts as if they were one, however long and wherever they are cut', () => {
      for (const length of [0, 5, 4096, 4097, 20_000]) {
        const whole = new Uint8Array(length).fill(7)
        for (const cut of [0, 1, Math.floor(length / 2), length]) {
          const digest = crypto.hashConcat(whole.subarray(0, cut), whole.subarray(cut))
          assert.deepEqual(digest, crypto.sha256(whole))
        }
      }
      assert.equal(crypto.toHex(crypto.hashConcat()), empty)
    })

    test('returns a plain Uint8Array that owns its memory', () => {
      for (const bytes of [
        crypto.sha256(ascii('abc')),
        crypto.hashConcat(ascii('a')),
        crypto.hashConcat(new Uint8Array(5000)),
        crypto.fromHex(abc),
      ]) {
        assert.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype)
        assert.equal(bytes.buffer.byteLength, 32)
      }
    })
  })

  describe(`${half} hex`, () => {
    const allBytes = Uint8Array.from({ length: 256 }, (_, index) => index)

    test('gives back every byte', () => {
      assert.deepEqual(crypto.fromHex(crypto.toHex(allBytes)), allBytes)
      assert.equal(crypto.toHex(allBytes.subarray(8, 18)), '08090a0b0c0d0e0f1011')
      assert.equal(crypto.toHex(new Uint8Array()), '')
      assert.deepEqual(crypto.fromHex(''), new Uint8Array())
    })

    test('refuses half a byte, capitals and whatever is no digit', () => {
      for (const text of [
        '0',
        'abc',
        '0A',
        'FF',
        '0g',
        '0x00',
        ' 00',
        '00 ',
        '0\n',
        '00\n',
        '/0',
        ':0',
        '`0',
        'é0',
      ]) {
        assert.throws(() => crypto.fromHex(text), RangeError, JSON.stringify(text))
      }
    })
  })
}
