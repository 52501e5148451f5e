// Points of edwards25519 on top of noble, for ed25519.ts and vrf.ts: strict decoding, little-endian integers.
import { mulAddUnsafe } from '@noble/curves/abstract/curve.js'
import { type EdwardsPoint, edwards } from '@noble/curves/abstract/edwards.js'
import { pow } from '@noble/curves/abstract/modular.js'
import { isCanonicalPoint, isSmallOrder, pointBytes } from './encoding.ts'
import { fromHex, toHex } from './hex.ts'

export type Point = EdwardsPoint
const fieldOrder = 2n ** 255n - 19n
const squareRootOfMinusOne = pow(2n, (fieldOrder - 1n) / 4n, fieldOrder)

/** The curve of RFC 8032 §5.1. Not taken from noble's `ed25519`, which brings signing, contexts and key exchange along:
 *  1.5 KiB of what a browser loads to check a proof. */
export const Point = edwards(
  {
    p: fieldOrder,
    n: 2n ** 252n + 27742317777372353535851937790883648493n,
    h: 8n,
    a: fieldOrder - 1n,
    d: 37095705934669439343138083508754565189542113879843219016388785533085940283555n,
    Gx: 15112221349535400772501151409588531511454012693041857206046113283949847762202n,
    Gy: 46316835694926478169428394003475163141307993866256225615783033603165251855960n,
  },
  { uvRatio: squareRootOfRatio },
)
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

/** √(u/v) in the field, either of the two, if there is one (RFC 8032 §5.1.3, steps 2 and 3). */
function squareRootOfRatio(u: bigint, v: bigint): { isValid: boolean; value: bigint } {
  const p = fieldOrder
  const v3 = (v * v * v) % p
  const candidate = (u * v3 * pow((u * v3 * v3 * v) % p, (p - 5n) / 8n, p)) % p
  const square = (v * candidate * candidate) % p
  if (square === u) return { isValid: true, value: candidate }
  if (square === (p - u) % p) return { isValid: true, value: (candidate * squareRootOfMinusOne) % p }
  return { isValid: false, value: 0n }
}
