// Calls an API server without a port, and holds every reply against the server's own OpenAPI document: a status, media
// type or field that is not described there fails the test that met it.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import { type ApiOptions, type ApiServer, createServer } from '../../src/api/index.ts'
import { FakeNode } from './api-node.ts'

interface Operation {
  readonly responses: Record<string, { content?: Record<string, object> }>
}
export interface OpenApiDocument {
  readonly openapi: string
  readonly paths: Record<string, Record<string, Operation>>
}

export interface Calls<N> {
  readonly node: N
  readonly server: ApiServer
  readonly call: (request: InjectOptions) => Promise<LightMyRequestResponse>
  readonly get: (url: string, headers?: Record<string, string>) => Promise<LightMyRequestResponse>
  /** With `application/json` unless the headers say otherwise; what is no text is written as JSON. */
  readonly post: (
    url: string,
    body: unknown,
    headers?: Record<string, string>,
  ) => Promise<LightMyRequestResponse>
}

/** A server for a fake node, closed when the test ends. */
export function callsTo(test: TestContext, overrides?: Partial<ApiOptions>): Calls<FakeNode>
export function callsTo<N extends FakeNode>(
  test: TestContext,
  overrides: Partial<ApiOptions>,
  node: N,
): Calls<N>
export function callsTo(
  test: TestContext,
  overrides: Partial<ApiOptions> = {},
  node = new FakeNode(),
): Calls<FakeNode> {
  const server = createServer(node, overrides)
  test.after(() => server.close())
  const call = async (request: InjectOptions): Promise<LightMyRequestResponse> => {
    const reply = await server.app.inject(request)
    const checker = await checkerOf(server)
    checker(request, reply)
    return reply
  }
  return {
    node,
    server,
    call,
    get: (url, headers = {}) => call({ method: 'GET', url, headers }),
    post: (url, body, headers = {}) =>
      call({
        method: 'POST',
        url,
        headers: { 'content-type': 'application/json', ...headers },
        payload: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
      }),
  }
}

/** What a checker looks at of a reply, however it came. */
export interface CheckedReply {
  readonly statusCode: number
  readonly headers: { readonly 'content-type'?: string | undefined }
  readonly body: string
}
export type Checker = (request: InjectOptions, reply: CheckedReply) => void
const checkers = new WeakMap<ApiServer, Promise<Checker>>()

function checkerOf(server: ApiServer): Promise<Checker> {
  const known = checkers.get(server)
  if (known !== undefined) return known
  const made = server.app.inject({ url: '/openapi.json' }).then((reply) => checkerFor(reply.json()))
  checkers.set(server, made)
  return made
}

export function checkerFor(document: OpenApiDocument): Checker {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema(document, 'document')
  return (request, reply) => {
    const { method = 'GET', url } = request
    const path = pathOf(document, String(url).split('?', 1)[0] ?? '')
    const operation = path === undefined ? undefined : document.paths[path]?.[method.toLowerCase()]
    // No route at all: nothing to describe. Replies to HEAD have no body.
    if (path === undefined || operation === undefined) return
    const about = `${method} ${url} ${reply.statusCode} ${reply.body.slice(0, 300)}`
    const described = operation.responses[reply.statusCode]
    assert.ok(described !== undefined, `the document has no such status: ${about}`)
    if (described.content === undefined) {
      assert.equal(reply.body, '', about)
      return
    }
    const mediaType = String(reply.headers['content-type']).split(';', 1)[0] ?? ''
    assert.ok(
      Object.hasOwn(described.content, mediaType),
      `not a media type of the document, ${mediaType}: ${about}`,
    )
    const steps = [
      'paths',
      path,
      method.toLowerCase(),
      'responses',
      reply.statusCode,
      'content',
      mediaType,
      'schema',
    ]
    const pointer = steps.map((step) => String(step).replaceAll('~', '~0').replaceAll('/', '~1'))
    const check = ajv.getSchema(`document#/${pointer.map(encodeURIComponent).join('/')}`)
    assert.ok(check !== undefined, `no schema for ${about}`)
    const value: unknown = mediaType.includes('json') ? JSON.parse(reply.body) : reply.body
    assert.ok(check(value), `${ajv.errorsText(check.errors)}: ${about}`)
  }
}

function pathOf(document: OpenApiDocument, path: string): string | undefined {
  if (Object.hasOwn(document.paths, path)) return path
  return Object.keys(document.paths).find((template) => {
    const [parts, templateParts] = [path.split('/'), template.split('/')]
    return (
      parts.length === templateParts.length &&
      parts.every((part, at) => (isParameter(templateParts[at]) ? part !== '' : part === templateParts[at]))
    )
  })
}

function isParameter(part: string | undefined): boolean {
  return part?.startsWith('{') === true
}
