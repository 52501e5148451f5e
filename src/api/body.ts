// Request bodies: read whole within a limit, or line by line. All bodies in memory together have a bound too, so that
// many large uploads at one time cannot exhaust the node.
import { isUtf8 } from 'node:buffer'
import type { Readable } from 'node:stream'
import { ApiError } from './errors.ts'

/** Counts the bytes of bodies that are being read or handled. */
export class BodyBudget {
  readonly #maxBytes: number
  #usedBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  take(sizeBytes: number): void {
    if (this.#usedBytes + sizeBytes > this.#maxBytes) {
      throw new ApiError('busy', 'The node is taking in as much as it can; try again shortly.', {
        retryAfterSeconds: 1,
      })
    }
    this.#usedBytes += sizeBytes
  }

  give(sizeBytes: number): void {
    this.#usedBytes -= sizeBytes
  }
}

/** Reads one request's body. What it holds of the budget is given back by `release`, once the request is done with. */
export class BodyReader {
  readonly #budget: BodyBudget
  #heldBytes = 0

  constructor(budget: BodyBudget) {
    this.#budget = budget
  }

  /** The whole body. `ApiError`: larger than `maxBytes`, more than the budget, or cut off. Listens for events rather
   *  than iterating: that is half the cost of a small message. */
  read(payload: Readable, announcedBytes: number, maxBytes: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (announcedBytes > maxBytes) return reject(tooLarge(maxBytes))
      const chunks: Buffer[] = []
      let received = 0
      const settle = (error?: unknown): void => {
        payload.off('data', onData).off('end', onEnd).off('error', onCut).off('close', onCut)
        if (error !== undefined) reject(error)
        else resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, received))
      }
      const onData = (chunk: Buffer): void => {
        try {
          received += chunk.length
          if (received > maxBytes) throw tooLarge(maxBytes)
          this.#hold(chunk)
          chunks.push(chunk)
        } catch (error) {
          settle(error)
        }
      }
      const onEnd = (): void => settle()
      const onCut = (): void => settle(cutOff())
      payload.on('data', onData).on('end', onEnd).on('error', onCut).on('close', onCut)
    })
  }

  /** The chunks as they come; each counts in the budget until `forget` or `release`. */
  async *chunks(payload: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
    let received = 0
    const chunks = payload[Symbol.asyncIterator]()
    for (;;) {
      const next = await chunks.next().catch(() => {
        throw cutOff()
      })
      if (next.done === true) return
      received += next.value.length
      if (received > maxBytes) throw tooLarge(maxBytes)
      this.#hold(next.value)
      yield next.value
    }
  }

  /** Bytes that are not in memory any more, though the request goes on. */
  forget(sizeBytes: number): void {
    const size = Math.min(sizeBytes, this.#heldBytes)
    this.#heldBytes -= size
    this.#budget.give(size)
  }

  release(): void {
    this.forget(this.#heldBytes)
  }

  #hold(chunk: Buffer): void {
    this.#budget.take(chunk.length)
    this.#heldBytes += chunk.length
  }
}

/** The lines of a stream, without line ends and blank ones. A line over `maxLineBytes` is an `ApiError`. */
export async function* linesOf(chunks: AsyncIterable<Buffer>, maxLineBytes: number): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  let sizeBytes = 0
  const finish = (last: Buffer): Buffer => {
    const line = parts.length === 0 ? last : Buffer.concat([...parts, last])
    parts = []
    sizeBytes = 0
    return line
  }
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      if (sizeBytes + end - start > maxLineBytes) throw lineTooLong(maxLineBytes)
      const line = finish(chunk.subarray(start, end))
      start = end + 1
      if (!isBlank(line)) yield line
    }
    sizeBytes += chunk.length - start
    if (sizeBytes > maxLineBytes) throw lineTooLong(maxLineBytes)
    if (start < chunk.length) parts.push(chunk.subarray(start))
  }
  const last = finish(Buffer.alloc(0))
  if (!isBlank(last)) yield last
}

/** The value of a JSON text. UTF-8 that is none is refused: replacing it would change what the client meant. */
export function parseJson(bytes: Buffer, name: string): unknown {
  if (!isUtf8(bytes)) throw new ApiError('invalid-json', `${name} is not JSON: it is not UTF-8.`)
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new ApiError('invalid-json', `${name} is not JSON.`)
  }
}

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09)
}

function tooLarge(maxBytes: number): ApiError {
  return new ApiError('body-too-large', `The body is larger than ${maxBytes} bytes.`)
}

function cutOff(): ApiError {
  return new ApiError('invalid-json', 'The body was cut off before its end.')
}

function lineTooLong(maxLineBytes: number): ApiError {
  return new ApiError(
    'message-too-large',
    `A line is longer than ${maxLineBytes} bytes, more than a message can be.`,
  )
}
