// Ed25519 under the one rule of protocol §2 (spelled out in portable/ed25519.ts): same answers, many times faster. Signing is
// OpenSSL's; verifying is libsodium's, which takes half the time, or OpenSSL's where libsodium cannot be loaded. Both
// check S < L, and the equation without cofactor by comparing encodings of R. What they and Node's layer do not do, or
// not in every version, is done here:
// - OpenSSL takes keys of small order and keys that are not canonical: refused here, once for each key;
// - R of small order: up to some releases of Node the equation decides, as the rule says; from others on (24.21 is one;
//   20 is not), and in libsodium, it is refused before the equation. Nodes of one chain would then differ over a vote whose
//   signer chose the nonce 0, so these few go the portable way.
import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signWith,
  verify as verifyWith,
} from 'node:crypto'
import type { PublicKey } from '../../types/index.ts'
import { type SignedBytes, type Signer, verifySignature as verifyPortably } from '../portable/ed25519.ts'
import {
  assertSeed,
  isCanonicalPoint,
  isCanonicalScalar,
  isSmallOrder,
  pointBytes,
  signatureBytes,
} from '../portable/encoding.ts'
import { RecentMap } from '../recent-map.ts'
import { toHex } from './hex.ts'
import { type Sodium, sodium } from './sodium.ts'

export type { SignedBytes, Signer } from '../portable/ed25519.ts'
export { isValidPublicKey } from '../portable/ed25519.ts'

/** Whether a signature of the right form holds over a message under one key. */
type Equation = (message: Uint8Array, signature: Uint8Array) => boolean

// Making a key object of OpenSSL costs 20 µs against 80 µs for a verification. Validators and the nodes whose batches
// travel are far fewer than this; a stream of keys made up by an attacker costs those 20 µs each and no memory.
const keysMax = 1024

/** PKCS #8 for Ed25519 up to where the seed follows (RFC 8410 §7). */
const privateKeyPrefix = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Whether the signature is by this key over exactly this message, under the one rule of protocol §2.
 *  False, never an error, for keys and signatures of any other form. */
export const verifySignature = createVerification(sodium === undefined ? bySsl : bySodium(sodium))

/** The same by OpenSSL, whatever there is. */
export const verifySignatureBySsl = createVerification(bySsl)

function createVerification(equationOf: (key: Buffer) => Equation): (signed: SignedBytes) => boolean {
  const known = new RecentMap<PublicKey, Equation>(keysMax)
  const remember = (publicKey: PublicKey): Equation | undefined => {
    const bytes = bytesOfGoodKey(publicKey)
    if (bytes === undefined) return undefined
    const equation = equationOf(bytes)
    known.set(publicKey, equation)
    return equation
  }
  return (signed) => {
    const { publicKey, message, signature } = signed
    // The libraries look at S too; asked here because the rule must not rest on which of them it is.
    if (signature.length !== signatureBytes || !isCanonicalScalar(signature, pointBytes)) return false
    if (mayBeSmallOrder(signature) && isSmallOrder(toHex(signature.subarray(0, pointBytes))))
      return verifyPortably(signed)

    const holds = known.get(publicKey) ?? remember(publicKey)
    return holds?.(message, signature) === true
  }
}

function bySodium({ crypto_sign_verify_detached: verify }: Sodium): (key: Buffer) => Equation {
  return (key) => (message, signature) => verify(signature, message, key)
}

function bySsl(bytes: Buffer): Equation {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') }
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  return (message, signature) => verifyWith(null, message, key, signature)
}

/** The public key of a 32-byte secret seed (RFC 8032 §5.1.5). @throws RangeError if it has another length. */
export function publicKeyOf(seed: Uint8Array): PublicKey {
  return publicHalfOf(privateKeyOf(seed))
}

/** Signs once; `createSigner` is for signing often. @throws RangeError unless the seed has 32 bytes. */
export function sign({
  seed,
  message,
}: {
  readonly seed: Uint8Array
  readonly message: Uint8Array
}): Uint8Array {
  return signatureOf(message, privateKeyOf(seed))
}

/** A signer for a 32-byte secret seed; the secret stays inside OpenSSL's key object.
 *  @throws RangeError if the seed has another length. */
export function createSigner(seed: Uint8Array): Signer {
  const key = privateKeyOf(seed)
  return { publicKey: publicHalfOf(key), sign: (message) => signatureOf(message, key) }
}

/** A first look that nearly every R fails: the second and third byte of all canonical points of small order. */
function mayBeSmallOrder(signature: Uint8Array): boolean {
  const pair = ((signature[1] ?? 0) << 8) | (signature[2] ?? 0)
  return pair === 0x0000 || pair === 0xffff || pair === 0xe895 || pair === 0x176a
}

/** The bytes of a key that passes all that is asked of them. A y that is on no point is left to the library, which then
 *  verifies nothing. */
function bytesOfGoodKey(publicKey: PublicKey): Buffer | undefined {
  if (publicKey.length !== 2 * pointBytes || isSmallOrder(publicKey)) return undefined
  const bytes = Buffer.from(publicKey, 'hex')
  // The round trip refuses capitals and what is no hex: a key has one text form.
  return bytes.toString('hex') === publicKey && isCanonicalPoint(bytes) ? bytes : undefined
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  assertSeed(seed)
  const encoded = Buffer.concat([privateKeyPrefix, seed])
  const key = createPrivateKey({ key: encoded, format: 'der', type: 'pkcs8' })
  encoded.fill(0)
  return key
}

function publicHalfOf(key: KeyObject): PublicKey {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return spki.toString('hex', spki.length - pointBytes) as PublicKey
}

/** A plain Uint8Array: a Buffer's `slice` and `toString` mean something else. */
function signatureOf(message: Uint8Array, key: KeyObject): Uint8Array {
  return new Uint8Array(signWith(null, message, key))
}
