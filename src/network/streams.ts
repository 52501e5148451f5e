// Length-prefixed records on libp2p streams, with backpressure in both directions. A stream's own iterator reads
// ahead without a bound, and its `onDrain` resolves at once after the first time, so neither is used.
import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { decode, encode } from 'it-length-prefixed'
import { pipe } from 'it-pipe'

type Chunk = StreamMessageEvent['data']

/** What a sender may leave in a stream's buffer before it waits. */
const unsentMaxBytes = 1024 * 1024

/** Ends a stream of ours that took too long; the far side sees a reset. */
export class StreamTimeout extends Error {
  override readonly name = 'StreamTimeout'
  readonly timeoutMs: number

  constructor(timeoutMs: number) {
    super(`nothing came for ${timeoutMs} ms`)
    this.timeoutMs = timeoutMs
  }
}

/** The records of a stream until the far side closes it. While the caller works on one, the stream is paused, and
 *  the sender stops when its window is used up.
 *  Throws what broke the stream, a record over `maxBytes`, or `StreamTimeout` where `timeoutMs` is given and passes
 *  between two records. Leaving the loop early leaves the stream to the caller. */
export async function* readRecords(
  stream: Stream,
  { maxBytes, timeoutMs }: { readonly maxBytes: number; readonly timeoutMs?: number },
): AsyncGenerator<Uint8Array> {
  const records = pipe(readChunks(stream), (source) => decode(source, { maxDataLength: maxBytes }))
  const timer = timeoutMs === undefined ? undefined : abortAfter(stream, timeoutMs)
  try {
    for await (const record of records) {
      timer?.stop()
      yield record.subarray()
      timer?.restart()
    }
  } finally {
    timer?.stop()
  }
}

/** Sends a record now; it waits in the stream's buffer where the far side is slow. Throws if the stream is closed. */
export function sendRecord(stream: Stream, record: Uint8Array): void {
  stream.send(encode.single(record))
}

/** Resolves once the far side took most of what was sent. Throws what broke the stream, or `StreamTimeout`. */
export async function untilSent(stream: Stream, timeoutMs: number): Promise<void> {
  if (stream.writeBufferLength <= unsentMaxBytes) return
  const timer = abortAfter(stream, timeoutMs)
  try {
    while (stream.writeBufferLength > unsentMaxBytes) await nextMove(stream)
  } finally {
    timer.stop()
  }
}

/** What `it-length-prefixed` throws on a prefix over the limit. */
export function isRecordTooLong(error: unknown): boolean {
  return (
    error instanceof Error && /^Invalid(DataLength|DataLengthLength|MessageLength)Error$/.test(error.name)
  )
}

/** Pulls what the far side sent, chunk by chunk. */
async function* readChunks(stream: Stream): AsyncGenerator<Chunk> {
  // Holds one chunk at most, or what was on its way when the stream was paused.
  const waiting: Chunk[] = []
  let wake = () => {}
  let isClosed = false
  let failure: Error | undefined
  const onMessage = (event: StreamMessageEvent) => {
    waiting.push(event.data)
    if (stream.readStatus === 'readable') stream.pause()
    wake()
  }
  const onEnd = () => wake()
  const onClose = (event: StreamCloseEvent) => {
    isClosed = true
    failure = event.error
    wake()
  }
  stream.addEventListener('message', onMessage)
  stream.addEventListener('end', onEnd)
  stream.addEventListener('close', onClose)
  try {
    while (true) {
      const chunk = waiting.shift()
      if (chunk !== undefined) {
        yield chunk
        continue
      }
      if (failure !== undefined) throw failure
      if (stream.readableEnded || (isClosed && stream.readBufferLength === 0)) return
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      if (stream.readStatus === 'paused') stream.resume()
      await woken
    }
  } finally {
    stream.removeEventListener('message', onMessage)
    stream.removeEventListener('end', onEnd)
    stream.removeEventListener('close', onClose)
  }
}

/** Resolves when some of what was sent left the buffer; throws when none ever will. */
function nextMove(stream: Stream): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      stream.removeEventListener('drain', onMove)
      stream.removeEventListener('idle', onMove)
      stream.removeEventListener('close', onClose)
    }
    const onMove = () => {
      settle()
      resolve()
    }
    const onClose = (event: StreamCloseEvent) => {
      settle()
      reject(event.error ?? new Error('the stream was closed'))
    }
    if (stream.writeStatus === 'closed') {
      reject(new Error('the stream was closed'))
      return
    }
    stream.addEventListener('drain', onMove)
    stream.addEventListener('idle', onMove)
    stream.addEventListener('close', onClose)
  })
}

function abortAfter(stream: Stream, timeoutMs: number): { stop(): void; restart(): void } {
  const arm = () => setTimeout(() => stream.abort(new StreamTimeout(timeoutMs)), timeoutMs)
  let timer = arm()
  return {
    stop: () => clearTimeout(timer),
    restart: () => {
      clearTimeout(timer)
      timer = arm()
    },
  }
}
