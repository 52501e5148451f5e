import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type HttpReply, HttpReplyReader } from '../../../src/bench/http-reply.ts'

const withLength = 'HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nContent-Length: 5\r\n\r\nlater'
const inChunks =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab\r\nc\r\nA;name=x\r\n0123456789\r\n0\r\n\r\n'

/** What a reader makes of a text that comes in pieces of so many bytes. */
function repliesTo(text: string, pieceBytes: number): HttpReply[] {
  const reader = new HttpReplyReader()
  const replies: HttpReply[] = []
  for (let at = 0; at < text.length; at += pieceBytes) {
    const reply = reader.take(Buffer.from(text.slice(at, at + pieceBytes)))
    if (reply !== undefined) replies.push(reply)
  }
  return replies
}

for (const pieceBytes of [1, 7, 1_000]) {
  test(`reads a reply with its length, in pieces of ${pieceBytes} bytes`, () => {
    const [reply, ...others] = repliesTo(withLength, pieceBytes)
    assert.deepEqual(
      [reply?.status, reply?.retryAfterSeconds, reply?.body.toString(), others.length],
      [503, 2, 'later', 0],
    )
  })

  test(`reads a reply in chunks, line ends in them included, in pieces of ${pieceBytes} bytes`, () => {
    const [reply, ...others] = repliesTo(inChunks, pieceBytes)
    assert.deepEqual([reply?.status, reply?.body.toString(), others.length], [200, 'ab\r\nc0123456789', 0])
  })
}

test('reads one reply after another, whichever way each is sent', () => {
  const replies = repliesTo(`${inChunks}${withLength}${inChunks}`, 1)
  assert.deepEqual(
    replies.map(({ status }) => status),
    [200, 503, 200],
  )
})

test('a chunk without a size is an error, not a wait', () => {
  assert.throws(() => repliesTo('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n', 1_000))
})
