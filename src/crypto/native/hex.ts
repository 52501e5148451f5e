// Bytes <-> lower-case hex by Node's Buffer. Same answers as portable/hex.ts.

const lowerCaseHex = /^(?:[0-9a-f]{2})*$/

/** Lower-case hex, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** The bytes of lower-case hex, in memory of their own (not in Node's shared pool, which a kept id would pin).
 *  @throws RangeError on an odd number of digits and on anything but `0-9 a-f`. */
export function fromHex(hex: string): Uint8Array {
  // Buffer stops at the first bad digit without a word, and takes capitals.
  if (!lowerCaseHex.test(hex)) throw new RangeError('expected lower-case hex, two digits for each byte')
  return new Uint8Array(Buffer.from(hex, 'hex'))
}
