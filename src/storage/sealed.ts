// A checksum at the end of every value that nothing else vouches for. What is of the chain needs none: it can be made
// again from the blocks, whose signatures say what they are (`diseq check`). A number, a receipt or a reason of this
// node's own cannot, and a changed one would be believed.
import { crc32 } from 'node:zlib'
import { corrupted } from './errors.ts'
import type { WriteOperation } from './key-value.ts'

const checksumBytes = 4

/** The value, and after it CRC-32 over value and key (u32, big-endian): a value that came under another key is found
 *  like a changed one. Against accidents only; who can write to the disk can compute it. */
export function seal(key: Uint8Array, value: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(value.length + checksumBytes)
  sealed.set(value)
  new DataView(sealed.buffer).setUint32(value.length, checksumOf(key, value))
  return sealed
}

/** The value without its checksum, as a view. @throws StorageError `corrupted` where it does not fit. */
export function unseal(what: string, key: Uint8Array, sealed: Uint8Array): Uint8Array {
  const fault = checksumFault(key, sealed)
  if (fault !== undefined) throw corrupted(what, fault)
  return sealed.subarray(0, sealed.length - checksumBytes)
}

/** Why `unseal` would refuse; undefined where it would not. */
export function checksumFault(key: Uint8Array, sealed: Uint8Array): string | undefined {
  const end = sealed.length - checksumBytes
  if (end < 0) return 'it is cut short'
  const stored = new DataView(sealed.buffer, sealed.byteOffset, sealed.byteLength).getUint32(end)
  return stored === checksumOf(key, sealed.subarray(0, end)) ? undefined : 'its checksum is wrong'
}

/** The operation that stores a value sealed. */
export function putSealed(key: Uint8Array, value: Uint8Array): WriteOperation {
  return { type: 'put', key, value: seal(key, value) }
}

function checksumOf(key: Uint8Array, value: Uint8Array): number {
  return crc32(key, crc32(value))
}
