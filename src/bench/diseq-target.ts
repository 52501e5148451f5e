// DISEQ as it is used: messages over HTTP, final blocks from the stream of one node.
import { get, type IncomingMessage } from 'node:http'
import { HttpPool } from './http-connection.ts'
import type { FinalMessages, Form, MeasuredProcess, SubmitResult, Target } from './target.ts'

/** Base64 digits that hold the first nine bytes of a message. */
const headDigits = 12
const eventEnd = '\n\n'

export class DiseqTarget implements Target {
  readonly name = 'diseq'
  readonly entranceCount: number
  readonly processes: readonly MeasuredProcess[]
  readonly #pools: readonly HttpPool[]
  readonly #reader: string
  readonly #form: Form

  constructor(options: {
    /** Nodes that take messages. */
    readonly nodes: readonly string[]
    /** The node whose chain is read. */
    readonly reader: string
    readonly form: Form
    readonly processes?: readonly MeasuredProcess[]
  }) {
    this.#pools = options.nodes.map((node) => new HttpPool(node))
    this.#reader = options.reader
    this.#form = options.form
    this.entranceCount = options.nodes.length
    this.processes = options.processes ?? []
  }

  async submit(entrance: number, messages: readonly Uint8Array[]): Promise<SubmitResult> {
    const isStreamed = this.#form === 'ndjson'
    const items = messages.map((data) => `{"data":"${base64Of(data)}"}`)
    const text = this.#form === 'array' ? `[${items.join(',')}]` : items.join('\n')
    const type = isStreamed ? 'application/x-ndjson' : 'application/json'
    const reply = await this.#poolOf(entrance).request('/v1/messages', Buffer.from(text), type)
    if (reply.status === 202) return { kind: 'accepted' }
    if (reply.status === 503 || reply.status === 429)
      return { kind: 'refused', retryAfterMs: 1000 * (reply.retryAfterSeconds ?? 1) }
    throw new Error(`answered ${reply.status}: ${reply.body.toString('utf8', 0, 300)}`)
  }

  follow(onFinal: (block: FinalMessages) => void, onLost: (error: Error) => void): Promise<() => void> {
    return new Promise((resolve, reject) => {
      let isEnded = false
      const lost = (error: Error) => {
        if (!isEnded) onLost(error)
      }
      const request = get(`${this.#reader}/v1/stream`, { agent: false }, (reply) => {
        if (reply.statusCode !== 200) {
          reject(new Error(`the stream of ${this.#reader} answered ${reply.statusCode}`))
          return
        }
        readEvents(reply, onFinal)
        reply.on('error', lost)
        reply.on('close', () => lost(new Error('the stream ended')))
        resolve(() => {
          isEnded = true
          request.destroy()
          for (const pool of this.#pools) pool.close()
        })
      })
      request.on('error', (error) => {
        reject(error)
        lost(error)
      })
    })
  }

  /** The sums over all entrances of what their metrics count, as far as they tell it. */
  async counters(): Promise<Record<string, number>> {
    const sums: Record<string, number> = {}
    for (const pool of this.#pools) {
      const reply = await pool.request('/metrics')
      if (reply.status !== 200) continue
      for (const line of reply.body.toString().split('\n')) {
        const [, name, value] = /^([a-z][a-z0-9_]*(?:\{[^}]*\})?) ([0-9.e+]+)$/.exec(line) ?? []
        // Distributions are in their sums and counts too.
        if (name !== undefined && !name.includes('_bucket')) sums[name] = (sums[name] ?? 0) + Number(value)
      }
    }
    return sums
  }

  #poolOf(entrance: number): HttpPool {
    const pool = this.#pools[entrance]
    if (pool === undefined) throw new RangeError(`no entrance ${entrance}`)
    return pool
  }
}

function readEvents(reply: IncomingMessage, onFinal: (block: FinalMessages) => void): void {
  reply.setEncoding('latin1')
  let parts: string[] = []
  reply.on('data', (chunk: string) => {
    // Blocks come in many chunks; an event's end may be cut in two.
    const last = parts.at(-1) ?? ''
    const isEnd = chunk.includes(eventEnd) || (last.endsWith('\n') && chunk.startsWith('\n'))
    parts.push(chunk)
    if (!isEnd) return
    const events = parts.join('').split(eventEnd)
    parts = [events.pop() ?? '']
    for (const event of events) {
      const block = blockOfEvent(event)
      if (block !== undefined) onFinal(block)
    }
  })
}

function blockOfEvent(event: string): FinalMessages | undefined {
  const data = event.split('\n').find((line) => line.startsWith('data:'))
  if (data === undefined || !event.includes('event: block')) return undefined
  const { messages } = JSON.parse(data.slice('data:'.length)) as { messages: { data: string }[] }
  return {
    heads: messages.map((message) => Buffer.from(message.data.slice(0, headDigits), 'base64')),
    dataBytes: messages.reduce((sum, message) => sum + Math.floor((message.data.length * 3) / 4), 0),
  }
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
