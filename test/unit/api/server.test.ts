import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { createServer } from '../../../src/api/index.ts'
import { callsTo, type OpenApiDocument } from '../../support/api-calls.ts'
import { FakeNode, FakeNodeWithMetrics } from '../../support/api-node.ts'

test('describes every route in OpenAPI 3.1, each reference resolved', async (t) => {
  const { get } = callsTo(t)
  const reply = await get('/openapi.json')
  const document = reply.json() as OpenApiDocument & { components: { schemas: Record<string, object> } }
  assert.equal(document.openapi, '3.1.0')
  const routes = [
    '/schedule',
    '/commit',
    '/propose',
    '/merkle_proof',
    '/get/pool',
    '/get/block/{height}',
    '/v1/messages',
  ]
  routes.push(
    '/v1/messages/{id}',
    '/v1/blocks',
    '/v1/blocks/{height}',
    '/v1/status',
    '/v1/validators',
    '/v1/peers',
  )
  routes.push(
    '/v1/pool',
    '/v1/commitments',
    '/v1/evidence',
    '/v1/genesis',
    '/v1/config',
    '/health/live',
    '/health/ready',
    '/',
  )
  for (const route of routes) assert.ok(Object.hasOwn(document.paths, route), route)
  for (const [, name] of reply.body.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
    assert.ok(Object.hasOwn(document.components.schemas, String(name)), name)
  }
  assert.doesNotMatch(reply.body, /"\$id"|def-\d/)
})

test('says it lives, and whether it is ready', async (t) => {
  const { node, get } = callsTo(t)
  assert.deepEqual((await get('/health/live')).json(), { status: 'live' })
  assert.deepEqual((await get('/health/ready')).json(), { status: 'ready' })
  node.ready = { isReady: false, reason: 'The node is catching up.' }
  const reply = await get('/health/ready')
  assert.deepEqual([reply.statusCode, reply.json().detail], [503, 'The node is catching up.'])
})

test('has metrics only where the node has', async (t) => {
  assert.equal((await callsTo(t).get('/metrics')).statusCode, 404)
  const reply = await callsTo(t, {}, new FakeNodeWithMetrics()).get('/metrics')
  assert.match(String(reply.headers['content-type']), /^text\/plain; version=0\.0\.4/)
  assert.match(reply.body, /^diseq_height 1$/m)
})

test('has a page for people with links that exist', async (t) => {
  const { get } = callsTo(t)
  const page = await get('/')
  assert.equal(page.headers['content-type'], 'text/html; charset=utf-8')
  const links = [...page.body.matchAll(/href="([^"]+)"/g)].map(([, link]) => String(link))
  for (const wanted of ['/v1/status', '/v1/blocks', '/openapi.json']) assert.ok(links.includes(wanted))
  for (const link of links) assert.equal((await get(link)).statusCode, 200, link)
})

test('answers unknown routes of /v1 and other methods there with a problem', async (t) => {
  const { call } = callsTo(t)
  const unknown = await call({ method: 'GET', url: '/v1/nope?x=1' })
  assert.deepEqual([unknown.statusCode, unknown.json().code], [404, 'not-found'])
  const other = await call({ method: 'DELETE', url: '/v1/messages' })
  assert.deepEqual(
    [other.statusCode, other.headers.allow, other.json().code],
    [405, 'POST', 'method-not-allowed'],
  )
  const broken = await call({ method: 'GET', url: '/v1/%zz' })
  assert.deepEqual([broken.statusCode, broken.json().code], [400, 'bad-url'])
})

test('answers its own failure with 500, without saying what failed', async (t) => {
  const { node, post } = callsTo(t)
  node.failure = new Error('disk /secret/path is gone')
  const reply = await post('/v1/messages', { data: '' })
  assert.deepEqual([reply.statusCode, reply.json().code], [500, 'internal'])
  assert.doesNotMatch(reply.body, /secret/)
  assert.doesNotMatch((await post('/schedule', '[[1],0]')).body, /secret/)
})

test('keeps /commit and /propose off the public address where they are on an internal one', async (t) => {
  const atPublic = callsTo(t, { surface: 'public' })
  const atInternal = callsTo(t, { surface: 'internal' })
  const signed = { bytes: [1], signature: Array(64).fill(1), validator: Array(32).fill(2) }
  for (const url of ['/commit', '/propose']) {
    const refused = await atPublic.post(url, signed)
    assert.deepEqual([refused.statusCode, refused.body], [404, ''])
    assert.equal((await atInternal.post(url, signed)).statusCode, 200)
  }
  assert.equal((await atInternal.get('/get/height')).statusCode, 200)
  assert.equal((await atInternal.get('/health/live')).statusCode, 200)
  assert.equal((await atInternal.get('/v1/status')).statusCode, 404)
})

