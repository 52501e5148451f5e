// Points of edwards25519 on top of noble, for ed25519.ts and vrf.ts: strict decoding, little-endian integers.
import { mulAddUnsafe } from '@noble/curves/abstract/curve.js'
import type { EdwardsPoint } from '@noble/curves/abstract/edwards.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { isCanonicalPoint, isSmallOrder, pointBytes } from './encoding.ts'
import { fromHex, toHex } from './hex.ts'

export type Point = EdwardsPoint
export const Point = ed25519.Point
/** The order of the base point. */
export const groupOrder: bigint = Point.Fn.ORDER

/** The point that 32 bytes encode canonically, of any order; undefined if they encode none. */
export function decodePoint(bytes: Uint8Array): Point | undefined {
  if (!isCanonicalPoint(bytes)) return undefined
  try {
    return Point.fromBytes(bytes)
  } catch {
    // How noble says that no point has this y.
    return undefined
  }
}

/** The point of a public key, which is canonical and not of small order; undefined for any other bytes or text. */
export function decodePublicKey(key: string | Uint8Array): Point | undefined {
  const hex = typeof key === 'string' ? key : toHex(key)
  const bytes = typeof key === 'string' ? keyBytesOf(key) : key
  if (bytes === undefined || bytes.length !== pointBytes || isSmallOrder(hex)) return undefined
  return decodePoint(bytes)
}

/** The 32 bytes of a key in hex; undefined if the text is anything else. */
export function keyBytesOf(hex: string): Uint8Array | undefined {
  return /^[0-9a-f]{64}$/.test(hex) ? fromHex(hex) : undefined
}

/** Σ scalarᵢ · pointᵢ. Time depends on all of it: for public values only. */
export function sumOfProducts(points: Point[], scalars: bigint[]): Point {
  return mulAddUnsafe(Point, points, scalars)
}

/** The integer of little-endian bytes. */
export function integerOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.toReversed())}`)
}

/** As 32 little-endian bytes. @param scalar from 0 to below the group order. */
export function scalarBytesOf(scalar: bigint): Uint8Array {
  return Point.Fn.toBytes(scalar)
}
