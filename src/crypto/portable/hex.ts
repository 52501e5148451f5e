// Bytes <-> the one text form of ids and keys: lower-case hex. Portable twin of native/hex.ts.

const digits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Lower-case hex, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += digits[byte]
  return hex
}

/** The bytes of lower-case hex. Strict, so that a value has one text form only (protocol §2: what does not
 *  re-encode to itself is refused).
 *  @throws RangeError on an odd number of digits and on anything but `0-9 a-f`. */
export function fromHex(hex: string): Uint8Array {
  if (hex.length % 2 !== 0) throw new RangeError('hex needs two digits for each byte')
  const bytes = new Uint8Array(hex.length / 2)
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = 16 * nibbleAt(hex, 2 * index) + nibbleAt(hex, 2 * index + 1)
  }
  return bytes
}

function nibbleAt(hex: string, position: number): number {
  const code = hex.charCodeAt(position)
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  if (code >= 0x61 && code <= 0x66) return code - 0x61 + 10
  throw new RangeError(`not a lower-case hex digit at position ${position}`)
}
