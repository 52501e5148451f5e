// Stand-ins for the signature scheme and the VRF: keyed hashes. Whoever knows the public key can make them, and nobody
// in a run does so for another's key; what they cost is a hundredth. A tenth of the seeds run the real ones.
import { hash } from 'node:crypto'
import { createSigner, createVrfProver, publicKeyOf, sha256, vrfPublicKeyOf } from '../crypto/native/index.ts'
import { nativeSchemes, type Schemes } from '../node/schemes.ts'
import type { PublicKey, VrfPublicKey } from '../types/index.ts'

/** The secret half of one identity. */
export interface Secrets {
  sign(message: Uint8Array): Uint8Array
  prove(alpha: Uint8Array): Uint8Array
}

export interface Identity {
  readonly votingKey: PublicKey
  readonly vrfKey: VrfPublicKey
  readonly nodeKey: PublicKey
  readonly real: { readonly voting: Secrets; readonly node: Secrets }
}

const identities: Identity[] = []

/** The keys of the node with this index: the same in every run, since making them is slow. */
export function identityOf(index: number): Identity {
  const known = identities[index]
  if (known !== undefined) return known
  const seedOf = (kind: string) => sha256(Buffer.from(`diseq simulation ${kind} ${index}`))
  const [votingSeed, vrfSeed, nodeSeed] = [seedOf('voting'), seedOf('vrf'), seedOf('node')]
  const [votingSigner, nodeSigner] = [createSigner(votingSeed), createSigner(nodeSeed)]
  const prover = createVrfProver(vrfSeed)
  const secrets = (sign: (message: Uint8Array) => Uint8Array): Secrets => ({
    sign,
    prove: (alpha) => prover.prove(alpha),
  })
  const identity: Identity = {
    votingKey: publicKeyOf(votingSeed),
    vrfKey: vrfPublicKeyOf(vrfSeed),
    nodeKey: publicKeyOf(nodeSeed),
    real: {
      voting: secrets((message) => votingSigner.sign(message)),
      node: secrets((message) => nodeSigner.sign(message)),
    },
  }
  identities[index] = identity
  return identity
}

export interface SimulatedSchemes extends Schemes {
  /** The secrets behind the voting or node key, for use with these schemes. */
  secretsOf(identity: Identity, key: 'voting' | 'node'): Secrets
}

export const realSchemes: SimulatedSchemes = {
  ...nativeSchemes,
  secretsOf: (identity, key) => identity.real[key],
}

const proofBytes = 80

export const standInSchemes: SimulatedSchemes = {
  verifySignature: ({ publicKey, message, signature }) =>
    Buffer.compare(signature, standInSignature(publicKey, message)) === 0,
  verifyVrf: ({ publicKey, alpha, proof }) =>
    Buffer.compare(proof, standInProof(publicKey, alpha)) === 0 ? outputOf(proof) : undefined,
  vrfOutputOf: outputOf,
  secretsOf: (identity, key) => {
    const publicKey = key === 'voting' ? identity.votingKey : identity.nodeKey
    return {
      sign: (message) => standInSignature(publicKey, message),
      prove: (alpha) => standInProof(identity.vrfKey, alpha),
    }
  },
}

function standInSignature(publicKey: PublicKey, message: Uint8Array): Uint8Array {
  return doubled(keyedHash(publicKey, message), 64)
}

function standInProof(publicKey: VrfPublicKey, alpha: Uint8Array): Uint8Array {
  return doubled(keyedHash(`vrf ${publicKey}`, alpha), proofBytes)
}

function outputOf(proof: Uint8Array): Uint8Array | undefined {
  return proof.length === proofBytes ? doubled(hash('sha256', proof, 'buffer'), 64) : undefined
}

/** What is hashed last, one after another: a key of a fixed length, and a message. */
let hashed = Buffer.alloc(1_024)

function keyedHash(key: string, message: Uint8Array): Uint8Array {
  const size = key.length + message.length
  if (size > hashed.length) hashed = Buffer.alloc(2 * size)
  hashed.write(key, 0, 'latin1')
  hashed.set(message, key.length)
  return hash('sha256', hashed.subarray(0, size), 'buffer')
}

/** A digest repeated up to a length. */
function doubled(digest: Uint8Array, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at++) bytes[at] = digest[at % digest.length] ?? 0
  return bytes
}
