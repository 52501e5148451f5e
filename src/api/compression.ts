// gzip for large replies to those who take it: blocks are mostly base64 and hex. Done by zlib's threads.
import { gzip } from 'node:zlib'
import type { FastifyInstance } from 'fastify'

/** Below this, one packet, it saves nothing. */
const minLength = 1_400

/** For the routes of `scope`; streams and small replies pass as they are. */
export function compressReplies(scope: FastifyInstance): void {
  scope.addHook('onSend', (request, reply, payload, done) => {
    if (typeof payload !== 'string' || payload.length < minLength) return done(null, payload)
    const vary = reply.getHeader('vary')
    reply.header('vary', vary === undefined ? 'accept-encoding' : `${String(vary)}, accept-encoding`)
    if (!takesGzip(request.headers['accept-encoding'])) return done(null, payload)
    gzip(payload, { level: 3 }, (error, compressed) => {
      if (error !== null) return done(error)
      reply.header('content-encoding', 'gzip')
      done(null, compressed)
    })
  })
}

function takesGzip(accept: string | string[] | undefined): boolean {
  const parts = String(accept ?? '').split(',')
  return parts.some((part) => /^\s*gzip\s*(?:;(?!\s*q=0(\.0*)?\s*$).*)?$/i.test(part))
}
