import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Client, ClientError, fromBase64, type OutgoingMessage, toBase64 } from '../../../src/client/index.ts'

interface Asked {
  readonly url: string
  readonly body: unknown
}
type Answer = (asked: Asked) => Response | Promise<Response>

/** A client whose nodes are a function; time passes only while it sleeps. */
function clientOf(answer: Answer, nodes = ['http://a'], busyTimeoutMs = 10_000) {
  const asked: Asked[] = []
  const slept: number[] = []
  let nowMs = 0
  const client = new Client({
    nodes,
    busyTimeoutMs,
    now: () => nowMs,
    sleep: async (ms) => {
      slept.push(ms)
      nowMs += ms
    },
    fetch: async (input, init) => {
      const body = typeof init?.body === 'string' ? JSON.parse(init.body) : undefined
      asked.push({ url: String(input), body })
      return await answer({ url: String(input), body })
    },
  })
  return { client, asked, slept }
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  const type = status < 400 ? 'application/json' : 'application/problem+json'
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': `${type}; charset=utf-8`, ...headers },
  })
}
const problem = (status: number, detail: string, headers = {}) =>
  json(status, { title: 'T', detail, code: 'c' }, headers)
const message = (text: string): OutgoingMessage => ({ data: new TextEncoder().encode(text) })

test('bytes survive base64', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.deepEqual(fromBase64(toBase64(bytes)), bytes)
      assert.equal(toBase64(bytes), Buffer.from(bytes).toString('base64'))
    }),
  )
  const long = new Uint8Array(20_000).fill(255)
  assert.deepEqual(fromBase64(toBase64(long)), long)
})

test('messages are sent in one array, and their ids come back in order', async () => {
  const { client, asked } = clientOf(() => json(202, { ids: ['x', 'y'] }))
  const states = await client.send([
    message('hello'),
    { data: Uint8Array.of(0), namespace: 'n', timestamp: 7, expiresAt: 9 },
  ])
  assert.deepEqual(states, [
    { id: 'x', state: 'pending' },
    { id: 'y', state: 'pending' },
  ])
  assert.deepEqual(asked, [
    {
      url: 'http://a/v1/messages',
      body: [{ data: 'aGVsbG8=' }, { data: 'AA==', namespace: 'n', timestamp: 7, expiresAt: 9 }],
    },
  ])
})

test('a wait that the node ends goes on with the next request, until the messages are final', async () => {
  const final = { id: 'x', state: 'final', height: 3, index: 0 }
  const answers = [json(202, { ids: ['x'] }), json(200, { messages: [final] })]
  const { client, asked } = clientOf(() => answers.shift() ?? problem(500, 'too many'))
  assert.deepEqual(await client.send([message('a')], { isFinalAwaited: true }), [final])
  assert.deepEqual(
    asked.map(({ url }) => url),
    Array(2).fill('http://a/v1/messages?wait=final'),
  )
})

test('a node that is full is tried again after the time it names', async () => {
  const answers = [
    problem(503, 'full', { 'retry-after': '2' }),
    problem(429, 'slow'),
    json(202, { ids: ['x'] }),
  ]
  const { client, slept } = clientOf(() => answers.shift() ?? problem(500, 'too many'))
  await client.send([message('a')])
  assert.deepEqual(slept, [2_000, 1_000])
})

test('a node that stays full fails with its own sentence once the time is over', async () => {
  const { client, slept } = clientOf(
    () => problem(503, 'The pool is full.', { 'retry-after': '4' }),
    ['http://a'],
    10_000,
  )
  await assert.rejects(client.send([message('a')]), {
    code: 'busy',
    message: 'http://a is busy: The pool is full.',
  })
  assert.deepEqual(slept, [4_000, 4_000])
})

test('what a node refuses is one sentence, and no other node is asked', async () => {
  const { client, asked } = clientOf(
    () => problem(422, 'The namespace is too long.'),
    ['http://a', 'http://b'],
  )
  await assert.rejects(client.send([message('a')]), {
    code: 'refused',
    status: 422,
    message: 'http://a answered: The namespace is too long.',
  })
  assert.equal(asked.length, 1)
})

test('where one node does not answer, the next is asked', async () => {
  const refused = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } })
  const answer: Answer = ({ url }) => {
    if (url.startsWith('http://a')) throw refused
    return json(202, { ids: ['x'] })
  }
  const { client, asked } = clientOf(answer, ['http://a', 'http://b/'])
  await client.send([message('a')])
  assert.deepEqual(
    asked.map(({ url }) => url),
    ['http://a/v1/messages', 'http://b/v1/messages'],
  )
  await assert.rejects(clientOf(answer).client.status(), {
    code: 'unreachable',
    message: 'http://a does not answer (connection refused)',
  })
})

test('what is no node is told from one', async () => {
  const page = () => new Response('<html>', { status: 200, headers: { 'content-type': 'text/html' } })
  await assert.rejects(clientOf(page).client.status(), { code: 'bad-reply' })
  await assert.rejects(clientOf(() => json(404, {})).client.status(), {
    code: 'bad-reply',
    message: /has no \/v1\/status/,
  })
  const broken = () => new Response('{', { headers: { 'content-type': 'application/json' } })
  await assert.rejects(clientOf(broken).client.status(), { code: 'bad-reply', message: /broken JSON/ })
  const failed = () => new Response('oops', { status: 502, headers: { 'content-type': 'text/plain' } })
  await assert.rejects(clientOf(failed).client.status(), { code: 'failed', status: 502 })
})

