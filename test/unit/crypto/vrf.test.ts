import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import * as portable from '../../../src/crypto/index.ts'
import { group } from '../../../src/crypto/native/group.ts'
import * as native from '../../../src/crypto/native/index.ts'
import type { VrfPublicKey } from '../../../src/types/index.ts'
import rfc9381 from '../../vectors/ecvrf-rfc9381.json' with { type: 'json' }

const { fromHex, toHex } = portable
const groupOrder = ed25519.Point.Fn.ORDER

for (const [half, crypto] of Object.entries({ portable, native })) {
  describe(`${half} VRF`, () => {
    for (const vector of rfc9381.vectors) {
      test(`proves and verifies ${vector.name} of RFC 9381`, () => {
        const seed = fromHex(vector.secretSeedHex)
        const alpha = fromHex(vector.alphaHex)
        const publicKey = crypto.vrfPublicKeyOf(seed)
        assert.equal(publicKey, vector.publicKeyHex)

        const proof = crypto.proveVrf(seed, alpha)
        assert.equal(toHex(proof), vector.proofHex)
        const output = crypto.verifyVrf({ publicKey, alpha, proof })
        assert.equal(output && toHex(output), vector.outputHex)
        assert.deepEqual(crypto.vrfOutputOf(proof), output)
      })
    }
  })
}

describe('verifyVrf', () => {
  const seed = new Uint8Array(32).fill(3)
  const alpha = Uint8Array.of(1, 2, 3)
  const { publicKey, prove } = portable.createVrfProver(seed)
  const proof = prove(alpha)

  test('accepts a proof for its own key and input only', () => {
    const other = portable.vrfPublicKeyOf(new Uint8Array(32).fill(4))
    assert.ok(portable.verifyVrf({ publicKey, alpha, proof }))
    assert.equal(portable.verifyVrf({ publicKey: other, alpha, proof }), undefined)
    assert.equal(portable.verifyVrf({ publicKey, alpha: Uint8Array.of(1, 2, 4), proof }), undefined)
    assert.equal(portable.verifyVrf({ publicKey, alpha: Uint8Array.of(1, 2, 3, 0), proof }), undefined)
  })

  test('refuses a proof with any byte changed', () => {
    fc.assert(
      fc.property(fc.nat({ max: 79 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Uint8Array.from(proof)
        changed[at] = (changed[at] ?? 0) ^ flip
        assert.equal(portable.verifyVrf({ publicKey, alpha, proof: changed }), undefined)
      }),
      { seed: 9381, numRuns: 200 },
    )
  })

  test('refuses s + q, the second form of a good proof', () => {
    const s = BigInt(`0x${toHex(proof.slice(48).reverse())}`)
    const changed = Uint8Array.from(proof)
    changed.set(fromHex((s + groupOrder).toString(16).padStart(64, '0')).reverse(), 48)
    assert.equal(portable.verifyVrf({ publicKey, alpha, proof: changed }), undefined)
    assert.equal(portable.vrfOutputOf(changed), undefined)
  })

  test('refuses Γ off the curve and Γ in a form that is not canonical', () => {
    const forms = [
      '02'.padEnd(64, '0'),
      `ee${'ff'.repeat(30)}7f`,
      `01${'00'.repeat(30)}80`,
      `ec${'ff'.repeat(31)}`,
    ]
    for (const form of forms) {
      const changed = Uint8Array.from(proof)
      changed.set(fromHex(form), 0)
      assert.equal(portable.verifyVrf({ publicKey, alpha, proof: changed }), undefined, form)
      assert.equal(portable.vrfOutputOf(changed), undefined, form)
    }
  })

  test('refuses proofs of another length', () => {
    for (const wrong of [proof.subarray(0, 79), Uint8Array.of(...proof, 0), new Uint8Array()]) {
      assert.equal(portable.verifyVrf({ publicKey, alpha, proof: wrong }), undefined)
      assert.equal(portable.vrfOutputOf(wrong), undefined)
    }
  })

  test('refuses the identity as a key, for which anyone can make a proof that fulfils both equations', () => {
    const identity = '01'.padEnd(64, '0')
    const forged = forgeForIdentity(alpha)
    assert.ok(portable.vrfOutputOf(forged))
    assert.equal(portable.verifyVrf({ publicKey: identity as VrfPublicKey, alpha, proof: forged }), undefined)
  })

  test('refuses keys of small order, off the curve or not in canonical form', () => {
    for (const key of [...ED25519_TORSION_SUBGROUP, '02'.padEnd(64, '0'), publicKey.toUpperCase(), '']) {
      assert.equal(portable.isValidVrfKey(key), false, key)
      assert.equal(portable.verifyVrf({ publicKey: key as VrfPublicKey, alpha, proof }), undefined, key)
    }
    assert.equal(portable.isValidVrfKey(publicKey), true)
    assert.equal(portable.isValidVrfKey(fromHex(publicKey)), true)
    assert.equal(portable.isValidVrfKey(fromHex(publicKey).subarray(1)), false)
  })

  test('gives the one possible output, whatever torsion part Γ has', () => {
    const output = portable.vrfOutputOf(proof)
    const gamma = ed25519.Point.fromBytes(proof.slice(0, 32))
    for (const torsion of ED25519_TORSION_SUBGROUP) {
      const changed = Uint8Array.from(proof)
      changed.set(gamma.add(ed25519.Point.fromHex(torsion)).toBytes(), 0)
      assert.deepEqual(portable.vrfOutputOf(changed), output)
    }
  })

  test('makes the same proof each time, and another output for another input', () => {
    assert.deepEqual(portable.proveVrf(seed, alpha), proof)
    assert.notDeepEqual(portable.vrfOutputOf(prove(Uint8Array.of(9))), portable.vrfOutputOf(proof))
  })

  test('refuses seeds that have not 32 bytes', () => {
    for (const length of [0, 31, 33]) {
      assert.throws(() => portable.proveVrf(new Uint8Array(length), alpha), RangeError)
      assert.throws(() => portable.vrfPublicKeyOf(new Uint8Array(length)), RangeError)
    }
  })
})

/** The proof of the secret 0: Γ is the identity, c the challenge of any nonce, s the nonce itself. */
function forgeForIdentity(alpha: Uint8Array): Uint8Array {
  const { Point } = ed25519
  const identity = Point.ZERO.toBytes()
  const nonce = 12345n
  const h = firstPointOf((counter) => sha512(Uint8Array.of(3, 1), identity, alpha, Uint8Array.of(counter, 0)))
  const u = Point.BASE.multiply(nonce).toBytes()
  const v = h.multiply(nonce).toBytes()
  const challenge = sha512(
    Uint8Array.of(3, 2),
    identity,
    h.toBytes(),
    identity,
    u,
    v,
    Uint8Array.of(0),
  ).subarray(0, 16)
  return Uint8Array.of(...identity, ...challenge, ...Point.Fn.toBytes(nonce))
}

function firstPointOf(hashOf: (counter: number) => Uint8Array) {
  for (let counter = 0; counter < 256; counter++) {
    try {
      return ed25519.Point.fromBytes(hashOf(counter).subarray(0, 32)).clearCofactor()
    } catch {
      // No point has this y: the next counter.
    }
  }
  throw new Error('no hash encodes a point')
}

function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  const hasher = createHash('sha512')
  for (const part of parts) hasher.update(part)
  return new Uint8Array(hasher.digest())
}

