import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { mock, test } from 'node:test'
import { sendingWhole, wholeBytesMax } from '../../../src/network/whole-packets.ts'
import { withTwoNodes } from './two-nodes.ts'

/** As the library's list of bytes. */
class List {
  readonly pieces: readonly Uint8Array[]

  constructor(...pieces: Uint8Array[]) {
    this.pieces = pieces
  }

  get byteLength(): number {
    return this.pieces.reduce((sum, { length }) => sum + length, 0)
  }

  subarray(): Uint8Array {
    return Buffer.concat(this.pieces)
  }
}

/** A connection, and what it was given: for each `send` the sizes of its pieces, and all bytes. */
function aConnection() {
  const sent: number[][] = []
  const bytes: Uint8Array[] = []
  const connection = sendingWhole({
    send: (data: Uint8Array | List) => {
      const pieces = data instanceof Uint8Array ? [data] : data.pieces
      sent.push(pieces.map(({ length }) => length))
      bytes.push(...pieces)
      return sent.length % 2 === 0
    },
  })
  return { connection, sent, received: () => Buffer.concat(bytes) }
}

test('a packet of several pieces is sent as one, with the same bytes, and its answer is passed on', () => {
  const { connection, sent, received } = aConnection()
  assert.equal(connection.send(new List(Uint8Array.of(0, 3), Uint8Array.of(7, 8, 9))), false)
  assert.equal(connection.send(new List(Uint8Array.of(0, 1), Uint8Array.of(5))), true)
  assert.deepEqual(sent, [[5], [3]])
  assert.deepEqual([...received()], [0, 3, 7, 8, 9, 0, 1, 5])
})

test('a single piece, and more than it pays to copy, are sent as they came', () => {
  const { connection, sent } = aConnection()
  connection.send(Uint8Array.of(1, 2))
  connection.send(new List(new Uint8Array(wholeBytesMax), new Uint8Array(1)))
  connection.send(new List(new Uint8Array(wholeBytesMax - 1), new Uint8Array(1)))
  assert.deepEqual(sent, [[2], [wholeBytesMax, 1], [wholeBytesMax]])
})

test('between two nodes no length of a packet is written by itself', async () => {
  const write = mock.method(Socket.prototype, 'write')
  await withTwoNodes(async ({ here, there }) => void (await here.services.ping.ping(there.peerId)))
  const sizes = write.mock.calls.map(({ arguments: [data] }) => data.length)
  write.mock.restore()
  assert.ok(sizes.length > 6, `${sizes.length} writes`)
  assert.ok(!sizes.includes(2), `writes of ${sizes.join(', ')} bytes`)
})