test('a block has its data as bytes; one that is not there is undefined', async () => {
  const block = { height: 1, messages: [{ index: 0, id: 'x', data: 'AQI=', timestamp: 0 }] }
  const { client, asked } = clientOf(({ url }) =>
    url.endsWith('/1') ? json(200, block) : problem(404, 'none'),
  )
  assert.deepEqual((await client.block(1))?.messages[0]?.data, Uint8Array.of(1, 2))
  assert.equal(await client.block('latest'), undefined)
  assert.deepEqual(
    asked.map(({ url }) => url),
    ['http://a/v1/blocks/1', 'http://a/v1/blocks/latest'],
  )
})

test('what one node does not know, another may: all are asked before the answer is no', async () => {
  const final = { id: 'x', state: 'final', height: 3, index: 0 }
  const answer: Answer = ({ url }) => {
    if (url.startsWith('http://down')) throw new TypeError('fetch failed')
    return url.startsWith('http://b') ? json(200, final) : problem(404, 'none')
  }
  const known = clientOf(answer, ['http://a', 'http://down', 'http://b'])
  assert.deepEqual(await known.client.message('x'), final)
  assert.deepEqual(await known.client.proof('x'), final)
  const unknown = clientOf(answer, ['http://a', 'http://down'])
  assert.equal(await unknown.client.message('x'), undefined)
  await assert.rejects(clientOf(answer, ['http://down']).client.message('x'), { code: 'unreachable' })
})

test('waits until a message is final, at whichever node knows it', async () => {
  const pending = { id: 'x', state: 'pending' }
  const final = { id: 'x', state: 'final', height: 3, index: 0 }
  const answers = [pending, pending, final]
  const answer: Answer = ({ url }) =>
    url.startsWith('http://a') ? problem(404, 'none') : json(200, answers.shift() ?? final)
  const { client, slept } = clientOf(answer, ['http://a', 'http://b'])
  assert.deepEqual(await client.wait('x'), final)
  assert.equal(slept.length, 2)
  const never = clientOf(() => json(200, pending))
  await assert.rejects(never.client.wait('x', { timeoutMs: 1_000 }), { code: 'timeout' })
  const nobody = clientOf(() => problem(404, 'none'), ['http://a', 'http://b'])
  await assert.rejects(nobody.client.wait('x'), { code: 'refused' })
  for (const state of ['expired', 'refused']) {
    const ended = clientOf(() => json(200, { id: 'x', state, reason: 'why' }))
    assert.deepEqual(await ended.client.wait('x'), { id: 'x', state, reason: 'why' })
  }
})

test('an answer without an end is left, and what was read of it given up', async () => {
  let pulledBytes = 0
  let isCancelled = false
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulledBytes += 1 << 20
        controller.enqueue(new Uint8Array(1 << 20).fill(0x20))
      },
      cancel: () => {
        isCancelled = true
      },
    })
  const headers = { 'content-type': 'application/json' }
  const { client } = clientOf(() => new Response(endless(), { headers }))
  await assert.rejects(client.status(), { code: 'bad-reply', message: /more than 64 MiB/ })
  assert(isCancelled && pulledBytes < 70 << 20)
})

test('an address that is none is refused when the client is made', () => {
  assert.throws(() => new Client({ nodes: ['127.0.0.1:8080'] }), /an address such as/)
})

test('groups go to the nodes in turn, and their states come back in order', async () => {
  let count = 0
  const { client, asked } = clientOf(() => json(202, { ids: [String(count++)] }), ['http://a', 'http://b'])
  const groups = (async function* () {
    for (const text of ['0', '1', '2', '3']) yield [message(text)]
  })()
  const ids: string[] = []
  for await (const states of client.sendMany(groups)) ids.push(...states.map(({ id }) => id))
  assert.deepEqual(ids, ['0', '1', '2', '3'])
  assert.deepEqual(
    asked.map(({ url }) => url.slice(0, 8)),
    ['http://a', 'http://b', 'http://a', 'http://b'],
  )
})

test('a state is told before the next group is there', async () => {
  const { client } = clientOf(() => json(200, { messages: [{ id: 'x', state: 'final' }] }))
  const second = Promise.withResolvers<void>()
  const groups = (async function* () {
    yield [message('a')]
    await second.promise
    yield [message('b')]
  })()
  let count = 0
  for await (const _states of client.sendMany(groups, { isFinalAwaited: true })) {
    count += 1
    second.resolve()
  }
  assert.equal(count, 2)
})

test('a group that fails ends the sending with its error', async () => {
  const { client } = clientOf(({ body }) =>
    JSON.stringify(body).includes('Yg==') ? problem(422, 'no') : json(202, { ids: ['x'] }),
  )
  const groups = (async function* () {
    for (const text of ['a', 'b', 'c']) yield [message(text)]
  })()
  const seen: unknown[] = []
  await assert.rejects(async () => {
    for await (const states of client.sendMany(groups)) seen.push(states)
  }, ClientError)
  assert.equal(seen.length, 1)
})
