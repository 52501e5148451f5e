// Guards the memory below us. Yamux, and what reads from it, keep what came of a stream in the pieces in which it came, some
// 250 bytes each beside what is in it (measured): a stranger that cuts its bytes one by one costs a node 250 times what
// it sends, within all limits of bytes. So pieces that small are counted as they come, and a connection that brings many
// is cut. Watches only: what it is shown goes its way as without it.
import type { MessageStream, StreamMuxerFactory } from '@libp2p/interface'

/** Of payload; smaller pieces than this are counted. Ours are votes and more; libp2p's own, while a stream is opened, are
 *  few. */
export const tinyBytes = 16
/** So many at once, which cost 5 MB, and then so many a second. */
const tinyMax = 20_000
const tinyPerSecond = 500

const headerBytes = 12
const dataType = 0

/** Reads the headers of yamux's frames (version, type, flags u16, stream u32, length u32), and counts. */
export class TinyPieces {
  readonly #now: () => number
  readonly #header = new Uint8Array(headerBytes)
  #headerFilled = 0
  #payloadLeft = 0
  #allowed = tinyMax
  #at: number

  /** @param now milliseconds of a clock that never goes back. */
  constructor(now: () => number) {
    this.#now = now
    this.#at = now()
  }

  /** Whether the connection may go on after these bytes. */
  feed(bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length; ) {
      if (this.#payloadLeft > 0) {
        const skipped = Math.min(this.#payloadLeft, bytes.length - at)
        this.#payloadLeft -= skipped
        at += skipped
        continue
      }
      const part = bytes.subarray(at, at + headerBytes - this.#headerFilled)
      this.#header.set(part, this.#headerFilled)
      this.#headerFilled += part.length
      at += part.length
      if (this.#headerFilled < headerBytes) continue
      this.#headerFilled = 0
      if (this.#header[1] !== dataType) continue
      this.#payloadLeft = new DataView(this.#header.buffer).getUint32(8)
      if (this.#payloadLeft < tinyBytes && this.#payloadLeft > 0 && !this.#take()) return false
    }
    return true
  }

  #take(): boolean {
    const now = this.#now()
    this.#allowed = Math.min(tinyMax, this.#allowed + ((now - this.#at) * tinyPerSecond) / 1000)
    this.#at = now
    this.#allowed -= 1
    return this.#allowed >= 0
  }
}

/** The same muxer, of connections that are cut for too many tiny pieces.
 *  @param onCut told of each. */
export function withoutTinyPieces(
  factory: StreamMuxerFactory,
  { now, onCut }: { readonly now: () => number; readonly onCut: () => void },
): StreamMuxerFactory {
  return {
    protocol: factory.protocol,
    createStreamMuxer: (connection) => {
      const muxer = factory.createStreamMuxer(connection)
      watch(connection, new TinyPieces(now), onCut)
      return muxer
    },
  }
}

function watch(connection: MessageStream, pieces: TinyPieces, onCut: () => void): void {
  const onMessage = ({ data }: { data: Uint8Array | Iterable<Uint8Array> }) => {
    for (const bytes of data instanceof Uint8Array ? [data] : data) {
      if (pieces.feed(bytes)) continue
      connection.removeEventListener('message', onMessage)
      onCut()
      connection.abort(new Error('what it sends comes in too many tiny pieces'))
      return
    }
  }
  connection.addEventListener('message', onMessage)
}
