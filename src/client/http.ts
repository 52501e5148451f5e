// One request to one of several nodes: goes on to the next node where one does not answer, waits where one is full,
// and turns every failure into one sentence. Sending a request again is harmless: equal messages have equal ids.
import { ClientError } from './errors.ts'

export interface HttpOptions {
  /** Base addresses without a slash at the end, such as `http://127.0.0.1:8080`. */
  readonly nodes: readonly string[]
  readonly fetch: typeof globalThis.fetch
  /** For one answer, its body included. */
  readonly timeoutMs: number
  /** How long a node that is full or limits our rate is tried again. */
  readonly busyTimeoutMs: number
  /** Resolves after that time. */
  readonly sleep: (ms: number) => Promise<void>
  readonly now: () => number
}

export interface ClientOptions extends Partial<Omit<HttpOptions, 'nodes'>> {
  /** Addresses of one or more nodes; reads go to the first that answers, messages to each in turn. */
  readonly nodes: readonly string[]
}

/** The options with all that was left out. @throws TypeError for an address that is none. */
export function httpOptionsOf({ nodes, ...rest }: ClientOptions): HttpOptions {
  return {
    nodes: nodes.map(baseAddress),
    fetch: (input, init) => globalThis.fetch(input, init),
    timeoutMs: 30_000,
    busyTimeoutMs: 60_000,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    now: () => performance.now(),
    ...rest,
  }
}

export interface Request {
  readonly path: string
  /** Sent as JSON by POST; without it, GET. */
  readonly body?: unknown
  /** Which node is asked first. */
  readonly startAt?: number
  /** Where one node answers 404, the others are asked too: they may know more. */
  readonly isElsewhereAsked?: boolean
  readonly timeoutMs?: number
}

export interface Reply {
  readonly status: number
  readonly body: unknown
  readonly node: string
}

/** Of one reply: the largest block in JSON, with room. A node that sends more means harm. */
export const maxReplyBytes = 64 * 1024 * 1024
/** What a busy node is given where it names no time. */
const retryAfterDefaultMs = 1_000
const retryAfterMaxMs = 30_000

/** The reply of the first node that gives one: 2xx, or 404, which callers may expect.
 *  @throws ClientError */
export async function requestJson(options: HttpOptions, request: Request): Promise<Reply> {
  const { nodes } = options
  let notFound: Reply | undefined
  let lastError: unknown
  for (let turn = 0; turn < nodes.length; turn++) {
    const node = nodes[((request.startAt ?? 0) + turn) % nodes.length]
    if (node === undefined) break
    try {
      const reply = await requestUntilNotBusy(options, node, request)
      if (reply.status !== 404 || request.isElsewhereAsked !== true) return reply
      notFound = reply
    } catch (error) {
      // Another node may do what this one can't; what one refuses, all refuse.
      if (!(error instanceof ClientError) || error.code === 'refused') throw error
      lastError = error
    }
  }
  if (notFound !== undefined) return notFound
  throw lastError ?? new TypeError('a client needs the address of at least one node')
}

async function requestUntilNotBusy(options: HttpOptions, node: string, request: Request): Promise<Reply> {
  const deadline = options.now() + options.busyTimeoutMs
  for (;;) {
    const { response, body } = await exchange(options, node, request)
    const { status } = response
    if (response.ok || status === 404) return { status, body, node }
    const sentence = problemSentence(body) ?? `${response.status} ${response.statusText}`.trim()
    if (status !== 503 && status !== 429) {
      const code = status >= 500 ? 'failed' : 'refused'
      throw new ClientError(code, `${node} answered: ${sentence}`, { node, status })
    }
    const waitMs = retryAfterMs(response.headers.get('retry-after'))
    if (options.now() + waitMs > deadline) {
      throw new ClientError('busy', `${node} is busy: ${sentence}`, { node, status })
    }
    await options.sleep(waitMs)
  }
}

async function exchange(
  options: HttpOptions,
  node: string,
  { path, body, timeoutMs = options.timeoutMs }: Request,
): Promise<{ response: Response; body: unknown }> {
  const post = {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  }
  const get = { headers: { accept: 'application/json' } }
  try {
    const response = await options.fetch(`${node}${path}`, {
      ...(body === undefined ? get : post),
      signal: AbortSignal.timeout(timeoutMs),
    })
    const text = await textOf(response, node)
    return { response, body: parseBody(text, response, node) }
  } catch (error) {
    if (error instanceof ClientError) throw error
    if (error instanceof Error && error.name === 'TimeoutError') {
      throw new ClientError('timeout', `${node} gave no answer within ${timeoutMs / 1000} s`, {
        node,
        cause: error,
      })
    }
    throw new ClientError('unreachable', `${node} does not answer (${reasonOf(error)})`, {
      node,
      cause: error,
    })
  }
}

async function textOf(response: Response, node: string): Promise<string> {
  if (response.body === null) return ''
  const decoder = new TextDecoder()
  let text = ''
  let sizeBytes = 0
  for await (const chunk of chunksOf(response.body)) {
    sizeBytes += chunk.length
    if (sizeBytes > maxReplyBytes) throw tooLarge(node)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** What a node sends without an end. */
export function tooLarge(node: string): ClientError {
  return new ClientError('bad-reply', `${node} sent more than ${maxReplyBytes >> 20} MiB in one piece`, {
    node,
  })
}

/** The chunks of a body, which is given up where the caller stops. By hand: not all browsers iterate streams. */
export async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    // Nothing is to be done about a body that fails while it is given up.
    reader.cancel().catch(() => undefined)
  }
}

/** JSON where it is JSON; errors of proxies in between are often not, and their status says enough. */
function parseBody(text: string, response: Response, node: string): unknown {
  const isJson = /^application\/([a-z.-]+\+)?json\b/.test(response.headers.get('content-type') ?? '')
  if (!isJson) {
    if (!response.ok) return text
    throw new ClientError(
      'bad-reply',
      `${node} does not answer as a node does: no JSON from ${response.url}`,
      {
        node,
        status: response.status,
      },
    )
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ClientError('bad-reply', `${node} sent broken JSON`, {
      node,
      status: response.status,
      cause: error,
    })
  }
}

/** The sentence of a problem document (RFC 9457). */
function problemSentence(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const { detail, title } = body as { detail?: unknown; title?: unknown }
  if (typeof detail === 'string' && detail !== '') return detail
  return typeof title === 'string' && title !== '' ? title : undefined
}

/** Seconds, or a date, as HTTP has it. */
function retryAfterMs(header: string | null): number {
  if (header === null) return retryAfterDefaultMs
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), retryAfterMaxMs) : retryAfterDefaultMs
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const { code, message } = cause as { code?: unknown; message?: unknown }
  if (code === 'ECONNREFUSED') return 'connection refused'
  if (code === 'ENOTFOUND') return 'no such host'
  return typeof code === 'string' ? code : String(message ?? cause)
}

function baseAddress(node: string): string {
  const isAddress = /^https?:\/\//.test(node) && URL.canParse(node)
  if (!isAddress) throw new TypeError(`${node}: an address such as http://127.0.0.1:8080 is needed`)
  return node.replace(/\/+$/, '')
}