test('limits the rate of an address, and never that of the machine itself', async (t) => {
  const rateLimit = { requestsPerSecond: 1, burst: 2 }
  const { call } = callsTo(t, { rateLimit, now: () => 0 })
  const ask = (remoteAddress: string, url = '/v1/status') => call({ method: 'GET', url, remoteAddress })
  assert.equal((await ask('192.0.2.1')).statusCode, 200)
  assert.equal((await ask('192.0.2.1')).statusCode, 200)
  const limited = await ask('192.0.2.1')
  assert.deepEqual(
    [limited.statusCode, limited.json().code, limited.headers['retry-after']],
    [429, 'rate-limited', '1'],
  )
  const limitedText = await ask('192.0.2.1', '/get/height')
  assert.deepEqual(
    [limitedText.statusCode, limitedText.headers['content-type']],
    [429, 'text/plain; charset=utf-8'],
  )
  assert.equal((await ask('192.0.2.2')).statusCode, 200)
  for (let times = 0; times < 5; times += 1) assert.equal((await ask('127.0.0.1')).statusCode, 200)
})

test('counts the size of bodies in the rate', async (t) => {
  const { call } = callsTo(t, { rateLimit: { requestsPerSecond: 1, burst: 3 }, now: () => 0 })
  const submit = () =>
    call({
      method: 'POST',
      url: '/v1/messages',
      headers: { 'content-type': 'application/json' },
      payload: JSON.stringify({ data: 'A'.repeat(40_000) }),
      remoteAddress: '192.0.2.1',
    })
  assert.equal((await submit()).statusCode, 202)
  assert.equal((await submit()).statusCode, 429)
})

test('believes a proxy about the address only where it is told to', async (t) => {
  for (const [trustProxy, seen] of [
    [false, '127.0.0.1'],
    [true, '192.0.2.9'],
  ] as const) {
    const { node, post } = callsTo(t, { trustProxy })
    await post('/v1/messages', { data: '' }, { 'x-forwarded-for': '192.0.2.9' })
    assert.equal(node.submissions[0]?.address, seen)
  }
})

test('lets pages of other origins call only where they are allowed', async (t) => {
  const origin = 'https://example.org'
  const preflight = { method: 'OPTIONS', url: '/v1/messages' } as const
  const headers = { origin, 'access-control-request-method': 'POST' }
  const none = callsTo(t)
  assert.equal((await none.get('/v1/status', { origin })).headers['access-control-allow-origin'], undefined)
  assert.equal((await none.call({ ...preflight, headers })).statusCode, 405)

  const all = callsTo(t, { corsOrigins: ['*'] })
  assert.equal((await all.get('/v1/status', { origin })).headers['access-control-allow-origin'], '*')
  assert.equal((await all.get('/v1/nope', { origin })).headers['access-control-allow-origin'], '*')
  const allowed = await all.call({ ...preflight, headers })
  assert.deepEqual(
    [allowed.statusCode, allowed.headers['access-control-allow-methods']],
    [204, 'GET, HEAD, POST'],
  )

  const one = callsTo(t, { corsOrigins: [origin] })
  const named = await one.get('/v1/status', { origin })
  assert.deepEqual([named.headers['access-control-allow-origin'], named.headers.vary], [origin, 'origin'])
  const other = await one.get('/v1/status', { origin: 'https://other.example' })
  assert.equal(other.headers['access-control-allow-origin'], undefined)
})

test('counts replies by route and status', async (t) => {
  const { get, server } = callsTo(t)
  await get('/v1/blocks/0')
  await get('/v1/blocks/7')
  await get('/nope')
  const counts = server.requestCounts()
  assert.deepEqual(counts['GET /v1/blocks/:height'], { 200: 1, 404: 1 })
  assert.deepEqual(counts['GET unmatched'], { 404: 1 })
})

test('ends waits with what is true when it closes, and listens to the node no more', async () => {
  const node = new FakeNode()
  const server = createServer(node)
  const submitted = node.nextSubmission()
  const reply = server.app.inject({ method: 'POST', url: '/v1/messages?wait=final', payload: { data: '' } })
  await submitted
  await server.close()
  assert.equal((await reply).statusCode, 202)
  assert.equal(node.listenerCount, 0)
})

test('answers what is no request, or came too slowly, with a problem, and closes', (t) => {
  const { server } = callsTo(t)
  for (const [code, status] of [
    ['HPE_INVALID_METHOD', 400],
    ['ERR_HTTP_REQUEST_TIMEOUT', 408],
  ] as const) {
    const socket = new PassThrough()
    server.app.server.emit('clientError', Object.assign(new Error('bad'), { code }), socket)
    const [head = '', body = ''] = String(socket.read()).split('\r\n\r\n')
    assert.match(head, new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*connection: close`))
    assert.equal(JSON.parse(body).status, status)
    assert.ok(socket.writableEnded)
  }
  assert.deepEqual(server.requestCounts()['none unmatched'], { 400: 1, 408: 1 })
})
