// What is answered to a wrong call, or when the node cannot answer now: one plain sentence, as a problem document
// (RFC 9457) for `/v1`, as plain text on the original's routes. Routes throw `ApiError`; the handlers here turn it,
// and what fastify itself refuses, into the reply.
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ErrorObject } from 'ajv'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { SubmitRefusal } from './ports.ts'
import { patterns } from './schemas/patterns.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `text` on the original's routes; absent: `problem`. */
    errorStyle?: 'text' | 'problem'
  }
}

/** What the patterns of parameters ask for, in words. */
const formOfPattern = new Map<string, string>([
  [patterns.hash, '64 digits of lower-case hex'],
  [patterns.number, 'a whole number, at least 0'],
  [patterns.positive, 'a whole number, at least 1'],
  [patterns.heightOrLatest, 'a whole number or "latest"'],
])

const problemType = 'application/problem+json; charset=utf-8'

const statusOfCode = {
  'bad-request': 400,
  'bad-url': 400,
  'invalid-json': 400,
  'invalid-parameter': 400,
  rejected: 400,
  'not-found': 404,
  'method-not-allowed': 405,
  'request-timeout': 408,
  'body-too-large': 413,
  'message-too-large': 413,
  'too-many-messages': 413,
  'unsupported-media-type': 415,
  expired: 422,
  'invalid-body': 422,
  'invalid-namespace': 422,
  'reserved-namespace-invalid': 422,
  'rate-limited': 429,
  internal: 500,
  busy: 503,
  'not-ready': 503,
  'pool-full': 503,
} as const

/** Callers branch on this, never on the sentence. */
export type ProblemCode = keyof typeof statusOfCode
export const problemCodes = Object.keys(statusOfCode) as readonly ProblemCode[]

export function statusOf(code: ProblemCode): number {
  return statusOfCode[code]
}

export interface ProblemDetails {
  readonly retryAfterSeconds?: number
  /** Which of the submitted messages it is about, from 0. */
  readonly index?: number
  /** Messages of a streamed request that were accepted before it. */
  readonly ids?: readonly string[]
}

export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ProblemCode
  readonly details: ProblemDetails

  /** `sentence`: for the client, one plain sentence. */
  constructor(code: ProblemCode, sentence: string, details: ProblemDetails = {}) {
    super(sentence)
    this.code = code
    this.details = details
  }

  get status(): number {
    return statusOf(this.code)
  }
}

const codeOfRefusal = {
  'pool-full': 'pool-full',
  'too-large': 'message-too-large',
  'invalid-namespace': 'invalid-namespace',
  'reserved-namespace-invalid': 'reserved-namespace-invalid',
  expired: 'expired',
} as const satisfies Record<SubmitRefusal['code'], ProblemCode>

/** The error for what the node refused. `offset`: messages of the same request that were accepted before. */
export function errorOfRefusal(refusal: SubmitRefusal, offset = 0): ApiError {
  const index = refusal.index === undefined ? {} : { index: offset + refusal.index }
  const retry = refusal.code === 'pool-full' ? { retryAfterSeconds: refusal.retryAfterSeconds ?? 1 } : {}
  return new ApiError(codeOfRefusal[refusal.code], sentenceOf(refusal.reason), { ...index, ...retry })
}

/** Reasons inside the node are parts of sentences; a first word that is a field's name stays as it is. */
function sentenceOf(reason: string): string {
  const begun = /^[a-z]+[ ,]/.test(reason) ? `${reason.charAt(0).toUpperCase()}${reason.slice(1)}` : reason
  return begun.endsWith('.') ? begun : `${begun}.`
}

/** fastify's error handler. What is no client's fault is logged, and answered without its text. */
export function replyWithError(
  error: FastifyError | ApiError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const known = error instanceof ApiError ? error : apiErrorOf(error, request)
  if (known.code === 'internal') request.log.error({ err: error }, 'a request failed')
  return sendError(known, request, reply)
}

