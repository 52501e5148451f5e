// A server that closes while a request is on its way in.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { createServer } from '../../src/api/index.ts'
import { FakeNode } from '../support/api-node.ts'

test('a request that began before the server closes is answered, and as the API says', {
  timeout: 30_000,
}, async () => {
  const server = createServer(new FakeNode())
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  let reply = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    reply += text
  })
  // The server has taken the first request, and with it the start of the second.
  socket.write('GET /health/live HTTP/1.1\r\nHost: a\r\n\r\nGET /health/live HTTP/1.1\r\n')
  await once(socket, 'data')

  const closed = server.close()
  socket.write('Host: a\r\n\r\n')
  await once(socket, 'close')
  await closed

  const statuses = [...reply.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
  assert.deepEqual(statuses, ['200', '200'], reply)
})
