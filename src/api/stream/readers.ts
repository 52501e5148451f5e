// The readers of `/v1/stream`: each has a place in the chain and is given one event after another, as fast as it takes
// them. Nothing is queued for a reader but what its connection holds: what it is behind, it is given from disk later.
// So a slow reader costs a bounded buffer and misses nothing; one that takes nothing at all is told and let go.
import type { Height } from '../../types/index.ts'
import type { StreamEvent, StreamEvents } from './events.ts'

/** A reader's connection. */
export interface StreamSink {
  /** `flushed`: the bytes have left this process, or the connection is gone. */
  write(bytes: Uint8Array, flushed: () => void): void
  /** Says these last bytes and ends. */
  end(bytes: Uint8Array): void
  /** Cuts it off, whatever is still to be sent. */
  destroy(): void
}

export interface StreamBounds {
  readonly maxReaders: number
  /** A reader whose connection holds this much gets nothing more until some of it is gone; one event may exceed it. */
  readonly readerBufferBytes: number
  /** Bytes of different events that all connections hold together. */
  readonly maxBufferedBytes: number
  /** A reader that takes nothing for so long is told and let go. */
  readonly stallTimeoutMs: number
  /** How often a reader that has nothing to be told hears that the node is there. */
  readonly heartbeatMs: number
}

export interface StreamSource {
  readonly events: StreamEvents
  tipHeight(): Height
  onFinalBlock(listener: () => void): () => void
  /** Milliseconds. */
  now(): number
}

interface Reader {
  readonly sink: StreamSink
  readonly namespace: string | undefined
  /** The height it is told of next. */
  next: Height
  /** What its connection holds. */
  readonly held: Set<StreamEvent>
  heldBytes: number
  /** When something of what it was given left last, or it was given something after a pause. */
  movedAt: number
  isServed: boolean
  isClosed: boolean
  /** A quiet block moved its place since it was told last. */
  isPlaceUntold: boolean
}

/** Readers given their events in one turn of the event loop: a round over a thousand leaves room for consensus. */
const readersPerTurn = 50
/** What is left to be sent to a reader that was let go has this time. */
const endGraceMs = 5_000
/** A client comes back after about this time, spread so that those of a node that ended do not come at once. */
const retryMinMs = 500
const retrySpreadMs = 1_500

const heartbeat = Buffer.from(':\n\n')

