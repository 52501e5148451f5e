import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import * as portable from '../../../src/crypto/index.ts'
import { verifySignatureBySsl } from '../../../src/crypto/native/ed25519.ts'
import * as native from '../../../src/crypto/native/index.ts'
import type { PublicKey } from '../../../src/types/index.ts'
import strict from '../../vectors/ed25519-strict.json' with { type: 'json' }

const { fromHex, toHex } = portable
const seed = fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')
const message = new TextEncoder().encode('a vote')

/** RFC 8032 §7.1, tests 1 to 3. */
const rfc8032 = [
  {
    seedHex: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    messageHex: '',
    signatureHex:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    seedHex: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    messageHex: '72',
    signatureHex:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    seedHex: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    messageHex: 'af82',
    signatureHex:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
]

/** Where libsodium cannot be loaded. */
const withoutSodium = { ...native, verifySignature: verifySignatureBySsl }

for (const [half, crypto] of Object.entries({
  portable,
  native,
  'native, without libsodium,': withoutSodium,
})) {
  describe(`${half} Ed25519`, () => {
    test('signs and verifies the examples of RFC 8032', () => {
      for (const { seedHex, publicKey, messageHex, signatureHex } of rfc8032) {
        const signer = crypto.createSigner(fromHex(seedHex))
        assert.equal(signer.publicKey, publicKey)
        assert.equal(crypto.publicKeyOf(fromHex(seedHex)), publicKey)
        assert.equal(toHex(signer.sign(fromHex(messageHex))), signatureHex)
        const signature = crypto.sign({ seed: fromHex(seedHex), message: fromHex(messageHex) })
        assert.equal(toHex(signature), signatureHex)
        const signed = { publicKey: signer.publicKey, message: fromHex(messageHex), signature }
        assert.equal(crypto.verifySignature(signed), true)
        assert.equal(crypto.verifySignature({ ...signed, message: Uint8Array.of(1) }), false)
      }
    })

    test('returns signatures as plain Uint8Arrays', () => {
      assert.equal(Object.getPrototypeOf(crypto.sign({ seed, message })), Uint8Array.prototype)
    })

    test('keeps its own copy of the seed', () => {
      const given = Uint8Array.from(seed)
      const signer = crypto.createSigner(given)
      given.fill(0)
      assert.deepEqual(signer.sign(message), crypto.sign({ seed, message }))
    })

    test('refuses seeds that have not 32 bytes', () => {
      for (const length of [0, 31, 33, 64]) {
        const wrong = new Uint8Array(length)
        assert.throws(() => crypto.createSigner(wrong), RangeError)
        assert.throws(() => crypto.publicKeyOf(wrong), RangeError)
        assert.throws(() => crypto.sign({ seed: wrong, message }), RangeError)
      }
    })

    test('gives the verdict of the one rule on every strict vector', () => {
      for (const vector of strict.vectors) {
        const verdict = crypto.verifySignature({
          publicKey: vector.publicKeyHex as PublicKey,
          message: fromHex(vector.messageHex),
          signature: fromHex(vector.signatureHex),
        })
        assert.equal(verdict, vector.valid, `${vector.name}: ${vector.why}`)
      }
    })

    test('gives the same verdicts once it knows a key well', () => {
      const signer = crypto.createSigner(seed)
      for (let count = 0; count < 30; count++) {
        const bytes = Uint8Array.of(count)
        const signature = signer.sign(bytes)
        assert.equal(crypto.verifySignature({ publicKey: signer.publicKey, message: bytes, signature }), true)
        assert.equal(crypto.verifySignature({ publicKey: signer.publicKey, message, signature }), false)
      }
      const torsion = strict.vectors.filter(({ name }) => name.startsWith('A + T('))
      for (let round = 0; round < 10; round++) {
        for (const { publicKeyHex, messageHex, signatureHex, valid, name } of torsion.slice(0, 2)) {
          const verdict = crypto.verifySignature({
            publicKey: publicKeyHex as PublicKey,
            message: fromHex(messageHex),
            signature: fromHex(signatureHex),
          })
          assert.equal(verdict, valid, name)
        }
      }
    })

    test('says no to signatures of another length and to keys in another form, without an error', () => {
      const { publicKey } = crypto.createSigner(seed)
      const signature = crypto.sign({ seed, message })
      assert.equal(crypto.verifySignature({ publicKey, message, signature }), true)
      for (const other of [signature.subarray(0, 63), Uint8Array.of(...signature, 0), new Uint8Array()])
        assert.equal(crypto.verifySignature({ publicKey, message, signature: other }), false)
      for (const other of [
        publicKey.toUpperCase(),
        publicKey.slice(2),
        `${publicKey}00`,
        `${publicKey.slice(1)}g`,
        `${publicKey.slice(2)}é0`,
        '',
      ])
        assert.equal(
          crypto.verifySignature({ publicKey: other as PublicKey, message, signature }),
          false,
          other,
        )
    })

    test('takes keys with a torsion part and refuses all of small order, off the curve or not canonical', () => {
      const { publicKey } = crypto.createSigner(seed)
      assert.equal(crypto.isValidPublicKey(publicKey), true)
      assert.equal(crypto.isValidPublicKey(fromHex(publicKey)), true)
      const torsion = ed25519.Point.fromHex(ED25519_TORSION_SUBGROUP[1] ?? '')
      assert.equal(crypto.isValidPublicKey(ed25519.Point.fromHex(publicKey).add(torsion).toBytes()), true)

      const one = '01'.padEnd(64, '0')
      const bad = [
        ...ED25519_TORSION_SUBGROUP,
        one.replace(/00$/, '80'),
        `ec${'ff'.repeat(31)}`,
        ...['ed', 'ee', 'f0', 'ff'].map((low) => `${low}${'ff'.repeat(30)}7f`),
        '02'.padEnd(64, '0'),
        publicKey.toUpperCase(),
        publicKey.slice(2),
        '',
      ]
      for (const key of bad) {
        assert.equal(crypto.isValidPublicKey(key), false, key)
        assert.equal(
          crypto.verifySignature({ publicKey: key as PublicKey, message, signature: new Uint8Array(64) }),
          false,
        )
      }
      for (const key of ED25519_TORSION_SUBGROUP)
        assert.equal(crypto.isValidPublicKey(fromHex(key)), false, key)
      for (const length of [0, 31, 33]) assert.equal(crypto.isValidPublicKey(new Uint8Array(length)), false)
    })
  })
}

describe('native and portable Ed25519', () => {
  const signers = [0, 1, 2].map((fill) => portable.createSigner(new Uint8Array(32).fill(fill)))

  test('agree on signatures changed at random', () => {
    const anyMutation = fc.record({
      signer: fc.constantFrom(...signers),
      bytes: fc.uint8Array({ maxLength: 80 }),
      at: fc.nat({ max: 63 }),
      flip: fc.integer({ min: 0, max: 255 }),
    })
    let accepted = 0
    fc.assert(
      fc.property(anyMutation, ({ signer, bytes, at, flip }) => {
        const signature = native.sign({
          seed: new Uint8Array(32).fill(signers.indexOf(signer)),
          message: bytes,
        })
        signature[at] = (signature[at] ?? 0) ^ flip
        const signed = { publicKey: signer.publicKey, message: bytes, signature }
        const verdict = native.verifySignature(signed)
        assert.equal(portable.verifySignature(signed), verdict)
        assert.equal(verdict, flip === 0)
        if (verdict) accepted += 1
      }),
      { seed: 8032, numRuns: 2000 },
    )
    assert.ok(accepted > 0)
  })

  test('agree on strict vectors with bits turned in key, R or S', () => {
    const anyTurn = fc.record({
      vector: fc.constantFrom(...strict.vectors),
      part: fc.constantFrom('key', 'signature'),
      at: fc.nat({ max: 63 }),
      bit: fc.nat({ max: 7 }),
    })
    fc.assert(
      fc.property(anyTurn, ({ vector, part, at, bit }) => {
        const key = fromHex(vector.publicKeyHex)
        const signature = fromHex(vector.signatureHex)
        const turned = part === 'key' ? key : signature
        const index = at % turned.length
        turned[index] = (turned[index] ?? 0) ^ (1 << bit)
        const signed = { publicKey: toHex(key) as PublicKey, message: fromHex(vector.messageHex), signature }
        assert.equal(portable.verifySignature(signed), native.verifySignature(signed))
        assert.equal(verifySignatureBySsl(signed), native.verifySignature(signed))
      }),
      { seed: 25519, numRuns: 1000 },
    )
  })

  test('agree on which random bytes are keys that verify', () => {
    const nearTheEdges = fc.oneof(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc
        .tuple(fc.nat({ max: 255 }), fc.constantFrom(0, 255), fc.constantFrom(0, 0x7f, 0x80, 0xff))
        .map(([first, fill, last]) => {
          const bytes = new Uint8Array(32).fill(fill)
          bytes[0] = first
          bytes[31] = last
          return bytes
        }),
    )
    fc.assert(
      fc.property(nearTheEdges, (bytes) => {
        assert.equal(native.isValidPublicKey(bytes), portable.isValidPublicKey(toHex(bytes)))
        assert.equal(portable.isValidPublicKey(bytes), isKeyForNoble(bytes))
      }),
      { seed: 255, numRuns: 1000 },
    )
  })

  function isKeyForNoble(bytes: Uint8Array): boolean {
    try {
      const point = ed25519.Point.fromBytes(bytes)
      return !point.isSmallOrder() && toHex(point.toBytes()) === toHex(bytes)
    } catch {
      return false
    }
  }
})
