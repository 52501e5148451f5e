// A typed client of a node's /v1 API. Runs in Node and in browsers; all it needs is fetch.
import { ClientError } from './errors.ts'
import { type ClientOptions, type HttpOptions, httpOptionsOf, type Reply, requestJson } from './http.ts'

export type { ClientOptions } from './http.ts'

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
import { sendMany } from './send-many.ts'
import { followEvents, type StreamOptions } from './stream.ts'

export type FollowOptions = Pick<StreamOptions, 'from' | 'namespace' | 'signal'>

export interface SendOptions {
  /** Resolve when all of them are final (or can no longer be), not when the node has them on disk. */
  readonly isFinalAwaited?: boolean
  /** For the wait; without it, as long as it takes. */
  readonly waitTimeoutMs?: number
}

/** Messages of one request, by the API's rule. */
export const maxMessagesPerRequest = 10_000
/** Between two questions about one message: blocks take about as long. */
export const waitPollMs = 250
/** The node ends a wait after a minute; the client asks again. */
const waitReplyTimeoutMs = 90_000

export class Client {
  readonly #http: HttpOptions
  #turn = 0

  constructor(options: ClientOptions) {
    this.#http = httpOptionsOf(options)
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
    const reply = await requestJson(this.#http, { path: `/v1/blocks/${height}`, isElsewhereAsked: true })
    return reply.status === 404 ? undefined : blockFromJson(bodyOf<BlockJson>(reply))
  }

  /** Every final block from `from` on (absent: from now on), once and in order, until `signal` aborts: goes on with
   *  another node where one ends. With `namespace` only the blocks that hold messages of it, and of those only these.
   *  @throws ClientError where a node refuses the request, or none answers at all at the start. */
  async *stream(options: FollowOptions = {}): AsyncGenerator<FollowedBlock> {
    const { nodes, fetch, sleep } = this.#http
    for await (const { data } of followEvents({ ...options, nodes, fetch, sleep }))
      yield followedFromJson(data)
  }

  /** What waits on the node, oldest first. */
  async pool(limit: number): Promise<PoolReply> {
    return poolFromJson(await this.#get<PoolJson>(`/v1/pool?limit=${limit}`))
  }

  /** State of a message; undefined where no node ever saw it. */
  async message(id: string): Promise<MessageState | undefined> {
    const reply = await requestJson(this.#http, { path: `/v1/messages/${id}`, isElsewhereAsked: true })
    return reply.status === 404 ? undefined : bodyOf<MessageState>(reply)
  }

  /** The proof of a final message's place, as the node sent it; undefined where the message is not final. With
   *  `withTrie` also that its data is in the latest trie. `VerifiedClient` checks what it gets. */
  proof(id: string, { withTrie = false } = {}): Promise<unknown> {
    return this.#getIfThere(`/v1/messages/${id}/proof${withTrie ? '?trie=true' : ''}`)
  }

  /** The proof of all messages of a namespace in consecutive blocks; it may end before `limit` blocks. Undefined where
   *  block `from` is not final. */
  namespaceProof(
    namespace: string,
    range: { readonly from: number; readonly limit?: number },
  ): Promise<unknown> {
    return this.#getIfThere(namespacePath(namespace, range))
  }

  /** The proof that a key (hex) is in the trie, or that it is not, after a block or the latest. */
  trieProof(key: string, { height }: { readonly height?: number } = {}): Promise<unknown> {
    return this.#getIfThere(`/v1/trie/${key}/proof${height === undefined ? '' : `?height=${height}`}`)
  }

  /** Consecutive headers from `from` on, and what made the last of them final. Undefined where block `from` is not
   *  final. */
  headerChain(range: { readonly from: number; readonly limit?: number }): Promise<unknown> {
    return this.#getIfThere(headersPath(range))
  }

  /** Proofs, as the node sent them, that validators signed what contradicts itself; one for each of those validators. */
  async evidence(): Promise<readonly { readonly validator: number; readonly proof: unknown }[]> {
    const reply = await this.#get<{ evidence: { validator: number; proof: unknown }[] }>('/v1/evidence')
    return reply.evidence.map(({ validator, proof }) => ({ validator, proof }))
  }

  /** The genesis file as the node has it. Trust comes from elsewhere: a node could make up any. */
  genesis(): Promise<unknown> {
    return this.#get('/v1/genesis')
  }

  /** Resolves once a message is final, or can no longer be. @throws ClientError `timeout`, or where no node knows it. */
  async wait(id: string, { timeoutMs = 60_000 } = {}): Promise<MessageState> {
    const deadline = this.#http.now() + timeoutMs
    for (;;) {
      const state = await this.message(id)
      const node = this.#http.nodes[0] ?? ''
      if (state === undefined)
        throw new ClientError('refused', `${this.#http.nodes.join(', ')}: no message ${id} is known`, {
          node,
        })
      if (state.state !== 'pending') return state
      if (this.#http.now() >= deadline)
        throw new ClientError('timeout', `message ${id} is not final yet`, { node })
      await this.#http.sleep(waitPollMs)
    }
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

  /** Sends a stream of groups over all nodes; the states of each group come in the order of the groups, each as soon as
   *  it and those before it are there. @throws ClientError of the first group that fails. */
  sendMany(
    groups: AsyncIterable<readonly OutgoingMessage[]>,
    options: SendOptions = {},
  ): AsyncGenerator<readonly MessageState[]> {
    return sendMany(this, groups, options)
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

  async #getIfThere(path: string): Promise<unknown> {
    const reply = await requestJson(this.#http, { path, isElsewhereAsked: true })
    return reply.status === 404 ? undefined : bodyOf<object>(reply)
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

/** Where nodes give consecutive headers. */
export function headersPath({ from, limit }: { readonly from: number; readonly limit?: number }): string {
  return `/v1/headers?from=${from}${limit === undefined ? '' : `&limit=${limit}`}`
}

/** Where nodes prove what a namespace has in consecutive blocks. */
export function namespacePath(
  namespace: string,
  { from, limit }: { readonly from: number; readonly limit?: number },
): string {
  const query = limit === undefined ? '' : `&limit=${limit}`
  return `/v1/namespaces/${encodeURIComponent(namespace)}/blocks?from=${from}${query}`
}
