// The clients of a hostile run: messages of many sizes by every way in, some of them twice, to whichever nodes are
// there. It keeps what was promised.
import { AssertionError } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { encodeMessage } from '../../src/codec/index.ts'
import type { Random } from '../support/random.ts'
import type { GroundNode } from './ground.ts'

/** A node's word that a message is final, and where. */
export interface Claim {
  readonly id: string
  readonly height: number
  readonly index: number
  readonly node: number
}

interface Draft {
  readonly data: Uint8Array
  readonly namespace?: string
}

/** Of one node. What does not answer is not asked ever more. */
const openRequestsMax = 16
const namespaces = ['rollup-a', 'rollup-b', 'orders']
/** Messages kept to be sent once more. */
const recentMax = 200

export class Load {
  readonly #nodes: readonly GroundNode[]
  readonly #random: Random
  readonly #periodMs: number
  readonly #open: Set<Promise<void>>[]
  /** Who promised a message, and when first. */
  readonly #promised = new Map<string, { readonly holders: Set<number>; readonly at: Date }>()
  readonly #claims: Claim[] = []
  readonly #recent: Draft[] = []
  readonly #problems: string[] = []
  #timer: NodeJS.Timeout | undefined
  #lostCount = 0

  constructor(options: { nodes: readonly GroundNode[]; random: Random; requestsPerSecond: number }) {
    this.#nodes = options.nodes
    this.#random = options.random
    this.#periodMs = 1_000 / options.requestsPerSecond
    this.#open = options.nodes.map(() => new Set())
  }

  /** Ids of messages that the network may not lose. */
  get promised(): ReadonlySet<string> {
    return new Set(this.#promised.keys())
  }

  /** For people: who promised a message, and when first. */
  describe(id: string): string {
    const promise = this.#promised.get(id)
    if (promise === undefined) return `${id}, not promised`
    return `${id}, promised by ${[...promise.holders].join(' ')} at ${promise.at.toISOString()}`
  }

  get promisedCount(): number {
    return this.#promised.size
  }

  get claims(): readonly Claim[] {
    return this.#claims
  }

  /** Messages promised by nodes alone that lost their disk since. */
  get lostCount(): number {
    return this.#lostCount
  }

  /** Replies that no node may give. */
  get problems(): readonly string[] {
    return this.#problems
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#send(), this.#periodMs)
  }

  /** Resolves when every request has its answer. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    await Promise.all(this.#nodes.map((_, node) => this.settled(node)))
  }

  /** Resolves when what was asked of a node so far is answered, or failed. */
  async settled(node: number): Promise<void> {
    await Promise.all(this.#open[node] ?? [])
  }

  /** A node's disk is gone: what it alone promised and is not final went with it. Call `settled` before. */
  forgetPromisesOf(node: number, isFinal: (id: string) => boolean): void {
    for (const [id, { holders }] of this.#promised) {
      if (isFinal(id) || !holders.delete(node) || holders.size > 0) continue
      this.#promised.delete(id)
      this.#lostCount += 1
    }
  }

  #send(): void {
    const random = this.#random
    const node = random.below(this.#nodes.length)
    const draft = this.#draft()
    const what = random.below(10)
    if (what < 3) this.#request(node, () => this.#original(node, draft))
    else if (what < 5) this.#request(node, () => this.#messages(node, [draft]))
    else if (what < 7) {
      const drafts = Array.from({ length: 2 + random.below(10) }, () => this.#draft())
      this.#request(node, () => this.#messages(node, drafts))
    } else if (what < 8) this.#request(node, () => this.#untilFinal(node, draft))
    else if (what < 9) {
      // To two nodes at once: two batches with one message.
      const other = random.below(this.#nodes.length)
      for (const target of [node, other]) this.#request(target, () => this.#messages(target, [draft]))
    } else {
      const again = random.pick(this.#recent) ?? draft
      this.#request(node, () => this.#messages(node, [again]))
    }
  }

  #draft(): Draft {
    const random = this.#random
    const size = random.chance(0.05) ? 20_000 : 1 + random.below(600)
    const data = new Uint8Array(size)
    for (let at = 0; at < size; at++) data[at] = random.below(256)
    const draft = random.chance(0.3) ? { data, namespace: random.pick(namespaces) ?? '' } : { data }
    this.#recent.push(draft)
    if (this.#recent.length > recentMax) this.#recent.shift()
    return draft
  }

  #request(node: number, ask: () => Promise<void>): void {
    const open = this.#open[node]
    if (open === undefined || open.size >= openRequestsMax || this.#nodes[node]?.isRunning !== true) return
    const request = ask()
      // A node that is gone, cut off or paused answers nothing, and promised nothing.
      .catch((error: unknown) => {
        if (error instanceof AssertionError) this.#problems.push(`node${node}: ${error.message}`)
      })
      .finally(() => open.delete(request))
    open.add(request)
  }

  async #original(node: number, { data }: Draft): Promise<void> {
    const reply = await this.#nodes[node]?.post('/schedule', { data: [...data], timestamp: 0 })
    if (reply?.status === 200 && reply.text.startsWith('[Ok]')) this.#promise(node, idOf({ data }))
  }

  async #messages(node: number, drafts: readonly Draft[]): Promise<void> {
    const reply = await this.#nodes[node]?.post('/v1/messages', drafts.map(inputOf))
    if (reply?.status !== 202) return
    const { ids } = JSON.parse(reply.text) as { ids: string[] }
    const expected = drafts.map(idOf)
    if (String(ids) !== String(expected))
      this.#problems.push(`node${node} gave other ids than the messages have`)
    for (const id of expected) this.#promise(node, id)
  }

  async #untilFinal(node: number, draft: Draft): Promise<void> {
    const reply = await this.#nodes[node]?.post('/v1/messages?wait=final', [inputOf(draft)])
    if (reply?.status !== 200 && reply?.status !== 202) return
    const id = idOf(draft)
    this.#promise(node, id)
    if (reply.status === 202) return
    const { messages } = JSON.parse(reply.text) as {
      messages: { id: string; state: string; height: number; index: number }[]
    }
    for (const { state, height, index } of messages) {
      if (state === 'final') this.#claims.push({ id, height, index, node })
      else this.#problems.push(`node${node} answered 200 for a message that is ${state}`)
    }
  }

  #promise(node: number, id: string): void {
    const promise = this.#promised.get(id) ?? { holders: new Set(), at: new Date() }
    promise.holders.add(node)
    this.#promised.set(id, promise)
  }
}

function inputOf({ data, namespace }: Draft): object {
  return { data: Buffer.from(data).toString('base64'), ...(namespace === undefined ? {} : { namespace }) }
}

function idOf(draft: Draft): string {
  return createHash('sha256')
    .update(encodeMessage({ timestamp: 0, ...draft }))
    .digest('hex')
}
