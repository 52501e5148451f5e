// The signature scheme and the VRF behind a replica, as a port. A node runs on the native half of the crypto room; the
// simulator stands in keyed hashes for both, which cost a hundredth and leave everything else as it is.
import {
  type SignedBytes,
  signingInput,
  type VrfProof,
  verifySignature,
  verifyVrf,
  vrfOutputOf,
} from '../crypto/native/index.ts'
import type { VerifySigned } from '../sequencing/index.ts'
import type { Genesis } from '../types/index.ts'

export interface Schemes {
  /** False, never an error, for signatures and keys of any form. */
  verifySignature(signed: SignedBytes): boolean
  /** The 64-byte output that the proof proves, or undefined where it proves none. */
  verifyVrf(proof: VrfProof): Uint8Array | undefined
  /** The output that a proof claims, for a proof that was verified before or is one's own; undefined if malformed. */
  vrfOutputOf(proof: Uint8Array): Uint8Array | undefined
}

export const nativeSchemes: Schemes = { verifySignature, verifyVrf, vrfOutputOf }

/** Whether a key signed what is claimed, on this chain. */
export function verifySignedOf(
  { hash }: Genesis,
  { verifySignature: verify }: Pick<Schemes, 'verifySignature'>,
): VerifySigned {
  return ({ kind, bytes, signature, key }) =>
    verify({ publicKey: key, message: signingInput({ kind, genesisHash: hash, bytes }), signature })
}
