// Gossip of frames: everything travels here and may be lost here (protocol §4). Frames pass the one door
// (admission.ts) before gossipsub forwards them; what is published waits in a bounded queue, because gossipsub itself
// takes everything and buffers without an end.
import { type GossipSub, TopicValidatorResult } from '@libp2p/gossipsub'
import type { Connection } from '@libp2p/interface'
import type { PeerId } from '../types/index.ts'
import type { Admission, GossipChannel, Verdict } from './admission.ts'
import { bundleBytesMax, bundleFramesMax, encodeBundle } from './bundles.ts'
import type { Counters } from './counters.ts'
import { gossipChannels, topicOf } from './gossip-options.ts'

export interface GossipOptions {
  readonly chainId: string
  readonly pubsub: GossipSub
  readonly admission: Admission
  readonly counters: Counters
  readonly connections: () => readonly Connection[]
  readonly isValidator: (peer: PeerId) => boolean
  /** Whether every other validator is reached without a forwarder: what any of them publishes goes to all of them. */
  readonly isCovered: () => boolean
}

/** How long a large message waits before it is forwarded where everybody is likely to have had it from its author:
 *  meanwhile others say that they have it (IDONTWANT of gossipsub 1.2), and it is not sent to them once more. Without the
 *  wait, processes that share cores forward before they hear each other: of the bytes that four nodes sent, two thirds
 *  were such copies. */
const forwardDelayMs = 150
/** From this size on gossipsub says that it has a message. */
const largeMessageBytes = 512

/** What may wait to be published, by channel; what does not fit is dropped and counted. */
const queueMaxBytes: Record<GossipChannel, number> = {
  commitments: 8 * 1024 * 1024,
  proposals: 16 * 1024 * 1024,
  messages: 32 * 1024 * 1024,
}
/** What wins when the network is slow: without votes and proposals nothing gets final, whatever is gossiped. */
const urgency: readonly GossipChannel[] = ['commitments', 'proposals', 'messages']
/** While half of those who count (`#backlogBytes`) have more than this unread, nothing more is published. */
const unreadMaxBytes = 4 * 1024 * 1024
const backlogPollMs = 10
/** How often the backlog is looked at while publishing. */
const backlogCheckBytes = 256 * 1024
const meshProtocol = '/meshsub/'

const results: Record<Verdict, TopicValidatorResult> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
}

export class Gossip {
  readonly #options: GossipOptions
  readonly #queues: Record<GossipChannel, Uint8Array[]> = { commitments: [], proposals: [], messages: [] }
  readonly #queuedBytes: Record<GossipChannel, number> = { commitments: 0, proposals: 0, messages: 0 }
  #isPumping = false
  #isStopped = false
  #pumpTimer: NodeJS.Timeout | undefined
  #pumpDueMs = Number.POSITIVE_INFINITY

  constructor(options: GossipOptions) {
    this.#options = options
  }

  /** Joins the topics; libp2p must run. */
  start(): void {
    const { pubsub, chainId, admission } = this.#options
    for (const channel of gossipChannels) {
      const topic = topicOf(chainId, channel)
      pubsub.topicValidators.set(topic, (from, message) => {
        const peer = from.toString() as PeerId
        const result = results[admission.admitMessage({ channel, bytes: message.data, from: peer })]
        const mayWait = result === TopicValidatorResult.Accept && message.data.length >= largeMessageBytes
        return mayWait && this.#options.isCovered() ? later(result) : result
      })
      pubsub.subscribe(topic)
    }
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#pumpTimer)
  }

