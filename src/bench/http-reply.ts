// Replies of HTTP/1.1 out of what a connection brings: with `content-length`, as DISEQ sends them, or in chunks, as
// some of what it is compared with does.

export interface HttpReply {
  readonly status: number
  /** Seconds of `retry-after`, where the reply has one. */
  readonly retryAfterSeconds: number | undefined
  readonly body: Buffer
}

const lineEnd = Buffer.from('\r\n')
const headEnd = Buffer.from('\r\n\r\n')

/** For one connection with one request under way at a time. */
export class HttpReplyReader {
  #received: Buffer = Buffer.alloc(0)

  /** The reply that these bytes complete, if they do. @throws Error for what is no reply. */
  take(chunk: Buffer): HttpReply | undefined {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    const end = this.#received.indexOf(headEnd)
    if (end < 0) return undefined
    const head = this.#received.toString('latin1', 0, end)
    const bodyStart = end + headEnd.length
    const isChunked = /\r\ntransfer-encoding: *chunked/i.test(head)
    const found = isChunked
      ? chunksFrom(this.#received, bodyStart)
      : bytesFrom(this.#received, bodyStart, Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0))
    if (found === undefined) return undefined
    this.#received = this.#received.subarray(found.end)
    const retryAfter = /\r\nretry-after: *(\d+)/i.exec(head)?.[1]
    return {
      status: Number(head.slice(9, 12)),
      retryAfterSeconds: retryAfter === undefined ? undefined : Number(retryAfter),
      body: found.body,
    }
  }
}

interface Body {
  readonly body: Buffer
  /** Where the next reply begins. */
  readonly end: number
}

function bytesFrom(bytes: Buffer, start: number, length: number): Body | undefined {
  const end = start + length
  return bytes.length < end ? undefined : { body: bytes.subarray(start, end), end }
}

function chunksFrom(bytes: Buffer, start: number): Body | undefined {
  const parts: Buffer[] = []
  for (let at = start; ; ) {
    const sizeEnd = bytes.indexOf(lineEnd, at)
    if (sizeEnd < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, sizeEnd), 16)
    if (!Number.isInteger(size)) throw new Error('a chunk of a reply has no size')
    const from = sizeEnd + lineEnd.length
    const end = from + size + lineEnd.length
    if (bytes.length < end) return undefined
    // None of what is measured sends trailers: an empty line follows the last chunk.
    if (size === 0) return { body: Buffer.concat(parts), end }
    parts.push(bytes.subarray(from, from + size))
    at = end
  }
}
