// Ed25519 under the one rule of protocol §2, for browsers and as the reference for native/ed25519.ts:
// - the public key A and R are canonical encodings, S < L;
// - A is not of small order. R may be: whoever makes such a signature holds the secret key as for any other, so
//   the equation alone decides;
// - the equation is the one without cofactor, R = S·B − k·A, compared by encoding, with k = SHA-512(R ‖ A ‖ message)
//   reduced modulo L first. A torsion part of A or R passes exactly if the equation holds with it; where A has one,
//   an unreduced k would give other verdicts, so the reduction is part of the rule.
// noble's own `verify` multiplies by the cofactor, and so accepts signatures that OpenSSL refuses. Two nodes that
// differ over one vote can differ over a certificate; hence the equation is spelled out here.
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import type { PublicKey } from '../../types/index.ts'
import { RecentMap } from '../recent-map.ts'
import { assertSeed, isCanonicalScalar, pointBytes, signatureBytes } from './encoding.ts'
import { toHex } from './hex.ts'
import { decodePublicKey, groupOrder, integerOf, keyBytesOf, Point, sumOfProducts } from './points.ts'

export interface SignedBytes {
  /** 32 bytes in lower-case hex; anything else verifies nothing. */
  readonly publicKey: PublicKey
  /** What was signed, domain and all (`signingInput`). */
  readonly message: Uint8Array
  /** R ‖ S, 64 bytes. */
  readonly signature: Uint8Array
}

/** Signs with one secret key. */
export interface Signer {
  readonly publicKey: PublicKey
  /** 64 bytes, the same each time (RFC 8032). */
  sign(message: Uint8Array): Uint8Array
}

/** A key in its decoded form, and whether multiples of it are worth a table. */
interface KnownKey {
  readonly bytes: Uint8Array
  /** −A, the side of the equation it stands on. */
  readonly negated: Point
  /** Signatures of it that were good, up to where the table is made; bad ones must not buy a table. */
  verifiedCount: number
}

// Room for the keys of a large validator set. A table is about 135 KiB (measured), so all of them stay below
// 18 MiB; more validators than that cost speed only.
const knownKeysMax = 128
// Measured: a table takes 4 ms to build and saves 0.7 ms of each verification after that.
const verifiedBeforeTable = 8
const tableWindowBits = 4
const knownKeys = new RecentMap<PublicKey, KnownKey>(knownKeysMax)

/** Whether the signature is by this key over exactly this message, under the rule at the top of this file.
 *  False, never an error, for keys and signatures of any other form. */
export function verifySignature({ publicKey, message, signature }: SignedBytes): boolean {
  if (signature.length !== signatureBytes || !isCanonicalScalar(signature, pointBytes)) return false
  const key = knownKeyOf(publicKey)
  if (key === undefined) return false

  const encodedR = signature.subarray(0, pointBytes)
  const challenge = sha512.create().update(encodedR).update(key.bytes).update(message).digest()
  const k = integerOf(challenge) % groupOrder
  const s = integerOf(signature.subarray(pointBytes))
  const expectedR = Point.BASE.multiplyUnsafe(s).add(multiplyKey(key, k))
  const isValid = areEqual(expectedR.toBytes(), encodedR)
  if (isValid) countVerified(key)
  return isValid
}

/** Whether this is a key that can verify anything: 32 bytes (lower-case hex if text), canonical, a point of the
 *  curve, not of small order. A torsion part is no fault (protocol §2). */
export function isValidPublicKey(key: string): key is PublicKey
export function isValidPublicKey(key: Uint8Array): boolean
export function isValidPublicKey(key: string | Uint8Array): boolean {
  return decodePublicKey(key) !== undefined
}

/** The public key of a 32-byte secret seed (RFC 8032 §5.1.5). @throws RangeError if it has another length. */
export function publicKeyOf(seed: Uint8Array): PublicKey {
  assertSeed(seed)
  return toHex(ed25519.getPublicKey(seed)) as PublicKey
}

/** Signs once; `createSigner` is for signing often. @throws RangeError unless the seed has 32 bytes. */
export function sign({
  seed,
  message,
}: {
  readonly seed: Uint8Array
  readonly message: Uint8Array
}): Uint8Array {
  assertSeed(seed)
  return ed25519.sign(message, seed)
}

/** A signer for a 32-byte secret seed, which it copies. @throws RangeError if the seed has another length. */
export function createSigner(seed: Uint8Array): Signer {
  const publicKey = publicKeyOf(seed)
  const ownSeed = Uint8Array.from(seed)
  return { publicKey, sign: (message) => ed25519.sign(message, ownSeed) }
}

function knownKeyOf(publicKey: PublicKey): KnownKey | undefined {
  const known = knownKeys.get(publicKey)
  if (known !== undefined) return known

  const bytes = keyBytesOf(publicKey)
  const point = decodePublicKey(publicKey)
  if (bytes === undefined || point === undefined) return undefined
  const key: KnownKey = { bytes, negated: point.negate(), verifiedCount: 0 }
  knownKeys.set(publicKey, key)
  return key
}

/** k · (−A). */
function multiplyKey({ negated, verifiedCount }: KnownKey, k: bigint): Point {
  return verifiedCount < verifiedBeforeTable ? sumOfProducts([negated], [k]) : negated.multiplyUnsafe(k)
}

/** The table is noble's, made at the next multiplication and dropped with the point. */
function countVerified(key: KnownKey): void {
  if (key.verifiedCount >= verifiedBeforeTable) return
  key.verifiedCount += 1
  if (key.verifiedCount === verifiedBeforeTable) key.negated.precompute(tableWindowBits)
}

/** Of public bytes of equal length; stops at the first difference. */
function areEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.every((byte, index) => byte === right[index])
}
