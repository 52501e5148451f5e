// ECVRF-EDWARDS25519-SHA512-TAI of RFC 9381: the leader's one possible random output of a height (protocol §3.5).
// Section numbers below are of that RFC. Both halves of the room use this file; OpenSSL offers no group operations.
//
// Secret scalars meet points only in noble's `multiply`, whose sequence of operations does not depend on them.
// JavaScript's integers are not constant-time underneath; who can time single proofs on the prover's machine is
// outside of what this defends against.
import { sha512 } from '@noble/hashes/sha2.js'
import type { VrfPublicKey } from '../../types/index.ts'
import { assertSeed, isCanonicalScalar, pointBytes } from './encoding.ts'
import { toHex } from './hex.ts'
import {
  decodePoint,
  decodePublicKey,
  groupOrder,
  integerOf,
  keyBytesOf,
  Point,
  scalarBytesOf,
  sumOfProducts,
} from './points.ts'

/** Γ ‖ c ‖ s. */
export const vrfProofBytes = 80
export const vrfOutputBytes = 64

const challengeBytes = 16
const suite = 0x03
const encodeToCurveTag = 0x01
const challengeTag = 0x02
const outputTag = 0x03
const endTag = 0x00

export interface VrfProof {
  /** 32 bytes in lower-case hex. */
  readonly publicKey: VrfPublicKey
  /** The input (`vrfInput`). */
  readonly alpha: Uint8Array
  readonly proof: Uint8Array
}

/** Proves with one secret key. */
export interface VrfProver {
  readonly publicKey: VrfPublicKey
  /** 80 bytes, the same each time. */
  prove(alpha: Uint8Array): Uint8Array
}

/** The proof's 64-byte output (beta) if the proof is right for this key and input; undefined if not, whatever is
 *  wrong (§5.3, with validate_key). Keys of small order, encodings that are not canonical and s ≥ q are refused. */
export function verifyVrf({ publicKey, alpha, proof }: VrfProof): Uint8Array | undefined {
  const key = decodePublicKey(publicKey)
  const keyBytes = keyBytesOf(publicKey)
  const decoded = decodeProof(proof)
  if (key === undefined || keyBytes === undefined || decoded === undefined) return undefined

  const { gamma, c, s } = decoded
  const h = encodeToCurve(keyBytes, alpha)
  const u = Point.BASE.multiplyUnsafe(s).add(sumOfProducts([key.negate()], [c]))
  const v = sumOfProducts([h, gamma.negate()], [s, c])
  const expected = integerOf(challengeOf([keyBytes, h.toBytes(), gamma.toBytes(), u.toBytes(), v.toBytes()]))
  return expected === c ? outputOf(gamma) : undefined
}

/** The output a proof stands for, unverified: for a proof that `verifyVrf` or `proveVrf` has been over (§5.2).
 *  Undefined if the bytes have not the form of a proof. */
export function vrfOutputOf(proof: Uint8Array): Uint8Array | undefined {
  const decoded = decodeProof(proof)
  return decoded && outputOf(decoded.gamma)
}

/** Full validation of a VRF public key (§5.4.5): 32 bytes (lower-case hex if text), canonical, on the curve, not
 *  of small order. Genesis checks each key once with it. */
export function isValidVrfKey(key: string): key is VrfPublicKey
export function isValidVrfKey(key: Uint8Array): boolean
export function isValidVrfKey(key: string | Uint8Array): boolean {
  return decodePublicKey(key) !== undefined
}

/** The VRF public key of a 32-byte secret seed. @throws RangeError if it has another length. */
export function vrfPublicKeyOf(seed: Uint8Array): VrfPublicKey {
  return toHex(expandSeed(seed).keyBytes) as VrfPublicKey
}

/** The 80-byte proof for an input (§5.1). Proving often: `createVrfProver` saves a tenth of the time.
 *  @throws RangeError unless the seed has 32 bytes. */
export function proveVrf(secretSeed: Uint8Array, alpha: Uint8Array): Uint8Array {
  return createVrfProver(secretSeed).prove(alpha)
}

/** A prover for a 32-byte secret seed. @throws RangeError if the seed has another length. */
export function createVrfProver(secretSeed: Uint8Array): VrfProver {
  const secret = expandSeed(secretSeed)
  return { publicKey: toHex(secret.keyBytes) as VrfPublicKey, prove: (alpha) => prove(secret, alpha) }
}