describe('the native half', () => {
  const curve = group ?? assert.fail('libsodium can be loaded where the tests run')
  const seed = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const alpha = fc.uint8Array({ maxLength: 80 })

  test('makes the same proofs as the portable one, and takes them', () => {
    fc.assert(
      fc.property(seed, alpha, (secret, input) => {
        const prover = native.createVrfProver(secret)
        const proof = prover.prove(input)
        assert.deepEqual(proof, portable.proveVrf(secret, input))
        const claim = { publicKey: prover.publicKey, alpha: input, proof }
        assert.deepEqual(native.verifyVrf(claim), portable.verifyVrf(claim))
        assert.ok(native.verifyVrf(claim) !== undefined)
      }),
      { numRuns: 30 },
    )
  })

  test('answers as the portable one to every changed byte, other keys, and torsion in key and proof', () => {
    const secret = new Uint8Array(32).fill(3)
    const input = Uint8Array.of(1, 2, 3)
    const { publicKey, prove } = portable.createVrfProver(secret)
    const proof = prove(input)
    const points = [publicKey, toHex(proof.subarray(0, 32))].map((hex) => ed25519.Point.fromHex(hex))
    const [key, gamma] = [points[0] ?? assert.fail(), points[1] ?? assert.fail()]
    const claims: portable.VrfProof[] = []
    for (let at = 0; at < proof.length; at += 1) {
      for (const bit of [1, 0x80])
        claims.push({ publicKey, alpha: input, proof: proof.with(at, (proof[at] ?? 0) ^ bit) })
    }
    for (const hex of ED25519_TORSION_SUBGROUP) {
      const torsion = ed25519.Point.fromHex(hex, true)
      claims.push({ publicKey: hex as VrfPublicKey, alpha: input, proof })
      claims.push({ publicKey: key.add(torsion).toHex() as VrfPublicKey, alpha: input, proof })
      const changed = proof.slice()
      changed.set(gamma.add(torsion).toBytes(), 0)
      claims.push({ publicKey, alpha: input, proof: changed })
      const small = proof.slice()
      small.set(fromHex(hex), 0)
      claims.push({ publicKey, alpha: input, proof: small })
    }
    for (const claim of claims) {
      assert.deepEqual(native.verifyVrf(claim), portable.verifyVrf(claim))
      assert.deepEqual(native.vrfOutputOf(claim.proof), portable.vrfOutputOf(claim.proof))
    }
  })

  test('says nothing of points that libsodium does not take', () => {
    const [, small = ''] = ED25519_TORSION_SUBGROUP
    const one = new Uint8Array(32).with(0, 1)
    assert.equal(curve.multiply(fromHex(small), one), undefined)
    assert.equal(curve.multiply(new Uint8Array(32).fill(0xff), one), undefined)
    assert.equal(curve.clearCofactor(new Uint8Array(32).fill(0xff)), undefined)
    assert.equal(curve.clearCofactor(new Uint8Array(31)), undefined)
  })
})
