// A client that trusts no node: every answer is a proof, checked against a genesis that the user trusts. A node whose
// proof fails is passed over for the next.
import { messageIdOf } from '../codec/index.ts'
import {
  dataKey,
  type ProvenHeaders,
  type ProvenKey,
  type ProvenMessage,
  type ProvenNamespace,
  type ProvenReceipt,
  type Trust,
  type TrustedBlock,
  type Verdict,
  verifyFinality,
  verifyHeaders,
  verifyNamespace,
  verifyReceipt,
  verifyTrie,
} from '../proofs/index.ts'
import { headersPath, namespacePath, waitPollMs } from './client.ts'
import { ClientError } from './errors.ts'
import { type ClientOptions, type HttpOptions, httpOptionsOf, requestJson } from './http.ts'
import { messageToJson, type OutgoingMessage } from './replies.ts'

export interface VerifiedClientOptions extends ClientOptions {
  /** Of the network's genesis file, from a source other than these nodes (`trustGenesis`). */
  readonly trust: Trust
}

/** Consecutive blocks. */
export interface VerifiedRange {
  readonly from: number
  /** The most blocks wanted, where there is no `to`; what comes may be fewer. */
  readonly limit?: number
  /** The last block wanted: the answer has to end with it. */
  readonly to?: number
  /** The block before `from`: the answer has to go on from it. */
  readonly trusted?: TrustedBlock
  /** Asks this one of the nodes only. */
  readonly node?: string
}

/** What was proven, who sent the proof, and the proof as it came, to keep or to pass on. */
export type Answer<T> = T & { readonly servedBy: string; readonly proof: unknown }

export class VerifiedClient {
  readonly trust: Trust
  readonly #http: HttpOptions

  constructor({ trust, ...options }: VerifiedClientOptions) {
    this.trust = trust
    this.#http = httpOptionsOf(options)
  }

  /** Addresses of its nodes. */
  get nodes(): readonly string[] {
    return this.#http.nodes
  }

  /** The place of a final message; undefined where no node knows it as final. */
  message(id: string, { withTrie = false } = {}): Promise<Answer<ProvenMessage> | undefined> {
    const path = `/v1/messages/${id}/proof${withTrie ? '?trie=true' : ''}`
    return this.#ask(path, (proof) => verifyFinality({ trust: this.trust, proof, id }))
  }

  /** Resolves with the proof of a message's place once it is final. @throws ClientError `timeout` */
  async wait(id: string, { timeoutMs = 60_000, withTrie = false } = {}): Promise<Answer<ProvenMessage>> {
    const deadline = this.#http.now() + timeoutMs
    for (;;) {
      const proven = await this.message(id, { withTrie })
      if (proven !== undefined) return proven
      if (this.#http.now() >= deadline) {
        throw new ClientError('timeout', `message ${id} is not proven final yet`, {
          node: this.nodes[0] ?? '',
        })
      }
      await this.#http.sleep(waitPollMs)
    }
  }

  /** All messages of a namespace in consecutive blocks from `from` on, at least one block; undefined where that is not
   *  final yet. */
  namespace(namespace: string, range: VerifiedRange): Promise<Answer<ProvenNamespace> | undefined> {
    const { from, to, trusted, node } = range
    const claim = { trust: this.trust, namespace, from, to, trusted }
    const path = namespacePath(namespace, { from, ...limitOf(range) })
    const check = (proof: unknown) => verifyNamespace({ ...claim, proof })
    return this.#ask(path, check, node === undefined ? this.nodes : [node])
  }

  /** Whether data is in the trie of a final header: the latest of the node that answers, or that of `height`, which may
   *  be one of the 64 before. `block.header.stateHeight` says after which block the trie is. */
  data(
    data: Uint8Array,
    { height }: { readonly height?: number } = {},
  ): Promise<Answer<ProvenKey> | undefined> {
    const key = dataKey(data)
    const path = `/v1/trie/${key}/proof${height === undefined ? '' : `?height=${height}`}`
    return this.#ask(path, (proof) => verifyTrie({ trust: this.trust, proof, key, height }))
  }

  /** Final headers from `from` on, at least one; undefined where that is not final yet. */
  headers(range: VerifiedRange): Promise<Answer<ProvenHeaders> | undefined> {
    const { from, to, trusted, node } = range
    const path = headersPath({ from, ...limitOf(range) })
    const claim = { trust: this.trust, from, to, trusted }
    const check = (proof: unknown) => verifyHeaders({ ...claim, proof })
    return this.#ask(path, check, node === undefined ? this.nodes : [node])
  }

  /** Sends messages and brings a node's signed receipt for exactly these: the first that holds. Whose node signed it,
   *  `validator` says; undefined: no validator's. @throws ClientError of the last node, where none gives one. */
  async send(messages: readonly OutgoingMessage[]): Promise<Answer<ProvenReceipt>> {
    const body = messages.map(messageToJson)
    const { sha256 } = this.trust
    const ids = messages.map((message) => messageIdOf({ timestamp: 0, ...message }, sha256))
    let failure: unknown
    for (const node of this.nodes) {
      try {
        return await this.#receiptOf(node, { ids, body })
      } catch (error) {
        // What one node refuses, all refuse.
        if (!(error instanceof ClientError) || error.code === 'refused') throw error
        failure = error
      }
    }
    throw failure
  }

  async #receiptOf(
    node: string,
    { ids, body }: { readonly ids: readonly string[]; readonly body: unknown },
  ): Promise<Answer<ProvenReceipt>> {
    const reply = await requestJson(
      { ...this.#http, nodes: [node] },
      { path: '/v1/messages?receipt=true', body },
    )
    const { receipt } = (reply.body ?? {}) as { readonly receipt?: unknown }
    const verdict = verifyReceipt({ trust: this.trust, receipt })
    if (!verdict.ok) throw refused(node, `${verdict.reason} ${verdict.detail}`)
    const isOfThese = verdict.ids.length === ids.length && verdict.ids.every((id, at) => id === ids[at])
    if (!isOfThese) throw refused(node, 'it is about other messages')
    return { ...verdict, servedBy: node, proof: receipt }
  }

  /** The first proof that holds. A node that lies or fails is passed over; one that has nothing is believed only where
   *  no other has more. @throws ClientError of the last that failed, where none had an answer. */
  async #ask<T extends object>(
    path: string,
    check: (proof: unknown) => Verdict<T>,
    nodes: readonly string[] = this.#http.nodes,
  ): Promise<Answer<T> | undefined> {
    let failure: unknown
    let hasNothing = false
    for (const node of nodes) {
      try {
        const { status, body } = await requestJson({ ...this.#http, nodes: [node] }, { path })
        if (status === 404) {
          hasNothing = true
          continue
        }
        const verdict = check(body)
        if (verdict.ok) return { ...verdict, servedBy: node, proof: body }
        failure = new ClientError(
          'bad-proof',
          `${node} sent a proof that is none: ${verdict.reason} ${verdict.detail}`,
          {
            node,
          },
        )
      } catch (error) {
        if (!(error instanceof ClientError)) throw error
        failure = error
      }
    }
    if (hasNothing || failure === undefined) return undefined
    throw failure
  }
}

/** How many blocks are asked for; with `to` as many as there are up to it. */
function limitOf({ from, to, limit }: VerifiedRange): { readonly limit?: number } {
  if (to !== undefined) return { limit: to - from + 1 }
  return limit === undefined ? {} : { limit }
}

function refused(node: string, why: string): ClientError {
  return new ClientError('bad-proof', `${node} sent a receipt that is none: ${why}`, { node })
}
