// Everything that can be wrong with a request, on every route that the server describes: each is refused with a reason,
// counted under its route and status, never answered 500, and changes nothing. The routes come from the OpenAPI
// document, so that none is left out.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { InjectOptions } from 'fastify'
import { createServer } from '../../../src/api/index.ts'
import { callsTo } from '../../support/api-calls.ts'
import { FakeNode, FakeNodeWithMetrics } from '../../support/api-node.ts'

const maxBodyBytes = 20_000
const options = { maxBodyBytes, merkleProofTimeoutMs: 1 }

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
}
interface Route {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly parameters: readonly Parameter[]
}

/** Where a good request has no end. */
const endless = '/v1/stream'
const routes = await routesOf()

async function routesOf(): Promise<Route[]> {
  const server = createServer(new FakeNodeWithMetrics(), options)
  const document = (await server.app.inject({ url: '/openapi.json' })).json() as {
    paths: Record<string, Record<string, { parameters?: Parameter[] }>>
  }
  await server.close()
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { parameters = [] }]) => {
      assert.ok(method === 'get' || method === 'post', `${method} ${path}`)
      return { method: method === 'get' ? 'GET' : 'POST', path, parameters } as const
    }),
  )
}

const original = /^\/(schedule|commit|propose|merkle_proof|get\/)/
const badValues = ['-1', '1.5', 'x', '9'.repeat(30), '%00', 'x'.repeat(1_500), 'a%2Fb', '[]']
const badBodies: Record<string, Buffer> = {
  'cut short': Buffer.from('{"data":[1,2'),
  empty: Buffer.alloc(0),
  'of another type': Buffer.from('true'),
  null: Buffer.from('null'),
  'a number': Buffer.from('7'),
  'a text': Buffer.from('"text"'),
  'nested without an end': Buffer.from('['.repeat(5_000)),
  'nested deeply': Buffer.from(`${'['.repeat(5_000)}${']'.repeat(5_000)}`),
  'an object of other fields': Buffer.from('{"x":{"y":[]}}'),
  'no UTF-8': Buffer.from([0x22, 0xff, 0xfe, 0x22]),
  'control bytes': Buffer.alloc(64),
  'a prototype': Buffer.from('{"__proto__":{"data":[1],"timestamp":0}}'),
}

/** The path with its parameters filled in, `value` in place of one of them. */
function urlOf({ path, parameters }: Route, at?: { readonly name: string; readonly value: string }): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    name === at?.name ? at.value : goodValue(name),
  )
  const query = parameters.find((parameter) => parameter.in === 'query' && parameter.name === at?.name)
  return query === undefined ? filled : `${filled}?${query.name}=${at?.value}`
}

function goodValue(name: string): string {
  return name === 'height' ? '0' : name === 'namespace' ? 'n' : 'ab'.repeat(32)
}

/** The first call looks the document up, which counts too. */
async function warmCalls(t: TestContext) {
  const calls = callsTo(t, options, new FakeNodeWithMetrics())
  await calls.get('/health/live')
  return calls
}

/** Asks, and holds the answer to what every refusal must be.
 *  @returns its status. */
async function askBadly(
  { call, server }: Awaited<ReturnType<typeof warmCalls>>,
  request: InjectOptions & { readonly url: string; readonly method: string },
): Promise<number> {
  const total = () =>
    Object.values(server.requestCounts())
      .flatMap((byStatus) => Object.values(byStatus))
      .reduce((sum, count) => sum + count, 0)
  const before = total()
  const reply = await call(request)
  const what = `${request.method} ${request.url.slice(0, 100)}: ${reply.statusCode} ${reply.body.slice(0, 200)}`
  assert.ok(reply.statusCode < 500 || reply.statusCode === 503, what)
  assert.equal(total(), before + 1, `counted: ${what}`)
  if (reply.statusCode >= 400 && !original.test(request.url)) {
    const { detail, code, status } = reply.json() as { detail: string; code: string; status: number }
    assert.equal(status, reply.statusCode, what)
    assert.ok(detail.length > 10 && code.length > 0, what)
  } else if (reply.statusCode >= 400 && reply.statusCode !== 404 && reply.statusCode !== 405) {
    assert.ok(reply.body.length > 10, what)
  }
  return reply.statusCode
}

