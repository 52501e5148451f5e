// Follows the final blocks of a network: one stream of events from one node, and from another where that one ends, so
// that every block is told of once, in order, whatever happens to single nodes.
import { ClientError } from './errors.ts'
import { chunksOf, maxReplyBytes, tooLarge } from './http.ts'

export interface StreamOptions {
  /** Base addresses, without a slash at the end. */
  readonly nodes: readonly string[]
  readonly fetch: typeof globalThis.fetch
  /** The first height wanted; absent: what becomes final from now on. */
  readonly from?: number
  readonly namespace?: string
  /** Ends it without an error. */
  readonly signal?: AbortSignal
  /** A node that says nothing for so long is left. Nodes say something every 15 seconds. */
  readonly silenceTimeoutMs?: number
  /** Resolves after that time. */
  readonly sleep: (ms: number) => Promise<void>
}

export interface StreamedEvent {
  readonly height: number
  /** JSON. */
  readonly data: string
}

const silenceTimeoutDefaultMs = 45_000
const retryDefaultMs = 1_000

/** Events in order of height, each once, until `signal` aborts. Nodes that do not answer are tried again for ever.
 *  @throws ClientError `refused` where a node refuses the request itself, and `unreachable` where none answers at all at
 *  the very start. */
export async function* followEvents(options: StreamOptions): AsyncGenerator<StreamedEvent> {
  const { nodes, signal } = options
  let next = options.from
  let hasAnswered = false
  let failures = 0
  for (let turn = 0; signal?.aborted !== true; turn++) {
    const node = nodes[turn % nodes.length] ?? ''
    let retryMs = retryDefaultMs
    try {
      for await (const event of eventsOf(options, node, next)) {
        hasAnswered = true
        failures = 0
        if (event.kind === 'open') continue
        if (event.kind === 'retry') retryMs = event.ms
        else if (event.kind === 'place') next = Math.max(next ?? 0, event.height + 1)
        // A node never tells of a height twice, but what it tells is not for us to trust.
        else if (next === undefined || event.height >= next) {
          next = event.height + 1
          yield { height: event.height, data: event.data }
        }
      }
    } catch (error) {
      if (isAborted(signal)) return
      if (!(error instanceof ClientError) || error.code === 'refused') throw error
      failures += 1
      if (!hasAnswered && failures >= nodes.length) throw error
    }
    if (isAborted(signal)) return
    // Another node is asked at once; the pause is for a whole round without any.
    if (failures >= nodes.length || nodes.length === 1) await options.sleep(retryMs)
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

type Told =
  | { readonly kind: 'open' }
  | { readonly kind: 'retry'; readonly ms: number }
  /** Everything up to this height was told. */
  | { readonly kind: 'place'; readonly height: number }
  | { readonly kind: 'event'; readonly height: number; readonly data: string }

/** What one node says until it ends. */
async function* eventsOf(
  options: StreamOptions,
  node: string,
  from: number | undefined,
): AsyncGenerator<Told> {
  const controller = new AbortController()
  const end = (): void => controller.abort()
  options.signal?.addEventListener('abort', end)
  const silence = new Silence(options.silenceTimeoutMs ?? silenceTimeoutDefaultMs, end)
  try {
    const response = await open(options, node, from, controller.signal)
    yield { kind: 'open' }
    const decoder = new TextDecoder()
    const events = new EventTexts(node)
    for await (const chunk of chunksOf(response)) {
      silence.heard()
      for (const event of events.after(decoder.decode(chunk, { stream: true }))) yield* toldBy(event)
    }
  } catch (error) {
    if (error instanceof ClientError) throw error
    throw new ClientError('unreachable', `${node} does not answer, or ended the stream`, {
      node,
      cause: error,
    })
  } finally {
    silence.end()
    options.signal?.removeEventListener('abort', end)
    controller.abort()
  }
}

async function open(
  { fetch, namespace }: StreamOptions,
  node: string,
  from: number | undefined,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const query = new URLSearchParams()
  if (from !== undefined) query.set('from', String(from))
  if (namespace !== undefined) query.set('namespace', namespace)
  const text = query.toString()
  const url = `${node}/v1/stream${text === '' ? '' : `?${text}`}`
  const response = await fetch(url, { signal, headers: { accept: 'text/event-stream' } })
  const { status } = response
  if (status === 200 && response.body !== null) return response.body
  const code = status === 503 || status === 429 ? 'busy' : status >= 500 ? 'failed' : 'refused'
  throw new ClientError(code, `${node} answered ${status} to a request for its stream`, { node, status })
}

/** Cuts a stream into events. One event comes in many chunks: they are joined once, when it ends. */
class EventTexts {
  readonly #node: string
  #parts: string[] = []
  #size = 0

  constructor(node: string) {
    this.#node = node
  }

  /** The events that end with this chunk. @throws ClientError where one has no end. */
  after(chunk: string): string[] {
    const isEnd =
      chunk.includes('\n\n') || (chunk.startsWith('\n') && this.#parts.at(-1)?.endsWith('\n') === true)
    if (chunk !== '') this.#parts.push(chunk)
    this.#size += chunk.length
    if (this.#size > maxReplyBytes) throw tooLarge(this.#node)
    if (!isEnd) return []
    const events = this.#parts.join('').split('\n\n')
    const rest = events.pop() ?? ''
    this.#parts = rest === '' ? [] : [rest]
    this.#size = rest.length
    return events
  }
}

/** The fields of one event's text. */
function* toldBy(part: string): Generator<Told> {
  let height: number | undefined
  let name = ''
  let data: string | undefined
  for (const line of part.split('\n')) {
    const [, field, value = ''] = /^([a-z]+): ?(.*)$/.exec(line) ?? []
    if (field === 'id' && /^\d{1,15}$/.test(value)) height = Number(value)
    else if (field === 'event') name = value
    else if (field === 'data') data = value
    else if (field === 'retry' && /^\d{1,6}$/.test(value)) yield { kind: 'retry', ms: Number(value) }
  }
  if (height === undefined) return
  if (name === 'block' && data !== undefined) yield { kind: 'event', height, data }
  else if (data === undefined) yield { kind: 'place', height }
}

/** Calls `end` after a time without `heard`. */
class Silence {
  readonly #timeoutMs: number
  readonly #end: () => void
  #timer: ReturnType<typeof setTimeout>

  constructor(timeoutMs: number, end: () => void) {
    this.#timeoutMs = timeoutMs
    this.#end = end
    this.#timer = setTimeout(end, timeoutMs)
  }

  heard(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#end, this.#timeoutMs)
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}
