// A typed client of a node's /v1 API. Runs in Node and in browsers; all it needs is fetch.
import { ClientError } from './errors.ts'
import { type HttpOptions, type Reply, requestJson } from './http.ts'
import {
  type BlockJson,
  type BlockReply,
  blockFromJson,
  type FollowedBlock,
  followedFromJson,
  type MessageState,
  messageToJson,
  type NodeStatus,
  type OutgoingMessage,
  type PoolJson,
  type PoolReply,
  poolFromJson,
} from './replies.ts'
import { followEvents, type StreamOptions } from './stream.ts'

export interface ClientOptions extends Partial<Omit<HttpOptions, 'nodes'>> {
  /** Addresses of one or more nodes; reads go to the first that answers, messages to each in turn. */
  readonly nodes: readonly string[]
}

export type FollowOptions = Pick<StreamOptions, 'from' | 'namespace' | 'signal'>

export interface SendOptions {
  /** Resolve when all of them are final (or can no longer be), not when the node has them on disk. */
  readonly isFinalAwaited?: boolean
  /** For the wait; without it, as long as it takes. */
  readonly waitTimeoutMs?: number
}

/** Messages of one request, by the API's rule. */
export const maxMessagesPerRequest = 10_000
/** The node ends a wait after a minute; the client asks again. */
const waitReplyTimeoutMs = 90_000

export class Client {
  readonly #http: HttpOptions
  #turn = 0

  constructor({ nodes, ...rest }: ClientOptions) {
    this.#http = {
      nodes: nodes.map(baseAddress),
      fetch: (input, init) => globalThis.fetch(input, init),
      timeoutMs: 30_000,
      busyTimeoutMs: 60_000,
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      now: () => performance.now(),
      ...rest,
    }
  }

  /** How many nodes it knows. */
  get nodeCount(): number {
    return this.#http.nodes.length
  }

  status(): Promise<NodeStatus> {
    return this.#get<NodeStatus>('/v1/status')
  }

  /** The final block at a height; undefined where there is none yet. */
  async block(height: number | 'latest'): Promise<BlockReply | undefined> {
    const reply = await requestJson(this.#http, { path: `/v1/blocks/${height}` })
    return reply.status === 404 ? undefined : blockFromJson(bodyOf<BlockJson>(reply))
  }

  /** Every final block from `from` on (absent: from now on), once and in order, until `signal` aborts: goes on with
   *  another node where one ends. With `namespace` only the blocks that hold messages of it, and of those only these.
   *  @throws ClientError where a node refuses the request, or none answers at all at the start. */
  async *follow(options: FollowOptions = {}): AsyncGenerator<FollowedBlock> {
    const { nodes, fetch, sleep } = this.#http
    for await (const { data } of followEvents({ ...options, nodes, fetch, sleep }))
      yield followedFromJson(data)
  }

  /** What waits on the node, oldest first. */
  async pool(limit: number): Promise<PoolReply> {
    return poolFromJson(await this.#get<PoolJson>(`/v1/pool?limit=${limit}`))
  }

  /** State of a message; undefined where the node never saw it. */
  async message(id: string): Promise<MessageState | undefined> {
    const reply = await requestJson(this.#http, { path: `/v1/messages/${id}` })
    return reply.status === 404 ? undefined : bodyOf<MessageState>(reply)
  }

  /** Sends up to 10,000 messages in one request, all or none of them; resolves once they are on the node's disk.
   *  Waits while the node is full. One state for each message, in order. @throws ClientError */
  async send(
    messages: readonly OutgoingMessage[],
    options: SendOptions = {},
  ): Promise<readonly MessageState[]> {
    const body = messages.map(messageToJson)
    const startAt = this.#turn++
    if (options.isFinalAwaited === true) return this.#sendAndWait(body, startAt, options.waitTimeoutMs)
    const { ids } = bodyOf<{ ids: MessageState['id'][] }>(await this.#post('/v1/messages', body, startAt))
    return ids.map((id) => ({ id, state: 'pending' }))
  }

  /** 202 says that the node's own time for the wait was over: the same messages are sent again, which changes nothing
   *  but goes on with the wait. */
  async #sendAndWait(
    body: unknown,
    startAt: number,
    waitTimeoutMs = Infinity,
  ): Promise<readonly MessageState[]> {
    const deadline = this.#http.now() + waitTimeoutMs
    for (;;) {
      const remainingMs = deadline - this.#http.now()
      const timeoutMs = Math.max(1, Math.min(waitReplyTimeoutMs, remainingMs))
      const reply = await this.#post('/v1/messages?wait=final', body, startAt, timeoutMs)
      if (reply.status === 200) return bodyOf<{ messages: MessageState[] }>(reply).messages
      if (this.#http.now() >= deadline) {
        const { node } = reply
        throw new ClientError('timeout', `${node} has the messages, but they are not final yet`, { node })
      }
    }
  }

  async #get<T>(path: string): Promise<T> {
    const reply = await requestJson(this.#http, { path })
    if (reply.status === 404) throw noSuchRoute(reply, path)
    return bodyOf<T>(reply)
  }

  async #post(
    path: string,
    body: unknown,
    startAt: number,
    timeoutMs = this.#http.timeoutMs,
  ): Promise<Reply> {
    const reply = await requestJson(this.#http, { path, body, startAt, timeoutMs })
    if (reply.status === 404) throw noSuchRoute(reply, path)
    return reply
  }
}

function bodyOf<T>({ body, node, status }: Reply): T {
  if (typeof body === 'object' && body !== null) return body as T
  throw new ClientError('bad-reply', `${node} does not answer as a node does`, { node, status })
}

function noSuchRoute({ node, status }: Reply, path: string): ClientError {
  return new ClientError('bad-reply', `${node} has no ${path}: it is no node, or one of another version`, {
    node,
    status,
  })
}

function baseAddress(node: string): string {
  const isAddress = /^https?:\/\//.test(node) && URL.canParse(node)
  if (!isAddress) throw new TypeError(`${node}: an address such as http://127.0.0.1:8080 is needed`)
  return node.replace(/\/+$/, '')
}
