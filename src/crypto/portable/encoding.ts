// The byte-level half of the one rule for Ed25519 keys, signatures and VRF proofs (protocol §2): which 32 bytes
// are a point or a scalar in canonical form. Needs no curve arithmetic; native/ uses it too, since OpenSSL
// takes any encoding of a key.

export const seedBytes = 32
export const pointBytes = 32
export const signatureBytes = 64

/** All points of order 1, 2, 4 and 8, in their canonical encodings. With such a key, signatures verify that
 *  nobody made; anything not canonical never gets as far as this list. */
const smallOrderPoints: ReadonlySet<string> = new Set([
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
])

/** The order of the base point, q of RFC 9381 and L of RFC 8032, little-endian. */
const groupOrder = [
  0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
] as const

/** @param hex a canonical encoding of a point. */
export function isSmallOrder(hex: string): boolean {
  return smallOrderPoints.has(hex)
}

/** Whether 32 bytes are the encoding RFC 8032 §5.1.2 gives a point with this y and sign, if there is one:
 *  y < p, and no sign of "negative" on x = 0. Whether y is on the curve takes a square root; the caller's part. */
export function isCanonicalPoint(bytes: Uint8Array): boolean {
  if (bytes.length !== pointBytes) return false
  const last = bytes[31] ?? 0
  const first = bytes[0] ?? 0
  const top = last & 0x7f
  const isNegative = last >= 0x80
  // Only y ≥ p − 1 = 2^255 − 20 begins with 247 ones; only y < 256 with as many zeros. All other y are fine.
  if (top === 0x7f && isFilledWith(bytes, 0xff)) return first < 0xec || (first === 0xec && !isNegative)
  if (top === 0x00 && isFilledWith(bytes, 0x00)) return first !== 1 || !isNegative
  return true
}

function isFilledWith(bytes: Uint8Array, value: number): boolean {
  for (let index = 1; index < 31; index++) if (bytes[index] !== value) return false
  return true
}

/** Whether the 32 little-endian bytes from `offset` are below the group order. */
export function isCanonicalScalar(bytes: Uint8Array, offset: number): boolean {
  for (let index = 31; index >= 0; index--) {
    const byte = bytes[offset + index] ?? 0
    const limit = groupOrder[index] ?? 0
    if (byte !== limit) return byte < limit
  }
  return false
}

/** @throws RangeError: a seed comes from our own key file, its length was checked there. */
export function assertSeed(seed: Uint8Array): void {
  if (seed.length !== seedBytes) throw new RangeError(`a secret seed has ${seedBytes} bytes`)
}
