import assert from 'node:assert/strict'
import { beforeEach, mock, test } from 'node:test'
import { heldBytesMax, holdMs, holdWindowUpdates } from '../../../src/network/muxer.ts'

/** What a muxer sends, packet by packet, as text: kind, stream and length of each frame. */
function aMuxer() {
  const packets: string[][] = []
  const muxer = {
    send: (frames: Uint8Array | { prepend(bytes: Uint8Array): void }) => {
      packets.push(framesIn(frames instanceof Uint8Array ? frames : (frames as List).bytes()))
      return true
    },
  }
  holdWindowUpdates(muxer)
  return { muxer, packets }
}

/** As the library's list of bytes. */
class List {
  readonly #parts: Uint8Array[]

  constructor(...parts: Uint8Array[]) {
    this.#parts = parts
  }

  prepend(bytes: Uint8Array): void {
    this.#parts.unshift(bytes)
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#parts)
  }
}

function frame(
  type: number,
  flags: number,
  stream: number,
  length: number,
  data = new Uint8Array(),
): Uint8Array {
  const bytes = new Uint8Array(12 + data.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, (type << 16) | flags)
  view.setUint32(4, stream)
  view.setUint32(8, length)
  bytes.set(data, 12)
  return bytes
}

const update = (stream: number, credit: number) => frame(1, 0, stream, credit)
const data = (stream: number, size: number) => frame(0, 0, stream, size, new Uint8Array(size))

function framesIn(bytes: Uint8Array): string[] {
  const frames: string[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; ) {
    const [type, flags] = [view.getUint16(at), view.getUint16(at + 2)]
    const [stream, length] = [view.getUint32(at + 4), view.getUint32(at + 8)]
    frames.push(`${['data', 'update', 'ping', 'goaway'][type]} ${flags} ${stream} ${length}`)
    at += 12 + (type === 0 ? length : 0)
  }
  return frames
}

beforeEach((test) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  'after' in test && test.after(() => mock.timers.reset())
})

test('window updates leave with the next frame, added up by stream', () => {
  const { muxer, packets } = aMuxer()
  for (const [stream, credit] of [
    [1, 100],
    [3, 7],
    [1, 20],
  ] as const)
    assert.equal(muxer.send(update(stream, credit)), true)
  assert.deepEqual(packets, [])
  muxer.send(new List(data(5, 9)))
  assert.deepEqual(packets, [['update 0 1 120', 'update 0 3 7', 'data 0 5 9']])
  muxer.send(data(5, 1))
  assert.deepEqual(packets.slice(1), [['data 0 5 1']])
})

test('window updates leave after a moment where nothing else does', () => {
  const { muxer, packets } = aMuxer()
  muxer.send(update(1, 100))
  mock.timers.tick(holdMs - 1)
  muxer.send(update(1, 1))
  assert.deepEqual(packets, [])
  mock.timers.tick(1)
  assert.deepEqual(packets, [['update 0 1 101']])
  mock.timers.tick(10 * holdMs)
  assert.equal(packets.length, 1)
})

test('window updates leave at once where a sender could run out of window', () => {
  const { muxer, packets } = aMuxer()
  muxer.send(update(1, heldBytesMax - 1))
  assert.deepEqual(packets, [])
  muxer.send(update(3, 1))
  assert.deepEqual(packets, [[`update 0 1 ${heldBytesMax - 1}`, 'update 0 3 1']])
})

test('every other frame goes as it comes, the opening and closing of streams too', () => {
  const { muxer, packets } = aMuxer()
  muxer.send(frame(1, 1, 1, 0))
  muxer.send(frame(1, 4, 1, 0))
  muxer.send(frame(2, 1, 0, 77))
  muxer.send(frame(3, 0, 0, 0))
  muxer.send(new List(data(1, 3)))
  assert.deepEqual(packets, [
    ['update 1 1 0'],
    ['update 4 1 0'],
    ['ping 1 0 77'],
    ['goaway 0 0 0'],
    ['data 0 1 3'],
  ])
})

test('a connection that closes meanwhile is no error', () => {
  const muxer = {
    send: () => {
      throw new Error('closed')
    },
  }
  holdWindowUpdates(muxer)
  const held: { send(bytes: Uint8Array): boolean } = muxer
  held.send(update(1, 5))
  mock.timers.tick(holdMs)
  assert.throws(() => held.send(data(1, 1)), /closed/)
})