export interface ExpandedSecret {
  /** x. */
  readonly scalar: bigint
  /** The second half of the hashed seed: what nonces are made from. */
  readonly noncePrefix: Uint8Array
  readonly keyBytes: Uint8Array
}

interface DecodedProof {
  readonly gamma: Point
  readonly c: bigint
  readonly s: bigint
}

/** As for Ed25519 keys (RFC 8032 §5.1.5). */
export function expandSeed(seed: Uint8Array): ExpandedSecret {
  assertSeed(seed)
  const hashed = sha512(seed)
  const head = hashed.slice(0, 32)
  head[0] = (head[0] ?? 0) & 0xf8
  head[31] = ((head[31] ?? 0) & 0x7f) | 0x40
  const scalar = integerOf(head) % groupOrder
  return { scalar, noncePrefix: hashed.slice(32), keyBytes: Point.BASE.multiply(scalar).toBytes() }
}

function prove({ scalar, noncePrefix, keyBytes }: ExpandedSecret, alpha: Uint8Array): Uint8Array {
  const h = encodeToCurve(keyBytes, alpha)
  const hBytes = h.toBytes()
  const gammaBytes = h.multiply(scalar).toBytes()
  const nonce = integerOf(nonceHash(noncePrefix, hBytes)) % groupOrder
  const u = Point.BASE.multiply(nonce).toBytes()
  const v = h.multiply(nonce).toBytes()
  const challenge = challengeOf([keyBytes, hBytes, gammaBytes, u, v])
  const s = (nonce + integerOf(challenge) * scalar) % groupOrder

  const proof = new Uint8Array(vrfProofBytes)
  proof.set(gammaBytes, 0)
  proof.set(challenge, pointBytes)
  proof.set(scalarBytesOf(s), pointBytes + challengeBytes)
  return proof
}

/** §5.4.2.2, 64 bytes: the nonce is a function of secret and input, so no bad random source can repeat one. */
export function nonceHash(noncePrefix: Uint8Array, hBytes: Uint8Array): Uint8Array {
  return sha512.create().update(noncePrefix).update(hBytes).digest()
}

/** §5.4.4. */
function decodeProof(proof: Uint8Array): DecodedProof | undefined {
  if (proof.length !== vrfProofBytes || !isCanonicalScalar(proof, pointBytes + challengeBytes))
    return undefined
  const gamma = decodePoint(proof.subarray(0, pointBytes))
  if (gamma === undefined) return undefined
  const c = integerOf(proof.subarray(pointBytes, pointBytes + challengeBytes))
  const s = integerOf(proof.subarray(pointBytes + challengeBytes))
  return { gamma, c, s }
}

/** Try-and-increment (§5.4.1.1), the public key as salt: half of all tries succeed, so 256 failures do not happen. */
function encodeToCurve(keyBytes: Uint8Array, alpha: Uint8Array): Point {
  for (let counter = 0; counter < 256; counter++) {
    const point = decodePoint(tryCurvePoint(keyBytes, alpha, counter))?.clearCofactor()
    if (point !== undefined && !point.is0()) return point
  }
  throw new Error('256 hashes in a row encode no point')
}

/** 32 bytes that encode a point for every other counter (§5.4.1.1). */
export function tryCurvePoint(keyBytes: Uint8Array, alpha: Uint8Array, counter: number): Uint8Array {
  const hasher = sha512.create().update(Uint8Array.of(suite, encodeToCurveTag)).update(keyBytes).update(alpha)
  return hasher.update(Uint8Array.of(counter, endTag)).digest().subarray(0, pointBytes)
}

/** §5.4.3: 16 bytes over Y, H, Γ, U, V. */
export function challengeOf(points: readonly Uint8Array[]): Uint8Array {
  const hasher = sha512.create().update(Uint8Array.of(suite, challengeTag))
  for (const point of points) hasher.update(point)
  return hasher.update(Uint8Array.of(endTag)).digest().subarray(0, challengeBytes)
}

/** §5.2. The cofactor takes away a torsion part of Γ, the one thing its maker could have varied. */
function outputOf(gamma: Point): Uint8Array {
  return outputOfCleared(gamma.clearCofactor().toBytes())
}

/** @param cleared 8 · Γ, encoded. */
export function outputOfCleared(cleared: Uint8Array): Uint8Array {
  const hasher = sha512.create().update(Uint8Array.of(suite, outputTag))
  return hasher.update(cleared).update(Uint8Array.of(endTag)).digest()
}
