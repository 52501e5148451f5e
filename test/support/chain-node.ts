// A node's API over a chain built in this process: real proofs, without a network or a port. Several of them, by their
// addresses, are what a client's `fetch` reaches.

import { after } from 'node:test'
import type { ProofText } from '../../src/api/index.ts'
import { type ApiServer, createServer } from '../../src/api/index.ts'
import type { Message, MessageId } from '../../src/types/index.ts'
import { FakeNode } from './api-node.ts'
import type { ProvenChain } from './proven-chain.ts'

/** Answers from its chain; what is submitted waits for the test to make a block. */
export class ChainNode extends FakeNode {
  readonly chain: ProvenChain
  /** Taken in and not in a block yet. */
  waiting: Message[] = []
  /** What it answers in place of its proofs: a liar's. */
  lie: ((text: string) => string) | undefined

  constructor(chain: ProvenChain) {
    super()
    this.chain = chain
  }

  /** The next block, of all that waits. */
  async makeBlock(messages: readonly Message[] = []): Promise<void> {
    const all = [...this.waiting, ...messages]
    this.waiting = []
    await this.chain.builder.addBlock({ messages: all })
  }

  override submitMessages(messages: readonly Message[], context: { address: string }) {
    this.waiting.push(...messages)
    return super.submitMessages(messages, context)
  }

  override tipHeight(): number {
    return this.chain.builder.state.height
  }

  override genesisText(): string {
    return this.chain.genesisText
  }

  override async finalityProof(id: MessageId, options: { withTrie: boolean }): Promise<ProofText> {
    return this.#textOf(await this.chain.maker.finality(id, options))
  }

  override async namespaceProof(
    namespace: string,
    range: { from: number; count: number },
  ): Promise<ProofText> {
    return this.#textOf(await this.chain.maker.namespace(namespace, range))
  }

  override async trieProof(key: Uint8Array, height: number | undefined): Promise<ProofText | 'too-old'> {
    const proof = await this.chain.maker.trie(key, height)
    return proof === 'too-old' ? proof : this.#textOf(proof)
  }

  override async headers(range: { from: number; count: number }): Promise<ProofText> {
    return this.#textOf(await this.chain.maker.headers(range))
  }

  override receipt(ids: readonly MessageId[]): string {
    return this.#textOf(this.chain.maker.receipt(ids)) ?? ''
  }

  #textOf(proof: object | undefined): ProofText {
    if (proof === undefined) return undefined
    const text = JSON.stringify(proof)
    return this.lie === undefined ? text : this.lie(text)
  }
}

const opened: ApiServer[] = []
// Open servers keep the process of a test file.
after(() => Promise.all(opened.map((server) => server.close())))

function serverOf(node: FakeNode): ApiServer {
  const server = createServer(node, { rateLimit: false })
  opened.push(server)
  return server
}

/** A `fetch` that reaches these nodes by their addresses, and nothing else. A node that is undefined is down. */
export function fetchOf(
  nodes: Readonly<Record<string, FakeNode | undefined>>,
  { onRequest }: { readonly onRequest?: (url: string) => void } = {},
): typeof globalThis.fetch {
  const servers = new Map(
    Object.entries(nodes).map(([address, node]) => [
      address,
      node === undefined ? undefined : serverOf(node),
    ]),
  )
  return async (input, init) => {
    const url = new URL(String(input))
    onRequest?.(url.href)
    const server = servers.get(url.origin)
    if (server === undefined) throw Object.assign(new Error('down'), { code: 'ECONNREFUSED' })
    const reply = await server.app.inject({
      method: init?.method === 'POST' ? 'POST' : 'GET',
      url: `${url.pathname}${url.search}`,
      headers: (init?.headers ?? {}) as Record<string, string>,
      ...(typeof init?.body === 'string' ? { payload: init.body } : {}),
    })
    const headers = Object.entries(reply.headers).map(([name, value]): [string, string] => [
      name,
      String(value),
    ])
    return new Response(reply.body, { status: reply.statusCode, headers })
  }
}
