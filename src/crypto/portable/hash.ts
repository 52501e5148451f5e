// SHA-256, the one hash of ids, roots and signatures. Portable twin of native/hash.ts.
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import type { Hash } from '../../types/index.ts'
import { toHex } from './hex.ts'

/** SHA-256, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return nobleSha256(bytes)
}

/** SHA-256 in the text form of ids. */
export function sha256Hex(bytes: Uint8Array): Hash {
  return toHex(nobleSha256(bytes)) as Hash
}

/** SHA-256 of the parts one after another. Nothing marks where a part ends: all but one need a fixed length. */
export function hashConcat(...parts: readonly Uint8Array[]): Uint8Array {
  const hasher = nobleSha256.create()
  for (const part of parts) hasher.update(part)
  return hasher.digest()
}