export function sendError(error: ApiError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { retryAfterSeconds } = error.details
  // A cached header of the route's success must not outlive it here.
  reply.removeHeader('etag').code(error.status).header('cache-control', 'no-store')
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds))
  // A body that is too large is thrown away to its end, within the time that a request may take: most clients look at
  // the reply only when they have sent all of it, and closing would cut the reply off. Lines are sent and read bit by
  // bit; there the end may be far.
  const isStreamed =
    request.headers['content-type']?.toLowerCase().startsWith('application/x-ndjson') === true
  if (error.status === 413 && isStreamed) reply.header('connection', 'close')
  if (request.routeOptions.config.errorStyle === 'text') {
    return reply.header('content-type', 'text/plain; charset=utf-8').send(error.message)
  }
  return reply.header('content-type', problemType).send(problemText(error))
}

/** What is answered where there was no request to speak of: bytes that are no HTTP, or headers that took too long.
 *  @returns the status; undefined where nobody is there to read it. */
export function replyToBadConnection(error: { readonly code: string }, socket: Socket): number | undefined {
  if (error.code === 'ECONNRESET' || !socket.writable) return undefined
  const problem =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? new ApiError('request-timeout', 'The request took too long to arrive.')
      : new ApiError('bad-request', 'What was sent is not a request of HTTP/1.1.')
  const body = problemText(problem)
  const headers = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'connection: close',
    `content-type: ${problemType}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`)
  return problem.status
}

function problemText(error: ApiError): string {
  const { index, ids } = error.details
  return JSON.stringify({
    type: `urn:diseq:problem:${error.code}`,
    title: STATUS_CODES[error.status],
    status: error.status,
    detail: error.message,
    code: error.code,
    index,
    ids,
  })
}

/** What fastify refused before any of our code ran. */
function apiErrorOf(error: FastifyError, request: FastifyRequest): ApiError {
  if (error.validation !== undefined) return validationError(error, request)
  switch (error.code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return unsupportedMediaType()
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new ApiError('body-too-large', 'The body is too large.')
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new ApiError('bad-url', 'The path is not a well-formed URL, or is too long.')
  }
  return new ApiError('internal', 'The node failed to answer; its log says why.')
}

export function unsupportedMediaType(): ApiError {
  return new ApiError(
    'unsupported-media-type',
    'The request needs the header "Content-Type: application/json".',
  )
}

const partOfContext: Readonly<Record<string, string>> = {
  querystring: 'query',
  params: 'path',
}

function validationError(error: FastifyError, request: FastifyRequest): ApiError {
  const found = (error.validation ?? []) as unknown as ErrorObject[]
  const sentence = sentenceOfValidation(found, request.body)
  if (error.validationContext === 'body')
    return new ApiError('invalid-body', `The body is refused: ${sentence}.`)
  const part = partOfContext[error.validationContext ?? ''] ?? 'form'
  return new ApiError('invalid-parameter', `The request's ${part} is refused: ${sentence}.`)
}

/** What a schema has against a value, as part of a sentence. Where it offers one object or a list of them, only what
 *  concerns the kind that was sent. */
export function sentenceOfValidation(errors: readonly ErrorObject[], value: unknown): string {
  const kind = Array.isArray(value) ? 'array' : 'object'
  const isOtherKind = ({ keyword, instancePath, params }: ErrorObject): boolean =>
    keyword === 'anyOf' || (keyword === 'type' && instancePath === '' && params.type !== kind)
  const relevant = errors.filter((error) => !isOtherKind(error))
  const first = relevant.find(({ instancePath }) => instancePath !== '') ?? relevant[0] ?? errors[0]
  if (first === undefined) return 'it has another form than the API describes'
  const at = first.instancePath === '' ? 'it' : first.instancePath.slice(1).replaceAll('/', '.')
  if (first.keyword === 'additionalProperties') {
    return `${at} has the unknown field "${String(first.params.additionalProperty)}"`
  }
  if (first.keyword === 'enum') return `${at} must be one of: ${first.params.allowedValues.join(', ')}`
  const form = first.keyword === 'pattern' ? formOfPattern.get(String(first.params.pattern)) : undefined
  if (form !== undefined) return `${at} must be ${form}`
  return `${at} ${first.message ?? 'has another form than the API describes'}`
}
