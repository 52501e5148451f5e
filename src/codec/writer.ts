// Builds the canonical bytes of a value: big-endian integers of fixed width, lengths before what varies.
import { hexToBytes } from './hex.ts'

const utf8 = new TextEncoder()

export class ByteWriter {
  #bytes: Uint8Array
  #view: DataView
  #size = 0

  /** @param capacityBytes a guess; it grows. */
  constructor(capacityBytes = 256) {
    this.#bytes = new Uint8Array(capacityBytes)
    this.#view = new DataView(this.#bytes.buffer)
  }

  u8(value: number): this {
    checkUnsigned(value, 0xff)
    const at = this.#grow(1)
    this.#view.setUint8(at, value)
    return this
  }

  u16(value: number): this {
    checkUnsigned(value, 0xffff)
    const at = this.#grow(2)
    this.#view.setUint16(at, value)
    return this
  }

  u32(value: number): this {
    checkUnsigned(value, 0xffff_ffff)
    const at = this.#grow(4)
    this.#view.setUint32(at, value)
    return this
  }

  /** A u64 that is a safe integer. */
  u64(value: number): this {
    checkUnsigned(value, Number.MAX_SAFE_INTEGER)
    const at = this.#grow(8)
    this.#view.setUint32(at, Math.floor(value / 0x1_0000_0000))
    this.#view.setUint32(at + 4, value >>> 0)
    return this
  }

  /** Bytes without a length: the reader knows it. */
  raw(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length)
    this.#bytes.set(bytes, at)
    return this
  }

  /** Hex digits as raw bytes; RangeError unless they are exactly `sizeBytes`. */
  hex(text: string, sizeBytes: number): this {
    if (text.length !== 2 * sizeBytes) throw new RangeError(`expected ${sizeBytes} bytes of hex`)
    return this.raw(hexToBytes(text))
  }

  /** u32 length and the bytes. */
  bytes(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes)
  }

  /** u8 length and UTF-8. */
  text(text: string): this {
    const bytes = utf8.encode(text)
    return this.u8(bytes.length).raw(bytes)
  }

  /** The bytes written, as an array of their own. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#size)
  }

  /** Offset of `sizeBytes` free bytes. It may replace the buffer, so it comes before any use of one. */
  #grow(sizeBytes: number): number {
    const at = this.#size
    this.#size += sizeBytes
    if (this.#size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#size, 2 * this.#bytes.length))
      larger.set(this.#bytes.subarray(0, at))
      this.#bytes = larger
      this.#view = new DataView(larger.buffer)
    }
    return at
  }
}

function checkUnsigned(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`${value} is not an integer from 0 to ${max}`)
  }
}
