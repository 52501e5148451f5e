// Paths and methods that no route has: 404 and 405 as the original gave them (empty, `allow` in its form), with a
// problem document where the path is one of `/v1`. Also what a browser asks before it calls from another origin.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ApiError, sendError } from './errors.ts'

interface KnownPath {
  readonly pattern: RegExp
  readonly isOriginal: boolean
  readonly methods: Set<string>
}

/** What paths there are; filled as routes are added. */
export class KnownPaths {
  readonly #paths = new Map<string, KnownPath>()

  /** Notes every route added to `app` from now on. */
  watch(app: FastifyInstance): void {
    app.addHook('onRoute', ({ url, method, config }) => {
      const pattern = new RegExp(`^${url.replaceAll('.', '\\.').replaceAll(/:[A-Za-z]+/g, '[^/]+')}$`)
      const known = this.#paths.get(url) ?? {
        pattern,
        isOriginal: config?.errorStyle === 'text',
        methods: new Set(),
      }
      for (const each of [method].flat()) known.methods.add(each)
      this.#paths.set(url, known)
    })
  }

  find(path: string): KnownPath | undefined {
    for (const known of this.#paths.values()) if (known.pattern.test(path)) return known
    return undefined
  }

  /** `GET,HEAD` or `POST`, as the original writes it. */
  allowed(known: KnownPath): string {
    return [...known.methods].sort().join(',')
  }
}

export function replyNotFound(paths: KnownPaths, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.split('?', 1)[0] ?? ''
  const known = paths.find(path)
  if (known === undefined || known.methods.has(request.method)) {
    if (!isOurs(path)) return reply.code(404).send()
    return sendError(
      new ApiError('not-found', 'There is no such route; /openapi.json lists them.'),
      request,
      reply,
    )
  }
  const allowed = paths.allowed(known)
  reply.header('allow', allowed)
  if (known.isOriginal) return reply.code(405).send()
  return sendError(new ApiError('method-not-allowed', `This route takes ${allowed} only.`), request, reply)
}

function isOurs(path: string): boolean {
  return path.startsWith('/v1/') || path.startsWith('/health/')
}
