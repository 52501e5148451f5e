// Length-prefixed records on libp2p streams, with backpressure in both directions. A stream's own iterator reads
// ahead without a bound, and its `onDrain` resolves at once after the first time, so neither is used.
import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { encode } from 'it-length-prefixed'
import { pipe } from 'it-pipe'

type Chunk = StreamMessageEvent['data']

/** What a sender may leave in a stream's buffer before it waits. */
const unsentMaxBytes = 1024 * 1024
/** Of the buffer of a record that comes in pieces. */
const bufferMinBytes = 1024

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
  const records = pipe(readChunks(stream), (source) => recordsOf(source, maxBytes))
  const timer = timeoutMs === undefined ? undefined : abortAfter(stream, timeoutMs)
  try {
    for await (const record of records) {
      timer?.stop()
      yield record
      timer?.restart()
    }
  } finally {
    timer?.stop()
  }
}

async function* recordsOf(source: AsyncIterable<Chunk>, maxBytes: number): AsyncGenerator<Uint8Array> {
  const parser = new RecordParser(maxBytes)
  for await (const chunk of source) {
    for (const bytes of buffersOf(chunk)) yield* parser.feed(bytes)
    if (parser.isTooLong) throw new RecordTooLong(maxBytes)
  }
  if (parser.isUnfinished) throw new Error('the stream ended inside a record')
}

/** What a chunk consists of, without putting it together first. */
function buffersOf(chunk: Chunk): Iterable<Uint8Array> {
  return chunk instanceof Uint8Array ? [chunk] : chunk
}

/** Sends a record now; it waits in the stream's buffer where the far side is slow. Throws if the stream is closed. */
export function sendRecord(stream: Stream, record: Uint8Array): void {
  // Without a limit of its own the library refuses more than 4 MiB; what is too large is for the reader to say.
  stream.send(encode.single(record, { maxDataLength: Number.MAX_SAFE_INTEGER }))
}

/** The same for several records, in one piece. */
export function sendRecords(stream: Stream, records: readonly Uint8Array[]): void {
  const [first] = records
  if (first !== undefined && records.length === 1) {
    sendRecord(stream, first)
    return
  }
  stream.send(encodeRecords(records))
}

/** Length-prefixed records one after another. */
function encodeRecords(records: readonly Uint8Array[]): Uint8Array {
  const parts = records.flatMap((record) => [lengthPrefix(record.length), record])
  return new Uint8Array(Buffer.concat(parts))
}

/** A varint, seven bits a byte, the lowest first. */
function lengthPrefix(length: number): Uint8Array {
  const digits: number[] = []
  let rest = length
  while (rest >= 0x80) {
    digits.push((rest & 0x7f) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  digits.push(rest)
  return Uint8Array.from(digits)
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

/** Hands on the records of a stream as soon as their last byte is here, in the same turn of the event loop: the road of
 *  what is urgent. There is no waiting and no backpressure, so `onRecord` must be quick; what is kept is at most one
 *  unfinished record. `onEnd` is called once, with what went wrong if something did. */
export function onRecords(
  stream: Stream,
  handlers: {
    readonly maxBytes: number
    readonly onRecord: (record: Uint8Array) => void
    readonly onEnd: (failure?: Error) => void
  },
): void {
  const parser = new RecordParser(handlers.maxBytes)
  let isEnded = false
  const end = (failure?: Error) => {
    if (isEnded) return
    isEnded = true
    stream.removeEventListener('message', onMessage)
    handlers.onEnd(failure)
  }
  const onMessage = ({ data }: StreamMessageEvent) => {
    for (const bytes of buffersOf(data)) for (const record of parser.feed(bytes)) handlers.onRecord(record)
    if (parser.isTooLong) end(new RecordTooLong(handlers.maxBytes))
  }
  stream.addEventListener('message', onMessage)
  stream.addEventListener('end', () => end())
  stream.addEventListener('close', ({ error }) => end(error))
}

/** Cuts bytes into length-prefixed records (varint, as `it-length-prefixed` writes them). What came of a record is copied
 *  into one buffer: its pieces, kept, would cost a hundred times their bytes where a sender cuts them small. */
export class RecordParser {
  readonly #maxBytes: number
  #length: number | undefined
  #prefix = { value: 0, factor: 1, digits: 0 }
  /** Of the record under way; grows with what comes, never by what is announced. */
  #buffer = new Uint8Array(0)
  #filledBytes = 0
  #isTooLong = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** A record was announced that is over the limit; nothing comes out any more. */
  get isTooLong(): boolean {
    return this.#isTooLong
  }

  /** Some of a record is here, and not all of it. */
  get isUnfinished(): boolean {
    return this.#length !== undefined || this.#prefix.digits > 0
  }

  /** What the record under way takes up: at most twice what came of it, or a KiB. */
  get heldBytes(): number {
    return this.#buffer.length
  }

  /** The records that end in these bytes. One that lies in them whole is a view of them. */
  feed(bytes: Uint8Array): Uint8Array[] {
    const records: Uint8Array[] = []
    for (let at = 0; at < bytes.length && !this.#isTooLong; ) {
      if (this.#length === undefined) {
        this.#length = this.#lengthAfter(bytes[at] ?? 0)
        at += 1
        if (this.#length !== 0) continue
      }
      const part = bytes.subarray(at, at + this.#length - this.#filledBytes)
      at += part.length
      const record = this.#recordWith(part, this.#length)
      if (record === undefined) continue
      records.push(record)
      this.#length = undefined
      this.#filledBytes = 0
      this.#buffer = new Uint8Array(0)
    }
    return records
  }

  /** Takes one byte of a prefix; its value once it is complete. */
  #lengthAfter(byte: number): number | undefined {
    const value = this.#prefix.value + (byte & 0x7f) * this.#prefix.factor
    const factor = this.#prefix.factor * 0x80
    // Zero bytes could go on without an end.
    if (value > this.#maxBytes || factor > 0x80 ** 5) {
      this.#isTooLong = true
      return undefined
    }
    if ((byte & 0x80) !== 0) {
      this.#prefix = { value, factor, digits: this.#prefix.digits + 1 }
      return undefined
    }
    this.#prefix = { value: 0, factor: 1, digits: 0 }
    return value
  }

  /** The record, if it ends with this part of it. */
  #recordWith(part: Uint8Array, length: number): Uint8Array | undefined {
    if (part.length === length) return part
    const filledBytes = this.#filledBytes + part.length
    if (filledBytes > this.#buffer.length) {
      const larger = new Uint8Array(Math.min(length, Math.max(bufferMinBytes, 2 * filledBytes)))
      larger.set(this.#buffer.subarray(0, this.#filledBytes))
      this.#buffer = larger
    }
    this.#buffer.set(part, this.#filledBytes)
    this.#filledBytes = filledBytes
    return filledBytes === length ? this.#buffer : undefined
  }
}

class RecordTooLong extends Error {
  override readonly name = 'RecordTooLong'

  constructor(maxBytes: number) {
    super(`a record of more than ${maxBytes} bytes`)
  }
}

/** Whether a stream failed because of a length prefix over the limit. */
export function isRecordTooLong(error: unknown): boolean {
  return error instanceof RecordTooLong
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
