// What the routes of one server share, and the reading of a request's body on its behalf.
import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { type BodyBudget, BodyReader } from './body.ts'
import type { ApiOptions } from './options.ts'
import type { ApiPorts } from './ports.ts'
import type { RateLimiter } from './rate-limit.ts'
import type { StreamReaders } from './stream/readers.ts'
import type { FinalityWaiters, WaitingLine, Waits } from './waiting.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What holds this request's body; null before one is read. */
    bodyReader: BodyReader | null
  }
}

export interface ApiContext {
  readonly ports: ApiPorts
  readonly options: ApiOptions
  readonly budget: BodyBudget
  readonly waits: Waits
  /** Streams of lines that wait for room. */
  readonly roomLine: WaitingLine
  readonly finality: FinalityWaiters
  readonly readers: StreamReaders
  /** Undefined where there is no limit. */
  readonly limiter: RateLimiter | undefined
}

/** The reader of a request's body; the server releases it after the reply. */
export function bodyReaderOf(context: ApiContext, request: FastifyRequest): BodyReader {
  request.bodyReader ??= new BodyReader(context.budget)
  return request.bodyReader
}

/** The whole body, within the limit of bodies; its size counts in the address's rate. */
export async function readWholeBody(
  context: ApiContext,
  request: FastifyRequest,
  payload: Readable,
): Promise<Buffer> {
  const announcedBytes = Number(request.headers['content-length'])
  const reader = bodyReaderOf(context, request)
  const body = await reader.read(payload, announcedBytes, context.options.maxBodyBytes)
  context.limiter?.charge(request.ip, body.length, context.options.now())
  return body
}
