// The client's side of the text protocol of NATS: as much of it as publishing to a stream and reading it back takes.
import { randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'

const replyTimeoutMs = 30_000
const lineEnd = Buffer.from('\r\n')

export interface NatsMessage {
  readonly subject: string
  /** Of the subscription. */
  readonly sid: string
  /** Status line and headers, where it has any. */
  readonly headers: string
  readonly payload: Buffer
}

export type NatsEvent =
  | { readonly kind: 'message'; readonly message: NatsMessage }
  | { readonly kind: 'ping' }
  | { readonly kind: 'error'; readonly reason: string }
  /** INFO, PONG and OK. */
  | { readonly kind: 'other' }

/** Cuts what a connection brings into events. */
export class NatsReader {
  #received: Buffer = Buffer.alloc(0)

  /** What these bytes complete, in order. @throws Error for what the protocol does not have. */
  take(chunk: Buffer): NatsEvent[] {
    const bytes = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    const events: NatsEvent[] = []
    let at = 0
    for (;;) {
      const end = bytes.indexOf(lineEnd, at)
      if (end < 0) break
      const line = bytes.toString('latin1', at, end)
      const start = end + lineEnd.length
      const isMessage = /^H?MSG /i.test(line)
      if (!isMessage) {
        events.push(eventOf(line))
        at = start
        continue
      }
      const fields = line.split(/ +/)
      const total = Number(fields.at(-1))
      const headerBytes = /^H/i.test(line) ? Number(fields.at(-2)) : 0
      if (!Number.isInteger(total) || !Number.isInteger(headerBytes)) throw new Error(`no sizes in "${line}"`)
      if (bytes.length < start + total + lineEnd.length) break
      events.push({
        kind: 'message',
        message: {
          subject: fields[1] ?? '',
          sid: fields[2] ?? '',
          headers: bytes.toString('latin1', start, start + headerBytes),
          payload: bytes.subarray(start + headerBytes, start + total),
        },
      })
      at = start + total + lineEnd.length
    }
    this.#received = bytes.subarray(at)
    return events
  }
}

function eventOf(line: string): NatsEvent {
  if (/^PING/i.test(line)) return { kind: 'ping' }
  if (/^-ERR/i.test(line)) return { kind: 'error', reason: line }
  if (/^(INFO|PONG|\+OK)/i.test(line)) return { kind: 'other' }
  throw new Error(`"${line.slice(0, 80)}" is nothing that a server says`)
}

interface Waiting {
  readonly resolve: (payload: Buffer) => void
  readonly reject: (error: Error) => void
}

export class NatsConnection {
  readonly #socket: Socket
  readonly #inbox = `_INBOX.${randomUUID()}`
  readonly #waiting = new Map<string, Waiting>()
  readonly #onMessages = new Map<string, (messages: readonly NatsMessage[]) => void>()
  readonly #onLost: (error: Error) => void
  #count = 0
  #isClosed = false

  private constructor(socket: Socket, onLost: (error: Error) => void) {
    this.#socket = socket
    this.#onLost = onLost
  }

  /** `onLost`: it ended, and not by `close`. Rejects where nobody listens. */
  static open(
    { host, port }: { readonly host: string; readonly port: number },
    onLost: (error: Error) => void,
  ): Promise<NatsConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        const connection = new NatsConnection(socket, onLost)
        connection.#start()
        resolve(connection)
      })
    })
  }

  /** Publishes all of them in one piece; resolves with the answer to each. Rejects where one gets none. */
  async requestAll(subject: string, payloads: readonly Uint8Array[]): Promise<Buffer[]> {
    const first = this.#count
    this.#count += payloads.length
    const parts = payloads.flatMap((payload, at) => [
      Buffer.from(`PUB ${subject} ${this.#inbox}.${first + at} ${payload.length}\r\n`, 'latin1'),
      payload,
      lineEnd,
    ])
    const answers = payloads.map((_, at) => {
      const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
      this.#waiting.set(`${this.#inbox}.${first + at}`, { resolve, reject })
      return promise
    })
    const timer = setTimeout(() => {
      for (const at of payloads.keys())
        this.#waiting.get(`${this.#inbox}.${first + at}`)?.reject(new Error('no answer in time'))
    }, replyTimeoutMs)
    this.#socket.write(Buffer.concat(parts))
    try {
      return await Promise.all(answers)
    } finally {
      clearTimeout(timer)
      for (const at of payloads.keys()) this.#waiting.delete(`${this.#inbox}.${first + at}`)
    }
  }

  /** The answer to one question in JSON. Rejects where it is an error. */
  async ask(subject: string, question: unknown): Promise<unknown> {
    const [answer] = await this.requestAll(subject, [Buffer.from(JSON.stringify(question))])
    const reply = JSON.parse(answer?.toString() ?? '') as {
      readonly error?: { readonly description: string }
    }
    if (reply.error !== undefined) throw new Error(reply.error.description)
    return reply
  }

  /** `onMessages` is called with all that came at once. */
  subscribe(subject: string, onMessages: (messages: readonly NatsMessage[]) => void): void {
    const sid = String(this.#onMessages.size + 1)
    this.#onMessages.set(sid, onMessages)
    this.#socket.write(`SUB ${subject} ${sid}\r\n`)
  }

  close(): void {
    this.#isClosed = true
    this.#socket.destroy()
  }

  #start(): void {
    const reader = new NatsReader()
    const options = { verbose: false, pedantic: false, headers: true, no_responders: true, echo: true }
    this.#socket.write(`CONNECT ${JSON.stringify(options)}\r\n`)
    this.subscribe(`${this.#inbox}.*`, (messages) => this.#takeAnswers(messages))
    this.#socket.on('data', (chunk) => {
      try {
        this.#take(reader.take(chunk))
      } catch (error) {
        this.#socket.destroy(error as Error)
      }
    })
    let reason = new Error('the connection ended')
    this.#socket.on('error', (error) => {
      reason = error
    })
    this.#socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(reason)
      if (!this.#isClosed) this.#onLost(reason)
    })
  }

  #take(events: readonly NatsEvent[]): void {
    const bySubscription = new Map<string, NatsMessage[]>()
    for (const event of events) {
      switch (event.kind) {
        case 'message': {
          const list = bySubscription.get(event.message.sid)
          if (list === undefined) bySubscription.set(event.message.sid, [event.message])
          else list.push(event.message)
          break
        }
        case 'ping':
          this.#socket.write('PONG\r\n')
          break
        case 'error':
          throw new Error(event.reason)
        case 'other':
          break
      }
    }
    for (const [sid, messages] of bySubscription) this.#onMessages.get(sid)?.(messages)
  }

  #takeAnswers(messages: readonly NatsMessage[]): void {
    for (const { subject, headers, payload } of messages) {
      const waiting = this.#waiting.get(subject)
      const status = /^NATS\/1\.0 (\d{3})/.exec(headers)?.[1]
      if (status === undefined) waiting?.resolve(payload)
      else waiting?.reject(new Error(`answered ${status}: nobody takes it`))
    }
  }
}
