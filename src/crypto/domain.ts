// What exactly is signed, proven and hashed for which purpose (protocol §2 and §3.5). A signature made for one kind
// of payload, or on one chain, must mean nothing anywhere else.
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { Hash, SignedKind } from '../types/index.ts'
import { assertSeed } from './portable/encoding.ts'
import { sha256Hex } from './portable/hash.ts'
import { fromHex } from './portable/hex.ts'
import { vrfOutputBytes } from './portable/vrf.ts'

/** All purposes for which a key of the protocol signs. */
export type SigningKind = SignedKind | 'batch' | 'receipt' | 'validator-record'

const hashBytes = 32
const utf8 = new TextEncoder()

/** `"diseq/1/" + kind ‖ 0x00 ‖ genesis hash ‖ bytes`: what a signature of that kind covers (protocol §2). The zero
 *  byte ends the kind, so that no kind and bytes can be read as another kind with other bytes.
 *  @throws RangeError unless the genesis hash is 32 bytes of lower-case hex. */
export function signingInput({
  kind,
  genesisHash,
  bytes,
}: {
  readonly kind: SigningKind
  readonly genesisHash: Hash
  readonly bytes: Uint8Array
}): Uint8Array {
  const prefix = prefixOf(kind, genesisHash)
  const input = new Uint8Array(prefix.length + bytes.length)
  input.set(prefix)
  input.set(bytes, prefix.length)
  return input
}

/** `genesis hash ‖ height ‖ beacon(height − 1)`, 72 bytes: the VRF's input for a height (protocol §3.5); height as
 *  a big-endian u64.
 *  @throws RangeError unless both hashes are 32 bytes of lower-case hex and the height an integer from 0 on. */
export function vrfInput({
  genesisHash,
  height,
  beacon,
}: {
  readonly genesisHash: Hash
  readonly height: number
  /** Of the block below. */
  readonly beacon: Hash
}): Uint8Array {
  if (!Number.isSafeInteger(height) || height < 0) throw new RangeError('a height is an integer from 0 on')
  const input = new Uint8Array(hashBytes + 8 + hashBytes)
  input.set(bytesOfHash(genesisHash))
  new DataView(input.buffer).setBigUint64(hashBytes, BigInt(height))
  input.set(bytesOfHash(beacon), hashBytes + 8)
  return input
}

/** beacon(h): SHA-256 of the 64-byte VRF output of block h (protocol §3.5). @throws RangeError on other lengths. */
export function beaconOf(vrfOutput: Uint8Array): Hash {
  if (vrfOutput.length !== vrfOutputBytes) throw new RangeError(`a VRF output has ${vrfOutputBytes} bytes`)
  return sha256Hex(vrfOutput)
}

/** The VRF secret of a validator that has only a voting secret (protocol §1): HKDF-SHA-256 without salt, label
 *  `diseq/1/vrf`, 32 bytes. One secret then serves both schemes without either's nonces touching the other's.
 *  @throws RangeError unless the seed has 32 bytes. */
export function vrfSeedFromVotingSeed(seed: Uint8Array): Uint8Array {
  assertSeed(seed)
  return hkdf(sha256, seed, undefined, utf8.encode('diseq/1/vrf'), 32)
}

// A process signs and verifies on one chain, some nine kinds: the prefixes of the chain used last are kept.
let prefixesGenesis: Hash | undefined
let prefixes = new Map<SigningKind, Uint8Array>()

function prefixOf(kind: SigningKind, genesisHash: Hash): Uint8Array {
  if (genesisHash !== prefixesGenesis) {
    prefixes = new Map()
    prefixesGenesis = genesisHash
  }
  const known = prefixes.get(kind)
  if (known !== undefined) return known

  const label = utf8.encode(`diseq/1/${kind}`)
  const prefix = new Uint8Array(label.length + 1 + hashBytes)
  prefix.set(label)
  prefix.set(bytesOfHash(genesisHash), label.length + 1)
  prefixes.set(kind, prefix)
  return prefix
}

function bytesOfHash(hash: Hash): Uint8Array {
  const bytes = fromHex(hash)
  if (bytes.length !== hashBytes) throw new RangeError(`a hash has ${hashBytes} bytes`)
  return bytes
}
