// Yamux whose window updates wait for company. The library sends one for each frame that it reads, alone in a packet: an
// encryption, a system call and a wake-up at the other end, as much as a vote costs (measured: half of all packets
// between idle validators' votes). Here updates of a connection are added up and leave with its next frame, or after half
// a second, or once they are worth a quarter of a stream's first window: a sender never waits for what it is owed.
import type { MultiaddrConnection, StreamMuxer } from '@libp2p/interface'
import { yamux } from '@libp2p/yamux'

type YamuxOptions = NonNullable<Parameters<typeof yamux>[0]>
/** Bytes, or the library's list of them (`uint8arraylist`). */
type Frames = Uint8Array | { prepend(bytes: Uint8Array): void }

/** A sender's window at first is 256 KiB. */
export const heldBytesMax = 64 * 1024
export const holdMs = 500

// Header of a frame (yamux specification): version u8 · type u8 · flags u16 · stream u32 · length u32.
const headerBytes = 12
const windowUpdate = 1
const streamAt = 4
const lengthAt = 8

/** What is used of the library's muxer beyond its interface. */
interface SendingMuxer extends StreamMuxer {
  send(frames: Frames): boolean
}

/** Yamux with these options, as `createLibp2p` takes it. */
export function quietYamux(options: YamuxOptions): ReturnType<typeof yamux> {
  const create = yamux(options)
  return () => {
    const factory = create()
    const createStreamMuxer = factory.createStreamMuxer.bind(factory)
    factory.createStreamMuxer = (connection: MultiaddrConnection) => {
      const muxer = createStreamMuxer(connection)
      if (isSending(muxer)) holdWindowUpdates(muxer)
      return muxer
    }
    return factory
  }
}

/** From now on the muxer's window updates wait. */
export function holdWindowUpdates(muxer: Pick<SendingMuxer, 'send'>): void {
  const send = muxer.send.bind(muxer)
  /** By stream: at most as many as the muxer has. */
  const held = new Map<number, number>()
  let heldBytes = 0
  let timer: NodeJS.Timeout | undefined

  const take = (): Buffer => {
    clearTimeout(timer)
    timer = undefined
    heldBytes = 0
    const frames = [...held].map(([stream, credit]) => encodeUpdate(stream, credit))
    held.clear()
    return Buffer.concat(frames)
  }
  const flush = (): boolean => {
    try {
      return send(take())
    } catch {
      // The connection is closing: nobody waits for a window any more.
      return false
    }
  }
  muxer.send = (frames) => {
    const update = decodeUpdate(frames)
    if (update === undefined) {
      if (held.size === 0) return send(frames)
      if (frames instanceof Uint8Array) return send(Buffer.concat([take(), frames]))
      frames.prepend(take())
      return send(frames)
    }
    held.set(update.stream, (held.get(update.stream) ?? 0) + update.credit)
    heldBytes += update.credit
    if (heldBytes >= heldBytesMax) return flush()
    timer ??= setTimeout(flush, holdMs).unref()
    return true
  }
}

function isSending(muxer: StreamMuxer): muxer is SendingMuxer {
  return 'send' in muxer && typeof muxer.send === 'function'
}

/** A window update without flags, which is nothing but credit; undefined for every other frame. */
function decodeUpdate(frames: Frames): { stream: number; credit: number } | undefined {
  if (!(frames instanceof Uint8Array) || frames.length !== headerBytes) return undefined
  const view = new DataView(frames.buffer, frames.byteOffset, headerBytes)
  if (view.getUint32(0) !== windowUpdate << 16) return undefined
  return { stream: view.getUint32(streamAt), credit: view.getUint32(lengthAt) }
}

function encodeUpdate(stream: number, credit: number): Uint8Array {
  const frame = new Uint8Array(headerBytes)
  const view = new DataView(frame.buffer)
  view.setUint32(0, windowUpdate << 16)
  view.setUint32(streamAt, stream)
  view.setUint32(lengthAt, credit)
  return frame
}
