// Replies of `/v1`: JSON, never kept by caches unless the route says so, and pages of numbers in the query.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { patterns } from '../schemas/patterns.ts'
import { problems } from '../schemas/routes.ts'

const jsonType = 'application/json; charset=utf-8'

/** `text`: JSON, already written. */
export function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.header('content-type', jsonType).send(text)
}

/** As `sendJson`, with a validator for caches: 304 without a body where the client has it. The tag is a weak one: of
 *  one block nodes may hold different quorums of votes. */
export function sendTagged(
  request: FastifyRequest,
  reply: FastifyReply,
  content: { readonly tag: string; readonly cacheControl: string; readonly text: () => string },
): FastifyReply {
  const etag = `W/"${content.tag}"`
  reply.header('etag', etag).header('cache-control', content.cacheControl)
  if (isTagKnown(request.headers['if-none-match'], etag)) return reply.code(304).send()
  return sendJson(reply, content.text())
}

/** What stays as it is for ever. */
export const immutable = 'public, max-age=31536000, immutable'
/** What must be asked for again each time, though the answer may be "the same". */
export const revalidate = 'no-cache'

/** Schema of a number in a query. Queries are text: nothing is coerced, so its form is what is checked. */
export function numberText(description: string): { type: 'string'; pattern: string; description: string } {
  return { type: 'string', pattern: patterns.number, description }
}

/** The number of a parameter that passed `numberText`, at most `max`. */
export function numberOf(
  text: string | undefined,
  bounds: { readonly fallback: number; readonly max: number },
): number {
  return Math.min(text === undefined ? bounds.fallback : Number(text), bounds.max)
}

/** Refusals of a route that takes nothing. */
export const plainProblems = problems([])

function isTagKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return (
    header === '*' || header.split(',').some((known) => known.trim().replace(/^W\//, '') === etag.slice(2))
  )
}
