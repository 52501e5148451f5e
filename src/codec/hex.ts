// Bytes <-> lower-case hex, one form: anything else is refused.

const digits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const digitValue = new Int8Array(256).fill(-1)
for (let value = 0; value < 16; value++) digitValue['0123456789abcdef'.charCodeAt(value)] = value

/** Lower-case hex of bytes. */
export function bytesToHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += digits[byte]
  return text
}

/** Bytes of an even number of lower-case hex digits; RangeError for anything else. */
export function hexToBytes(text: string): Uint8Array {
  if (text.length % 2 !== 0) throw new RangeError('hex needs an even number of digits')
  const bytes = new Uint8Array(text.length / 2)
  for (let at = 0; at < bytes.length; at++) {
    const high = digitValue[text.charCodeAt(2 * at)] ?? -1
    const low = digitValue[text.charCodeAt(2 * at + 1)] ?? -1
    if (high < 0 || low < 0) throw new RangeError('not lower-case hex')
    bytes[at] = high * 16 + low
  }
  return bytes
}

/** Whether `text` is exactly `sizeBytes` bytes in lower-case hex. */
export function isHexOf(text: unknown, sizeBytes: number): text is string {
  return typeof text === 'string' && text.length === 2 * sizeBytes && /^[0-9a-f]*$/.test(text)
}
