// Readers of the stream over real sockets: one that is slow, and one that stops reading.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ApiOptions, createServer } from '../../src/api/index.ts'
import { FakeNode } from '../support/api-node.ts'
import { until } from '../support/local-network.ts'

const blocksTotal = 60
const blockBytes = 500_000

async function aServer(context: TestContext, options: Partial<ApiOptions>) {
  const node = new FakeNode()
  const server = createServer(node, options)
  context.after(() => server.close())
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  for (let made = 0; made < blocksTotal; made++) {
    await node.submitMessages([{ data: new Uint8Array(blockBytes), timestamp: made }], { address: '' })
    node.finalise()
    await nextTurn()
  }
  const read = (onData: (chunk: Buffer) => void): Socket => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write('GET /v1/stream?from=1 HTTP/1.1\r\nhost: test\r\n\r\n')
    })
    context.after(() => socket.destroy())
    return socket.on('data', onData)
  }
  return { server, read }
}

test('a slow reader is given everything, and holds little at any time', {
  timeout: 60_000,
}, async (context) => {
  const { server, read } = await aServer(context, {})
  let text = ''
  let mostHeld = 0
  const socket = read((chunk) => {
    text += chunk.toString('latin1').replace(/A{20,}/g, '')
    mostHeld = Math.max(mostHeld, server.streamFigures().bufferedBytes)
    // Slower than the server writes: it has to wait each time.
    socket.pause()
    setImmediate(() => setImmediate(() => socket.resume()))
  })
  await until(() => text.includes(`id: ${blocksTotal}\n`))
  const heights = [...text.matchAll(/^id: (\d+)\nevent: block$/gm)].map(([, height]) => Number(height))
  assert.deepEqual(
    heights,
    Array.from({ length: blocksTotal }, (_, at) => at + 1),
  )
  // One event beyond the bound of 256 KiB, and no more.
  assert.ok(mostHeld > 0 && mostHeld < 2_000_000, String(mostHeld))
})

test('a reader that stops reading is let go, told where it was', { timeout: 60_000 }, async (context) => {
  const { server, read } = await aServer(context, { streamStallTimeoutMs: 300, streamHeartbeatMs: 100 })
  let text = ''
  const socket = read((chunk) => {
    text += chunk.toString('latin1').replace(/A{20,}/g, '')
  })
  socket.pause()
  await until(() => server.streamFigures().letGo === 1)
  assert.equal(server.streamFigures().readers, 0)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.resume()
  await closed
  assert.match(text, /event: lagging\ndata: \{"height":\d+,"finalHeight":60\}/)
  assert.equal(server.streamFigures().bufferedBytes, 0)
})