  /** Bytes that wait to be published. */
  get queuedBytes(): number {
    return urgency.reduce((sum, channel) => sum + this.#queuedBytes[channel], 0)
  }

  /** Queues a frame; never throws, and drops what does not fit.
   *  @param withinMs it may wait so long for others to share its message. */
  publish(channel: GossipChannel, bytes: Uint8Array, withinMs = 0): void {
    if (this.#queuedBytes[channel] + bytes.length > queueMaxBytes[channel]) {
      this.#options.counters.add('dropped_gossip_queue_full')
      return
    }
    this.#queues[channel].push(bytes)
    this.#queuedBytes[channel] += bytes.length
    if (this.#queuedBytes[channel] >= bundleBytesMax || withinMs === 0) void this.#pump()
    else this.#pumpWithin(withinMs)
  }

  #pumpWithin(withinMs: number): void {
    const dueMs = performance.now() + withinMs
    if (this.#isStopped || dueMs >= this.#pumpDueMs) return
    clearTimeout(this.#pumpTimer)
    this.#pumpDueMs = dueMs
    this.#pumpTimer = setTimeout(() => void this.#pump(), withinMs)
  }

  async #pump(): Promise<void> {
    clearTimeout(this.#pumpTimer)
    this.#pumpDueMs = Number.POSITIVE_INFINITY
    if (this.#isPumping) return
    this.#isPumping = true
    let unchecked = 0
    for (let next = this.#next(); next !== undefined && !this.#isStopped; next = this.#next()) {
      await this.#publish(next.channel, next.bytes)
      unchecked += next.bytes.length
      if (unchecked < backlogCheckBytes) continue
      unchecked = 0
      while (this.#backlogBytes() > unreadMaxBytes && !this.#isStopped) await pause(backlogPollMs)
    }
    this.#isPumping = false
  }

  #next(): { channel: GossipChannel; bytes: Uint8Array } | undefined {
    for (const channel of urgency) {
      const frames = this.#takeBundle(this.#queues[channel])
      if (frames.length === 0) continue
      for (const { length } of frames) this.#queuedBytes[channel] -= length
      return { channel, bytes: encodeBundle(frames) }
    }
    return undefined
  }

  /** As many of the oldest as fit one message; one that is larger than a bundle may be goes alone. */
  #takeBundle(queue: Uint8Array[]): Uint8Array[] {
    let sizeBytes = 1
    let count = 0
    for (const { length } of queue) {
      sizeBytes += 4 + length
      if (count > 0 && (sizeBytes > bundleBytesMax || count === bundleFramesMax)) break
      count += 1
    }
    return queue.splice(0, count)
  }

  async #publish(channel: GossipChannel, bytes: Uint8Array): Promise<void> {
    const { pubsub, chainId, counters } = this.#options
    try {
      const { recipients } = await pubsub.publish(topicOf(chainId, channel), bytes)
      counters.add('gossip_out')
      counters.add('gossip_bytes_out', bytes.length * recipients.length)
    } catch {
      // It stops, or is not started: gossip may lose anything, requests mend it.
      counters.add('dropped_gossip_publish')
    }
  }

  /** The median of what validators have not read yet, or other peers where none is connected: a few slow ones hold up
   *  nobody, and are cut off in time. Strangers that read nothing can be as many as they like. */
  #backlogBytes(): number {
    const { isValidator } = this.#options
    const all = this.#options.connections()
    const validators = all.filter(({ remotePeer }) => isValidator(remotePeer.toString() as PeerId))
    const unread: number[] = []
    for (const { streams } of validators.length > 0 ? validators : all) {
      for (const { protocol, direction, writeBufferLength } of streams) {
        if (direction === 'outbound' && protocol.startsWith(meshProtocol)) unread.push(writeBufferLength)
      }
    }
    unread.sort((a, b) => a - b)
    return unread[Math.floor((unread.length - 1) / 2)] ?? 0
  }
}

/** Whether gossip flows both ways with this peer. */
export function hasGossip(pubsub: GossipSub, connections: readonly Connection[]): boolean {
  const [first] = connections
  if (first === undefined) return false
  const isKnown = pubsub.getPeers().some((peer) => peer.equals(first.remotePeer))
  const streams = connections.flatMap((connection) => connection.streams)
  const isSending = streams.some(
    ({ protocol, direction, status }) =>
      direction === 'outbound' && status === 'open' && protocol.startsWith(meshProtocol),
  )
  return isKnown && isSending
}

/** Stopping does not wait for it: what is not forwarded then is lost, as gossip may be. */
function later(result: TopicValidatorResult): Promise<TopicValidatorResult> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(result), forwardDelayMs).unref()
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
