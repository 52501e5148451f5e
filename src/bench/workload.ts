// The messages of a run: all different, and each tells which one it is by its first bytes, so that a reader of the
// chain finds out what came through, and when, without keeping the messages or their ids.
import { randomBytes, randomFillSync } from 'node:crypto'

/** Mark of the run (4 bytes) and number of the message (u32, big-endian). */
export const headBytes = 8

export interface Workload {
  /** For people: what the messages are. */
  readonly description: string
  /** The next message; numbers go up from 0. */
  next(): Uint8Array
  /** The number of a message of this run by its first bytes; undefined for any other message. */
  numberOf(head: Uint8Array): number | undefined
}

/** Random bytes are made this many at a time: filling a small buffer costs as much. */
const randomChunkBytes = 256 * 1024

/** Messages of one size, of random bytes: nothing in them can be compressed. @throws RangeError under 8 bytes. */
export function randomWorkload(sizeBytes: number): Workload {
  if (!Number.isInteger(sizeBytes) || sizeBytes < headBytes)
    throw new RangeError(`a message of a run has at least ${headBytes} bytes`)
  const chunk = Buffer.alloc(Math.max(sizeBytes, randomChunkBytes))
  let at = chunk.length
  return numbered(`${sizeBytes} random bytes each`, () => {
    if (at + sizeBytes > chunk.length) {
      randomFillSync(chunk)
      at = 0
    }
    at += sizeBytes
    return chunk.subarray(at - sizeBytes, at)
  })
}

/** Messages with the sizes and, but for the first bytes, the content of given ones, over and over.
 *  @throws RangeError if there are none, or one is under 8 bytes. */
export function givenWorkload(messages: readonly Uint8Array[], name: string): Workload {
  if (messages.length === 0 || messages.some(({ length }) => length < headBytes))
    throw new RangeError(`${name}: messages of at least ${headBytes} bytes are needed`)
  const meanBytes = messages.reduce((sum, { length }) => sum + length, 0) / messages.length
  let turn = 0
  return numbered(`${name}, ${Math.round(meanBytes)} bytes on average`, () => {
    const message = messages[turn % messages.length] ?? new Uint8Array(headBytes)
    turn += 1
    return message
  })
}

function numbered(description: string, contentOf: () => Uint8Array): Workload {
  const mark = randomBytes(4).readUInt32BE()
  let count = 0
  return {
    description,
    next: () => {
      const message = Buffer.from(contentOf())
      message.writeUInt32BE(mark, 0)
      message.writeUInt32BE(count, 4)
      count += 1
      return message
    },
    numberOf: (head) => {
      if (head.length < headBytes) return undefined
      const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
      return view.getUint32(0) === mark ? view.getUint32(4) : undefined
    },
  }
}
