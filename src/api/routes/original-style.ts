// How the original's routes read and answer: any JSON content type, the body strict and raw, replies and refusals in
// plain text.
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify'
import { type ApiContext, readWholeBody } from '../context.ts'
import { ApiError, type ProblemCode, unsupportedMediaType } from '../errors.ts'
import { sentences } from '../schemas/routes.ts'
import type { Schema } from '../schemas/shared.ts'
import type { JsonRead } from '../strict-json.ts'

const plainText = 'text/plain; charset=utf-8'
const jsonType = /^\s*application\/(?:[^;\s/]+\+)?json\s*(?:;|$)/i
/** Characters of a list written at a time: a pool or a block is megabytes of decimal numbers. */
const chunkLength = 64 * 1024

/** Makes a scope hand the bytes of a body to its routes. The original looked at the content type before the body. */
export function takeJsonBodies(scope: FastifyInstance, context: ApiContext): void {
  scope.addHook('onRequest', async (request) => {
    if (request.method !== 'POST') return
    if (!jsonType.test(request.headers['content-type'] ?? '')) throw unsupportedMediaType()
  })
  scope.addContentTypeParser('*', (request: FastifyRequest, payload: Readable) =>
    readWholeBody(context, request, payload),
  )
}

/** A route's options. `body` and `params` describe what its strict reader takes: ajv does not see them, as it cannot
 *  tell 120 from 120.0 any more. */
export function originalRoute(about: {
  readonly summary: string
  readonly description?: string
  readonly body?: Schema
  readonly params?: Schema
  readonly response: Readonly<Record<number, Schema>>
  readonly refusals?: readonly ProblemCode[]
}): RouteShorthandOptions {
  const { refusals = [], response, ...schema } = about
  return {
    schema: { ...schema, tags: ['original'], response: { ...sentences(refusals), ...response } },
    config: { errorStyle: 'text' },
    validatorCompiler: () => () => true,
  }
}

export function sendText(reply: FastifyReply, text: string): FastifyReply {
  return reply.header('content-type', plainText).send(text)
}

export function readOrRefuse<T>(read: JsonRead<T>): T {
  if (read.ok) return read.value
  throw new ApiError(read.fault === 'syntax' ? 'invalid-json' : 'invalid-body', read.reason)
}

/** A list as the original printed it, or as JSON for those who ask for it; written piece by piece, as fast as the
 *  client reads. */
export function listReply<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  list: {
    readonly items: readonly T[]
    readonly asText: (item: T) => string
    readonly asJson: (item: T) => string
  },
): FastifyReply {
  const isJson = asksForJson(request.headers.accept)
  const pieces = isJson ? piecesOf(list.items, list.asJson, ',') : piecesOf(list.items, list.asText, ', ')
  return reply
    .header('content-type', isJson ? 'application/json; charset=utf-8' : plainText)
    .header('vary', 'accept')
    .send(Readable.from(pieces, { objectMode: false }))
}

function* piecesOf<T>(
  items: readonly T[],
  format: (item: T) => string,
  separator: string,
): Generator<string> {
  let piece = '['
  for (const [index, item] of items.entries()) {
    piece += index === 0 ? format(item) : separator + format(item)
    if (piece.length < chunkLength) continue
    yield piece
    piece = ''
  }
  yield `${piece}]`
}

/** Only where the header names JSON itself: any-type headers are what clients of the original send. */
function asksForJson(accept: string | undefined): boolean {
  if (accept === undefined) return false
  return accept
    .split(',')
    .some((part) => /^\s*application\/json\s*(?:;(?!\s*q=0(\.0*)?\s*$).*)?$/i.test(part))
}
