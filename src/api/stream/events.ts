// What the stream says of a final block, as the bytes of one Server-Sent Event. An event is made once and shared by all
// readers: a thousand of them cost a thousand writes, and one encoding.
import type { Height } from '../../types/index.ts'
import { blockText, idOfBlock } from '../block-json.ts'
import { messageToJson } from '../message-input.ts'
import type { BlockView } from '../ports.ts'

/** The bytes of one event. Compared by identity: readers of one block hold the same object. */
export interface StreamEvent {
  readonly bytes: Buffer
  /** Nothing of the namespace is in the block: the event moves the reader's place and tells its program nothing. */
  readonly isQuiet: boolean
}

/** Blocks and events kept for readers that are close together. */
const cachedBytesMax = 32 * 1024 * 1024
const cachedEventsMax = 4_096
/** Blocks read from disk at one time: those who replay the chain must not hold up those who make it. */
const readsAtOnceMax = 4

/** Events by height and namespace, made when first asked for. */
export class StreamEvents {
  readonly #readBlock: (height: Height) => Promise<BlockView | undefined>
  readonly #events = new Map<string, StreamEvent>()
  readonly #blocks = new Map<Height, Promise<BlockView | undefined>>()
  readonly #waiting: (() => void)[] = []
  #reading = 0
  #cachedBytes = 0

  constructor(readBlock: (height: Height) => Promise<BlockView | undefined>) {
    this.#readBlock = readBlock
  }

  /** The event, if it was made lately. */
  known(height: Height, namespace: string | undefined): StreamEvent | undefined {
    return this.#events.get(keyOf(height, namespace))
  }

  /** Undefined where there is no such final block. */
  async of(height: Height, namespace: string | undefined): Promise<StreamEvent | undefined> {
    const known = this.known(height, namespace)
    if (known !== undefined) return known
    const view = await this.#block(height)
    if (view === undefined) return undefined
    // Another reader may have made it meanwhile.
    return (
      this.known(height, namespace) ?? this.#keep(keyOf(height, namespace), eventOf(view, height, namespace))
    )
  }

  #keep(key: string, event: StreamEvent): StreamEvent {
    this.#events.set(key, event)
    this.#cachedBytes += event.bytes.length
    for (const [oldest, { bytes }] of this.#events) {
      if (this.#cachedBytes <= cachedBytesMax && this.#events.size <= cachedEventsMax) break
      this.#events.delete(oldest)
      this.#cachedBytes -= bytes.length
    }
    return event
  }

  /** Readers that come together share the read. */
  #block(height: Height): Promise<BlockView | undefined> {
    const underWay = this.#blocks.get(height)
    if (underWay !== undefined) return underWay
    const read = this.#read(height).finally(() => this.#blocks.delete(height))
    this.#blocks.set(height, read)
    return read
  }

  async #read(height: Height): Promise<BlockView | undefined> {
    if (this.#reading >= readsAtOnceMax) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#reading += 1
    try {
      return await this.#readBlock(height)
    } finally {
      // The place goes on to the next in line, or is free again.
      const next = this.#waiting.shift()
      if (next === undefined) this.#reading -= 1
      else next()
    }
  }
}

function keyOf(height: Height, namespace: string | undefined): string {
  return namespace === undefined ? String(height) : `${height} ${namespace}`
}

function eventOf(view: BlockView, height: Height, namespace: string | undefined): StreamEvent {
  if (namespace === undefined) return { bytes: encode(height, 'block', blockText(view)), isQuiet: false }
  const text = namespaceText(view, height, namespace)
  if (text === undefined) return { bytes: Buffer.from(`id: ${height}\n\n`), isQuiet: true }
  return { bytes: encode(height, 'block', text), isQuiet: false }
}

/** JSON has no line ends of its own, so that one `data` line holds it. */
function encode(height: Height, event: string, json: string): Buffer {
  return Buffer.from(`id: ${height}\nevent: ${event}\ndata: ${json}\n\n`)
}

/** The messages of a namespace in a block, with their places in it; undefined where there are none. */
function namespaceText(view: BlockView, height: Height, namespace: string): string | undefined {
  if (view.kind === 'genesis') return undefined
  const messages = view.messages.flatMap(({ id, message }, index) =>
    message.namespace === namespace ? [{ index, id, ...messageToJson(message) }] : [],
  )
  if (messages.length === 0) return undefined
  const { header } = view.block
  return JSON.stringify({ height, id: idOfBlock(view), time: header.time, namespace, messages })
}
