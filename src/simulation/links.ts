// The links between the nodes of a run: frames, requests and answers go over them as bytes, each with the fate that the
// weather gives it and bent as the liars at its ends like. A node hears nothing of others but what comes this way.
import { encodeFrame, type Frame } from '../codec/index.ts'
import type { ConnectedPeer } from '../node/ports.ts'
import type { PeerId } from '../types/index.ts'
import type { SimulatedNode } from './node.ts'
import type { Scheduler } from './scheduler.ts'
import type { Weather } from './weather.ts'
import type { CarriedRequest } from './wire.ts'

export interface LinksOptions {
  /** Also those that come later. */
  readonly nodes: readonly SimulatedNode[]
  readonly weather: Weather
  readonly scheduler: Scheduler
  readonly trace: (text: string) => void
  /** Bytes leave a node for another. */
  readonly onCarried: (from: number, to: number, sizeBytes: number) => void
}

export class Links {
  readonly #options: LinksOptions

  constructor(options: LinksOptions) {
    this.#options = options
  }

  /** To all others; a liar sends each what it likes. */
  broadcast(from: SimulatedNode, frame: Frame): void {
    const bytes = from.isLiar ? undefined : encodeFrame(frame)
    for (const to of this.#options.nodes) {
      if (to.peerId === from.peerId) continue
      if (bytes !== undefined) {
        this.#deliver(from, to, bytes)
        continue
      }
      for (const each of from.behaviours.framesFor(to.number, frame))
        this.#deliver(from, to, encodeFrame(each))
    }
  }

  /** Bytes, a frame or not, to one node, as gossip. */
  send(from: SimulatedNode, to: number, bytes: Uint8Array): void {
    const target = this.#options.nodes[to]
    if (target !== undefined) this.#deliver(from, target, bytes)
  }

  /** A request, and its answer back; where either is lost nothing comes. */
  carry(from: SimulatedNode, { peer, kind, body, answer }: CarriedRequest): void {
    const { nodes, weather, scheduler, onCarried, trace } = this.#options
    if (!from.behaviours.asks(kind)) return
    // A liar with a twin answers each peer with one of the two.
    const candidates = nodes.filter((node) => node.peerId === peer && node.isUp)
    const to = candidates[from.number % Math.max(1, candidates.length)]
    const [thereMs] = to === undefined ? [] : weather.fateOf(from.number, to.number)
    if (to === undefined || thereMs === undefined) return
    onCarried(from.number, to.number, body.length)
    scheduler.after(thereMs + to.lagMs, () => {
      const delayMs = to.behaviours.answerDelayMs()
      to.answer(kind, body, from).then(
        (reply) => {
          if (reply === undefined) return
          onCarried(to.number, from.number, reply.length)
          const [backMs] = weather.fateOf(to.number, from.number)
          if (backMs !== undefined) scheduler.after(backMs + delayMs + from.lagMs, () => answer(reply))
        },
        // The process that should answer failed while it did: no answer comes.
        (error: unknown) => trace(`node ${to.number} did not answer: ${String(error)}`),
      )
    })
  }

  /** Whom a node is connected to. */
  peersOf(node: SimulatedNode): ConnectedPeer[] {
    const { nodes, weather } = this.#options
    const peers = new Map<PeerId, ConnectedPeer>()
    for (const other of nodes) {
      if (other.peerId === node.peerId || other.replica === undefined) continue
      if (weather.isCut(node.number, other.number) && weather.isCut(other.number, node.number)) continue
      peers.set(other.peerId, { peerId: other.peerId, validator: other.validator ?? null })
    }
    return [...peers.values()]
  }

  /** All that it may ever be connected to, by number. */
  othersOf({ peerId }: SimulatedNode): number[] {
    return this.#options.nodes.filter((node) => node.peerId !== peerId).map(({ number }) => number)
  }

  #deliver(from: SimulatedNode, to: SimulatedNode, bytes: Uint8Array): void {
    const { weather, scheduler, onCarried } = this.#options
    onCarried(from.number, to.number, bytes.length)
    for (const delayMs of weather.fateOf(from.number, to.number))
      scheduler.after(delayMs + to.lagMs, () => to.receive(bytes, from))
  }
}