test('every route is described, those of the original too', () => {
  const paths = routes.map(({ method, path }) => `${method} ${path}`)
  for (const wanted of [
    'POST /schedule',
    'POST /commit',
    'POST /propose',
    'POST /merkle_proof',
    'POST /v1/messages',
  ])
    assert.ok(paths.includes(wanted), wanted)
  assert.ok(paths.length > 25)
})

for (const route of routes) {
  const { method, path, parameters } = route

  for (const { name } of path === endless ? [] : parameters) {
    test(`${method} ${path}: a bad ${name} is refused, or nothing is there`, async (t) => {
      const calls = await warmCalls(t)
      const statuses = []
      for (const value of badValues)
        statuses.push(await askBadly(calls, { method, url: urlOf(route, { name, value }) }))
      assert.ok(
        statuses.some((status) => status >= 400),
        `all of ${badValues} are taken`,
      )
      assert.equal(calls.node.submissions.length, 0)
    })
  }

  test(`${method} ${path}: other methods are refused`, async (t) => {
    const calls = await warmCalls(t)
    const isGet = method === 'GET'
    for (const other of ['PUT', 'DELETE', 'PATCH', isGet ? 'POST' : 'GET'] as const)
      assert.equal(await askBadly(calls, { method: other, url: urlOf(route) }), 405, other)
  })

  if (path === endless) continue
  if (method === 'GET') {
    test(`GET ${path}: a body is not looked at, however large it says it is`, async (t) => {
      const { call } = callsTo(t, options, new FakeNodeWithMetrics())
      const headers = { 'content-type': 'application/json', 'content-length': '999999999' }
      const reply = await call({ method, url: urlOf(route), headers, payload: '{' })
      assert.ok(reply.statusCode < 500, reply.body)
    })
    continue
  }

  test(`POST ${path}: every bad body is refused`, async (t) => {
    const calls = await warmCalls(t)
    const post = (payload: Buffer, type = 'application/json') =>
      askBadly(calls, { method, url: path, payload, headers: { 'content-type': type } })
    for (const [what, body] of Object.entries(badBodies)) {
      const status = await post(body)
      assert.ok(status === 400 || status === 422, `${what}: ${status}`)
    }
    assert.equal(await post(Buffer.alloc(maxBodyBytes + 1, ' ')), 413)
    assert.equal(await post(Buffer.from('{}'), 'text/plain'), 415)
    assert.equal(await post(Buffer.from('{}'), 'application/xml'), 415)
    assert.equal(await askBadly(calls, { method, url: path }), 415, 'no body and no type')
    assert.equal(calls.node.submissions.length, 0)
    assert.equal(calls.node.signed.length, 0)
  })
}

test('a path that is no URL is refused, wherever it leads', async (t) => {
  const calls = await warmCalls(t)
  for (const url of ['/v1/%F0%28', '/%zz', '/v1/blocks/%', '/v1/messages/%C3%28/proof'])
    assert.equal(await askBadly(calls, { method: 'GET', url }), 400, url)
  const tooLong = await askBadly(calls, { method: 'GET', url: `/v1/blocks/${'x'.repeat(20_000)}` })
  assert.equal(tooLong, 400)
  assert.deepEqual(calls.server.requestCounts()['GET unmatched'], { 400: 5 })
})

test('a stream from where there is none is refused', async (t) => {
  const calls = await warmCalls(t)
  for (const from of ['-1', '1.5', 'x', '9'.repeat(30), '%00', '', '1&from=2'])
    assert.equal(await askBadly(calls, { method: 'GET', url: `${endless}?from=${from}` }), 400, from)
  for (const id of ['-1', 'x', '1.5']) {
    const headers = { 'last-event-id': id }
    assert.equal(await askBadly(calls, { method: 'GET', url: endless, headers }), 400, id)
  }
  const namespace = 'x'.repeat(65)
  assert.equal(await askBadly(calls, { method: 'GET', url: `${endless}?namespace=${namespace}` }), 400)
})

test('lines of a stream are refused one by one, with the number of the first that is bad', async (t) => {
  const node = new FakeNode()
  const { post } = callsTo(t, options, node)
  const type = { 'content-type': 'application/x-ndjson' }
  for (const [what, body] of Object.entries(badBodies)) {
    if (body.length === 0) continue
    const reply = await post('/v1/messages', Buffer.concat([Buffer.from('{"data":"AQ=="}\n'), body]), type)
    assert.ok(
      [400, 413, 422].includes(reply.statusCode),
      `${what}: ${reply.statusCode} ${reply.body.slice(0, 200)}`,
    )
    assert.equal(reply.json().index, 1, what)
  }
})
