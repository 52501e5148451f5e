// What took the original down, and what anybody may send to a port: each gets a refusal that says why, and the node
// answers and makes blocks as before.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { test } from 'node:test'
import { isSettled } from '../support/chains.ts'
import { type NodeProcess, type Reply, TestNetwork } from '../support/processes.ts'

const keyOfNothing = Array.from({ length: 256 }, () => 0)
const oneSecondMs = 1_000

/** Each what, how it is asked, and the status that answers it. */
const faultyRequests: [string, (at: NodeProcess) => Promise<Reply>, number][] = [
  // These ended the original.
  ['the block of the highest height', (at) => at.get('/get/block/4294967295'), 200],
  ['the proof of a key that nobody has', (at) => at.post('/merkle_proof', keyOfNothing), 404],
  ['the proof of a key of no bits', (at) => at.post('/merkle_proof', []), 422],
  ['the proof of a key of other numbers', (at) => at.post('/merkle_proof', keyOfNothing.with(7, 2)), 422],
  [
    'a proposal without a signature',
    (at) => at.post('/propose', { height: 1, messages: [], timestamp: 0 }),
    422,
  ],
  [
    'a commitment of bytes that are no key',
    (at) => at.post('/commit', signed({ validator: [1, 2, 3] })),
    400,
  ],
  ['a vote by nobody', (at) => at.post('/commit', signed({})), 400],
  ['a proposal by nobody', (at) => at.post('/propose', signed({})), 400],
  // These it refused, or took where it should not.
  ['a height that is no number', (at) => at.get('/get/block/abc'), 400],
  ['a negative height', (at) => at.get('/get/block/-1'), 400],
  ['a height above u32', (at) => at.get('/get/block/4294967296'), 400],
  ['a message that is cut short', (at) => at.post('/schedule', '{"data":[1,2'), 400],
  ['no message', (at) => at.post('/schedule', ''), 400],
  ['a message without a timestamp', (at) => at.post('/schedule', { data: [1] }), 422],
  ['data that are no bytes', (at) => at.post('/schedule', { data: [256], timestamp: 0 }), 422],
  ['a message as a form', (at) => at.post('/schedule', 'a=b', { 'content-type': 'text/plain' }), 415],
  ['a body of 11 MB', (at) => announce(at, 11_000_000), 413],
  ['a path that is none', (at) => at.get('/get/everything'), 404],
  ['a method that is none', (at) => at.get('/schedule'), 405],
  ['data that are not base64', (at) => at.post('/v1/messages', { data: '*' }), 422],
  ['an unknown field', (at) => at.post('/v1/messages', { data: 'AQ==', fee: 1 }), 422],
  [
    'a forged reserved message',
    (at) => at.post('/v1/messages', { data: 'AQ==', namespace: 'diseq/evidence' }),
    422,
  ],
  ['a message that expired', (at) => at.post('/v1/messages', { data: 'AQ==', expiresAt: 0 }), 422],
]

test('a node that is sent what it must not take refuses it, and goes on', async (t) => {
  const network = await TestNetwork.running(t)
  const node = network.node(0)
  const { status } = await node.post('/v1/messages?wait=final', { data: 'Zmlyc3Q=' })
  assert.equal(status, 200)

  for (const [what, ask, expected] of faultyRequests) {
    await t.test(`${what}: ${expected}`, async () => {
      const { status, text } = await ask(node)
      assert.equal(status, expected, text.slice(0, 300))
      // Where no route is, the original answers with nothing but the status.
      if (expected < 404 || expected > 405) assert.notEqual(text, '', 'a refusal says why')
    })
  }

  await t.test('a message scheduled twice, on one node or two, is in the chain once', async () => {
    const message = { data: [1, 2, 3], timestamp: 9 }
    const asked = [node, node, network.node(1), network.node(2)]
    const replies = await Promise.all(asked.map((at) => at.post('/schedule', message)))
    for (const { status, text } of replies) assert.equal(`${status} ${text.slice(0, 4)}`, '200 [Ok]')
    await network.until('it is final', () => isSettled(network.nodes, 2))
    const { blocks } = await node.json<{ blocks: { messages: { timestamp: number }[] }[] }>(
      '/v1/blocks?limit=100',
    )
    const same = blocks.flatMap(({ messages }) => messages).filter(({ timestamp }) => timestamp === 9)
    assert.equal(same.length, 1)
    const again = await network.node(3).post('/schedule', message)
    assert.equal(`${again.status} ${again.text.slice(0, 4)}`, '200 [Ok]')
    assert.equal((await network.node(3).json<{ messageCount: number }>('/v1/pool')).messageCount, 0)
  })

  await t.test(
    'garbage on the ports for HTTP and for peers: the connection is closed or left, nothing else happens',
    async () => {
      const [, p2pPort] = /\/tcp\/(\d+)\//.exec(node.p2pAddress) ?? []
      for (const port of [Number(new URL(node.url).port), Number(p2pPort)]) {
        for (const bytes of [randomBytes(65_536), Buffer.from('GET / HTTP/9.9\r\n\r\n'), Buffer.alloc(1)]) {
          await sendBytes(port, bytes)
        }
      }
    },
  )

  await t.test('afterwards it answers, makes blocks, and had nothing to complain of itself', async () => {
    const { status } = await node.post('/v1/messages?wait=final', { data: 'bGFzdA==' })
    assert.equal(status, 200)
    await network.until('all have it', () => isSettled(network.nodes, 2))
    const errors = node.troubles.filter((line) => /"level":(50|60)/.test(line) || line.includes('Error'))
    assert.deepEqual(errors, [])
  })
})

/** Announces a body and waits for what is said to that. A client that goes on sending may have its connection closed
 *  before it reads the answer, as it goes with any server; the answer itself is what is tested. */
function announce(node: NodeProcess, sizeBytes: number): Promise<Reply> {
  const { hostname, port } = new URL(node.url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let reply = ''
    socket.on('error', reject)
    socket.on('data', (bytes) => {
      reply += bytes.toString()
      const [head = '', text] = reply.split('\r\n\r\n')
      if (text === undefined || text === '') return
      socket.destroy()
      resolve({ status: Number(head.split(' ')[1]), headers: new Headers(), text })
    })
    socket.write(
      `POST /schedule HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\ncontent-length: ${sizeBytes}\r\n\r\n[`,
    )
  })
}

/** Well-formed, and signed by nobody. */
function signed(fields: { validator?: number[] }): object {
  const bytes = [1, 2, 3]
  return { bytes, signature: Array.from({ length: 64 }, () => 1), validator: [...randomBytes(32)], ...fields }
}

/** Resolves when the other side has closed, or had a second to. */
function sendBytes(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const end = () => {
      socket.destroy()
      resolve()
    }
    socket.setTimeout(oneSecondMs, end)
    socket.on('error', end)
    socket.on('close', end)
    socket.resume()
    socket.write(bytes)
  })
}
