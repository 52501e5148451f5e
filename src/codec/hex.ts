// Bytes <-> lower-case hex, one form: anything else is refused.

const digitCodes = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))
const digitValue = new Int8Array(256).fill(-1)
for (let value = 0; value < 16; value++) digitValue['0123456789abcdef'.charCodeAt(value)] = value

/** Lower-case hex of bytes. Made in one piece: a string grown digit by digit takes ten times the memory for as long
 *  as it is kept, and ids are kept by the thousand. */
export function bytesToHex(bytes: Uint8Array): string {
  const codes = new Array<number>(2 * bytes.length)
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    codes[2 * at] = digitCodes[byte >> 4] ?? 0
    codes[2 * at + 1] = digitCodes[byte & 15] ?? 0
  }
  return piecesOf(codes)
}

/** Arguments of one call are bounded by the stack. */
function piecesOf(codes: readonly number[]): string {
  const step = 8192
  if (codes.length <= step) return String.fromCharCode(...codes)
  let text = ''
  for (let at = 0; at < codes.length; at += step) text += String.fromCharCode(...codes.slice(at, at + step))
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
