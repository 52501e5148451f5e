// Cross-origin calls from browsers, where the operator allows them: reading, and submitting messages.
import type { FastifyInstance } from 'fastify'

const allowedHeaders = 'accept, content-type, if-none-match, last-event-id'
const exposedHeaders = 'allow, etag, retry-after'
const preflightSeconds = '86400'

/** Adds nothing where no origin is allowed. No cookies or credentials: there are none. */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return
  const allowsAll = origins.includes('*')
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers
    if (!allowsAll) reply.header('vary', 'origin')
    if (origin === undefined || !(allowsAll || origins.includes(origin))) return
    reply
      .header('access-control-allow-origin', allowsAll ? '*' : origin)
      .header('access-control-expose-headers', exposedHeaders)
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return
    return reply
      .header('access-control-allow-methods', 'GET, HEAD, POST')
      .header('access-control-allow-headers', allowedHeaders)
      .header('access-control-max-age', preflightSeconds)
      .code(204)
      .send()
  })
}
