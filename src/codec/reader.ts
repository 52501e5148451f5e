// Reads canonical bytes. Every length is checked against what is left before anything is made of it, so a
// short frame that claims a large list costs nothing.
import { bytesToHex } from './hex.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A value, or why the bytes are none: bytes of strangers never throw past a decoder. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string }

/** Thrown and caught inside this room. */
export class DecodeError extends Error {}

/** Runs `read` over all of `bytes`; what it leaves unread makes them invalid. */
export function decodeAll<T>(bytes: Uint8Array, read: (reader: ByteReader) => T): Decoded<T> {
  try {
    const reader = new ByteReader(bytes)
    const value = read(reader)
    reader.end()
    return { ok: true, value }
  } catch (error) {
    if (error instanceof DecodeError) return { ok: false, reason: error.message }
    throw error
  }
}

/** Inside a reader: the value of a nested decoder, or this one fails with its reason. */
export function unwrap<T>(decoded: Decoded<T>): T {
  if (!decoded.ok) throw new DecodeError(decoded.reason)
  return decoded.value
}

export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Offset of the next byte. */
  get offset(): number {
    return this.#at
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2))
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4))
  }

  u64(): number {
    const at = this.#take(8)
    const high = this.#view.getUint32(at)
    if (high > 0x1f_ffff) throw new DecodeError('integer of 2^53 or more')
    return high * 0x1_0000_0000 + this.#view.getUint32(at + 4)
  }

  /** A view of the next bytes, not a copy. */
  raw(sizeBytes: number): Uint8Array {
    const at = this.#take(sizeBytes)
    return this.#bytes.subarray(at, at + sizeBytes)
  }

  /** The bytes already read from `start` on. */
  since(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#at)
  }

  /** The next bytes in hex, as the branded id or key that stands there. */
  hex<T extends string>(sizeBytes: number): T {
    return bytesToHex(this.raw(sizeBytes)) as T
  }

  /** u32 length and the bytes. */
  bytes(maxBytes: number): Uint8Array {
    const size = this.u32()
    if (size > maxBytes) throw new DecodeError(`${size} bytes where at most ${maxBytes} are allowed`)
    return this.raw(size)
  }

  /** u8 length and UTF-8. */
  text(minBytes: number, maxBytes: number): string {
    const size = this.u8()
    if (size < minBytes || size > maxBytes)
      throw new DecodeError(`text of ${size} bytes, not ${minBytes} to ${maxBytes}`)
    try {
      return utf8.decode(this.raw(size))
    } catch (error) {
      throw error instanceof DecodeError ? error : new DecodeError('text is not UTF-8')
    }
  }

  /** `count` items, each of at least `itemBytes`. */
  list<T>(limits: { count: number; maxCount: number; itemBytes: number }, read: (index: number) => T): T[] {
    const { count, maxCount, itemBytes } = limits
    if (count > maxCount) throw new DecodeError(`${count} items where at most ${maxCount} are allowed`)
    if (count * itemBytes > this.#bytes.length - this.#at) throw new DecodeError('cut short')
    const items: T[] = []
    for (let index = 0; index < count; index++) items.push(read(index))
    return items
  }

  end(): void {
    if (this.#at !== this.#bytes.length)
      throw new DecodeError(`${this.#bytes.length - this.#at} bytes too many`)
  }

  #take(sizeBytes: number): number {
    const at = this.#at
    if (sizeBytes > this.#bytes.length - at) throw new DecodeError('cut short')
    this.#at += sizeBytes
    return at
  }
}
