// Builds the canonical bytes of a value: big-endian integers of fixed width, lengths before what varies.
import { hexToBytes } from './hex.ts'

const utf8 = new TextEncoder()

interface Scratch {
  readonly bytes: Uint8Array
  readonly view: DataView
}

/** What is written grows in memory that finished writers leave to the next: to get it anew takes longer than to write
 *  most values. Writers are nested a few deep at most; larger ones are not worth keeping. */
const scratches: Scratch[] = []
const scratchesMax = 8
const scratchBytes = 4096
const keptBytesMax = 64 * 1024

export class ByteWriter {
  #scratch: Scratch
  #size = 0

  /** @param capacityBytes a guess; it grows. Of large values the exact size spares copies. */
  constructor(capacityBytes = 256) {
    const scratch = scratches.pop()
    this.#scratch =
      scratch !== undefined && scratch.bytes.length >= capacityBytes ? scratch : newScratch(capacityBytes)
  }

  u8(value: number): this {
    checkUnsigned(value, 0xff)
    const at = this.#grow(1)
    this.#scratch.view.setUint8(at, value)
    return this
  }

  u16(value: number): this {
    checkUnsigned(value, 0xffff)
    const at = this.#grow(2)
    this.#scratch.view.setUint16(at, value)
    return this
  }

  u32(value: number): this {
    checkUnsigned(value, 0xffff_ffff)
    const at = this.#grow(4)
    this.#scratch.view.setUint32(at, value)
    return this
  }

  /** A u64 that is a safe integer. */
  u64(value: number): this {
    checkUnsigned(value, Number.MAX_SAFE_INTEGER)
    const at = this.#grow(8)
    this.#scratch.view.setUint32(at, Math.floor(value / 0x1_0000_0000))
    this.#scratch.view.setUint32(at + 4, value >>> 0)
    return this
  }

  /** Bytes without a length: the reader knows it. */
  raw(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length)
    this.#scratch.bytes.set(bytes, at)
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

  /** The bytes written, as an array of their own. Nothing can be written or finished after that. */
  finish(): Uint8Array {
    const scratch = this.#scratch
    if (scratch === finished) throw alreadyFinished()
    this.#scratch = finished
    const isKept = scratch.bytes.length <= keptBytesMax
    if (!isKept && scratch.bytes.length === this.#size) return scratch.bytes
    if (isKept && scratches.length < scratchesMax) scratches.push(scratch)
    return scratch.bytes.slice(0, this.#size)
  }

  /** Offset of `sizeBytes` free bytes. It may replace the buffer, so it comes before any use of one. */
  #grow(sizeBytes: number): number {
    const at = this.#size
    this.#size += sizeBytes
    if (this.#size > this.#scratch.bytes.length) {
      const { bytes } = this.#scratch
      if (this.#scratch === finished) throw alreadyFinished()
      const larger = newScratch(Math.max(this.#size, 2 * bytes.length))
      larger.bytes.set(bytes.subarray(0, at))
      this.#scratch = larger
    }
    return at
  }
}

function newScratch(capacityBytes: number): Scratch {
  const bytes = new Uint8Array(Math.max(capacityBytes, scratchBytes))
  return { bytes, view: new DataView(bytes.buffer) }
}

function alreadyFinished(): RangeError {
  return new RangeError('the bytes of this writer were taken already')
}

/** In place of the memory of a writer that is finished. */
const finished: Scratch = { bytes: new Uint8Array(0), view: new DataView(new ArrayBuffer(0)) }

function checkUnsigned(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`${value} is not an integer from 0 to ${max}`)
  }
}
