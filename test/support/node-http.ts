// A node as its clients see it: the replies to requests, wherever it runs.

import { type Checker, checkerFor, type OpenApiDocument } from './api-calls.ts'

const requestTimeoutMs = 30_000

export interface Reply {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

/** Holds replies against the description that the first node asked gave: all run the same program. */
let checker: Checker | undefined

export class NodeHttp {
  readonly name: string
  /** `http://host:port`, the same after every start. */
  readonly url: string

  constructor(name: string, url: string) {
    this.name = name
    this.url = url
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Reply> {
    return this.#request(path, { headers })
  }

  /** The JSON of a reply. @throws unless the status is 200. */
  async json<T>(path: string): Promise<T> {
    const { status, text } = await this.get(path)
    if (status !== 200) throw new Error(`${this.name} ${path}: ${status} ${text.slice(0, 300)}`)
    return JSON.parse(text) as T
  }

  /** A body that is no text or bytes goes as JSON. */
  async post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    const isRaw = typeof body === 'string' || body instanceof Uint8Array
    return this.#request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: isRaw ? (body as string) : JSON.stringify(body),
    })
  }

  /** @throws also where the reply is not as the node's own description has it. */
  async #request(path: string, init: RequestInit): Promise<Reply> {
    checker ??= checkerFor((await (await this.#fetch('/openapi.json')).json()) as OpenApiDocument)
    const reply = await this.#fetch(path, init)
    const { status, headers } = reply
    const text = await reply.text()
    const method = init.method === 'POST' ? 'POST' : 'GET'
    const contentType = headers.get('content-type') ?? undefined
    checker(
      { method, url: path },
      { statusCode: status, headers: { 'content-type': contentType }, body: text },
    )
    return { status, text, headers }
  }

  #fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, { ...init, signal: AbortSignal.timeout(requestTimeoutMs) })
  }
}
