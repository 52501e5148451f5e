// The VRF with libsodium's group operations: a proof is checked in a fifth of the time that the portable half takes. It only
// ever says yes by itself, for proofs whose points libsodium takes, as all honest ones are; whatever else there is goes to
// the portable half, so the answers are the same. Where there is no libsodium all goes there.

import { isCanonicalPoint, isCanonicalScalar, isSmallOrder, pointBytes } from '../portable/encoding.ts'
import { groupOrder, integerOf, keyBytesOf, scalarBytesOf } from '../portable/points.ts'
import {
  challengeOf,
  createVrfProver as createPortableProver,
  expandSeed,
  nonceHash,
  outputOfCleared,
  vrfOutputOf as outputPortably,
  tryCurvePoint,
  type VrfProof,
  type VrfProver,
  verifyVrf as verifyPortably,
  vrfProofBytes,
} from '../portable/vrf.ts'
import { type Group, group } from './group.ts'
import { toHex } from './hex.ts'

export type { VrfProof, VrfProver } from '../portable/vrf.ts'
export { isValidVrfKey, vrfOutputBytes, vrfProofBytes, vrfPublicKeyOf } from '../portable/vrf.ts'

const challengeBytes = 16
const scalarAt = pointBytes + challengeBytes

/** As in ../portable/vrf.ts. */
export function verifyVrf(claim: VrfProof): Uint8Array | undefined {
  return (group && verifyWith(group, claim)) ?? verifyPortably(claim)
}

/** As in ../portable/vrf.ts. */
export function vrfOutputOf(proof: Uint8Array): Uint8Array | undefined {
  return (group && outputWith(group, proof)) ?? outputPortably(proof)
}

/** As in ../portable/vrf.ts. */
export function proveVrf(secretSeed: Uint8Array, alpha: Uint8Array): Uint8Array {
  return createVrfProver(secretSeed).prove(alpha)
}

/** As in ../portable/vrf.ts. */
export function createVrfProver(secretSeed: Uint8Array): VrfProver {
  const portable = createPortableProver(secretSeed)
  const secret = expandSeed(secretSeed)
  return {
    publicKey: portable.publicKey,
    prove: (alpha) => (group && proveWith(group, secret, alpha)) ?? portable.prove(alpha),
  }
}

function verifyWith(curve: Group, { publicKey, alpha, proof }: VrfProof): Uint8Array | undefined {
  const key = keyBytesOf(publicKey)
  if (key === undefined || !isCanonicalPoint(key) || isSmallOrder(publicKey)) return undefined
  if (proof.length !== vrfProofBytes || !isCanonicalScalar(proof, scalarAt)) return undefined
  const gamma = proof.subarray(0, pointBytes)
  if (!isCanonicalPoint(gamma)) return undefined
  const challenge = proof.subarray(pointBytes, scalarAt)
  const s = proof.subarray(scalarAt)
  const c = new Uint8Array(pointBytes)
  c.set(challenge)

  const h = encodeToCurve(curve, key, alpha)
  const [sB, cY, cGamma] = [curve.multiplyBase(s), curve.multiply(key, c), curve.multiply(gamma, c)]
  const sH = h && curve.multiply(h, s)
  if (h === undefined || !sB || !cY || !sH || !cGamma) return undefined
  const [u, v] = [curve.subtract(sB, cY), curve.subtract(sH, cGamma)]
  if (u === undefined || v === undefined) return undefined
  const expected = challengeOf([key, h, gamma, u, v])
  if (Buffer.compare(expected, challenge) !== 0) return undefined
  return outputWith(curve, proof)
}

function outputWith(curve: Group, proof: Uint8Array): Uint8Array | undefined {
  if (proof.length !== vrfProofBytes || !isCanonicalScalar(proof, scalarAt)) return undefined
  const cleared = curve.clearCofactor(proof.subarray(0, pointBytes))
  return cleared && outputOfCleared(cleared)
}

/** RFC 9381 §5.1. */
function proveWith(
  curve: Group,
  { scalar, noncePrefix, keyBytes }: ReturnType<typeof expandSeed>,
  alpha: Uint8Array,
): Uint8Array | undefined {
  const h = encodeToCurve(curve, keyBytes, alpha)
  const gamma = h && curve.multiply(h, scalarBytesOf(scalar))
  const nonce = h && curve.reduceScalar(nonceHash(noncePrefix, h))
  if (h === undefined || gamma === undefined || nonce === undefined) return undefined
  const [u, v] = [curve.multiplyBase(nonce), curve.multiply(h, nonce)]
  if (u === undefined || v === undefined) return undefined
  const challenge = challengeOf([keyBytes, h, gamma, u, v])
  const s = (integerOf(nonce) + integerOf(challenge) * scalar) % groupOrder

  const proof = new Uint8Array(vrfProofBytes)
  proof.set(gamma, 0)
  proof.set(challenge, pointBytes)
  proof.set(scalarBytesOf(s), scalarAt)
  return proof
}

/** Undefined where libsodium takes a point for none that may be one: then the portable half has to decide. */
function encodeToCurve(curve: Group, keyBytes: Uint8Array, alpha: Uint8Array): Uint8Array | undefined {
  for (let counter = 0; counter < 256; counter++) {
    const point = curve.clearCofactor(tryCurvePoint(keyBytes, alpha, counter))
    // Half of all tries are no point. A small order, cleared to the neutral point, is as good as none.
    if (point !== undefined && !isSmallOrder(toHex(point))) return point
  }
  return undefined
}