export class StreamReaders {
  readonly #source: StreamSource
  readonly #bounds: StreamBounds
  readonly #readers = new Set<Reader>()
  /** Held back by the bound of all connections together. */
  readonly #starved = new Set<Reader>()
  /** How many connections hold each event. */
  readonly #holders = new Map<StreamEvent, number>()
  #bufferedBytes = 0
  #letGoCount = 0
  #isRoundUnderWay = false
  #isRoundWanted = false
  #unsubscribe: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(source: StreamSource, bounds: StreamBounds) {
    this.#source = source
    this.#bounds = bounds
  }

  get count(): number {
    return this.#readers.size
  }

  /** Readers that were let go because they took nothing. */
  get letGoCount(): number {
    return this.#letGoCount
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  hasRoom(): boolean {
    return this.#unsubscribe !== undefined && this.#readers.size < this.#bounds.maxReaders
  }

  start(): void {
    this.#unsubscribe ??= this.#source.onFinalBlock(() => this.#round())
    this.#timer ??= setInterval(() => this.#beat(), this.#bounds.heartbeatMs)
    this.#timer.unref()
  }

  /** Ends all streams; their clients come back, to this node or another. */
  stop(): void {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    clearInterval(this.#timer)
    this.#timer = undefined
    for (const reader of this.#readers) this.#end(reader, retryLine())
  }

  /** Tells the sink of every final block from `from` on, those yet to come included. The function returned is to be
   *  called when the connection is gone. */
  add(sink: StreamSink, { from, namespace }: { from: Height; namespace: string | undefined }): () => void {
    const movedAt = this.#source.now()
    const reader: Reader = {
      sink,
      namespace,
      next: from,
      held: new Set(),
      heldBytes: 0,
      movedAt,
      isServed: false,
      isClosed: false,
      isPlaceUntold: false,
    }
    this.#readers.add(reader)
    // The place first: a client that is cut off before the first block comes back to where it began.
    const place = from === 0 ? '' : `id: ${from - 1}\n`
    sink.write(Buffer.from(`${retryLine()}${place}: final blocks from ${from} on\n\n`), () => undefined)
    this.#serve(reader)
    return () => this.#forget(reader)
  }

  /** Gives all readers what is new, some at a turn. One round is under way at a time; another follows it if a block
   *  came meanwhile. */
  #round(): void {
    if (this.#isRoundUnderWay) {
      this.#isRoundWanted = true
      return
    }
    this.#isRoundUnderWay = true
    this.#isRoundWanted = false
    const readers = this.#readers.values()
    const turn = (): void => {
      for (let given = 0; given < readersPerTurn; given++) {
        const { value: reader, done } = readers.next()
        if (done === true) {
          this.#isRoundUnderWay = false
          if (this.#isRoundWanted) setImmediate(() => this.#round())
          return
        }
        this.#serve(reader)
      }
      setImmediate(turn)
    }
    turn()
  }

  /** Gives a reader its events until it has all of them or its connection holds enough. */
  #serve(reader: Reader): void {
    if (reader.isServed) return
    reader.isServed = true
    while (this.#wants(reader)) {
      const event = this.#source.events.known(reader.next, reader.namespace)
      if (event === undefined) {
        void this.#serveFromDisk(reader)
        return
      }
      this.#give(reader, event)
    }
    reader.isServed = false
  }

  async #serveFromDisk(reader: Reader): Promise<void> {
    const event = await this.#source.events.of(reader.next, reader.namespace).catch(() => undefined)
    reader.isServed = false
    if (reader.isClosed) return
    if (event === undefined) {
      // The block is final and cannot be read: the reader must not be given the next one in its place.
      this.#end(reader, retryLine())
      return
    }
    this.#give(reader, event)
    // Not at once: a replay of quiet blocks from memory would hold the event loop for as long as it lasts.
    setImmediate(() => this.#serve(reader))
  }

  #wants(reader: Reader): boolean {
    if (reader.isClosed || reader.next > this.#source.tipHeight()) return false
    if (reader.heldBytes >= this.#bounds.readerBufferBytes) return false
    if (this.#bufferedBytes < this.#bounds.maxBufferedBytes) return true
    this.#starved.add(reader)
    return false
  }

  #give(reader: Reader, event: StreamEvent): void {
    reader.next += 1
    if (event.isQuiet) {
      // Its place is told with the next heartbeat: a namespace with little in it should cost little.
      reader.isPlaceUntold = true
      return
    }
    if (reader.heldBytes === 0) reader.movedAt = this.#source.now()
    reader.isPlaceUntold = false
    reader.heldBytes += event.bytes.length
    reader.held.add(event)
    this.#hold(event)
    reader.sink.write(event.bytes, () => this.#onFlushed(reader, event))
  }

  #onFlushed(reader: Reader, event: StreamEvent): void {
    // Gone with its connection already.
    if (!reader.held.delete(event)) return
    reader.heldBytes -= event.bytes.length
    reader.movedAt = this.#source.now()
    this.#release(event)
    this.#serve(reader)
  }

  #hold(event: StreamEvent): void {
    const holders = this.#holders.get(event) ?? 0
    this.#holders.set(event, holders + 1)
    if (holders === 0) this.#bufferedBytes += event.bytes.length
  }

  #release(event: StreamEvent): void {
    const holders = this.#holders.get(event) ?? 0
    if (holders > 1) {
      this.#holders.set(event, holders - 1)
      return
    }
    this.#holders.delete(event)
    this.#bufferedBytes -= event.bytes.length
    const starved = [...this.#starved]
    this.#starved.clear()
    for (const reader of starved) this.#serve(reader)
  }

  #beat(): void {
    const now = this.#source.now()
    for (const reader of this.#readers) {
      if (reader.heldBytes > 0) {
        if (now - reader.movedAt >= this.#bounds.stallTimeoutMs) this.#letGo(reader)
        continue
      }
      reader.sink.write(reader.isPlaceUntold ? placeOf(reader) : heartbeat, () => undefined)
      reader.isPlaceUntold = false
    }
  }

  #letGo(reader: Reader): void {
    this.#letGoCount += 1
    const told = { height: reader.next - 1, finalHeight: this.#source.tipHeight() }
    this.#end(reader, `${retryLine()}event: lagging\ndata: ${JSON.stringify(told)}\n\n`)
  }

  #end(reader: Reader, lastWords: string): void {
    this.#close(reader)
    reader.sink.end(Buffer.from(lastWords.endsWith('\n\n') ? lastWords : `${lastWords}\n`))
    setTimeout(() => reader.sink.destroy(), endGraceMs).unref()
  }

  /** Its connection is gone, and what it held with it. */
  #forget(reader: Reader): void {
    this.#close(reader)
    for (const event of reader.held) this.#release(event)
    reader.held.clear()
  }

  #close(reader: Reader): void {
    reader.isClosed = true
    this.#readers.delete(reader)
    this.#starved.delete(reader)
  }
}

/** An event without data moves the place a client comes back to, and is not told to its program. */
function placeOf(reader: Reader): Buffer {
  return Buffer.from(`id: ${reader.next - 1}\n\n`)
}

function retryLine(): string {
  return `retry: ${retryMinMs + Math.floor(Math.random() * retrySpreadMs)}\n`
}
