// What lies between a replica and the network: the ports of each over the other. Renames and hands on, and remembers what
// peers told of themselves; node.ts builds the two.
import type { PeerStatus } from '../codec/index.ts'
import type { Network, NetworkHandler, VerifiedFrame } from '../network/index.ts'
import type { ChainStore } from '../storage/index.ts'
import type { Genesis, PeerId } from '../types/index.ts'
import type { Log, Transport } from './ports.ts'
import type { Replica } from './replica.ts'

const statusesMax = 1_000

/** What peers told last, of so many that told it last. */
export class PeerStatuses {
  readonly #statuses = new Map<PeerId, PeerStatus>()

  of(peer: PeerId): PeerStatus | undefined {
    return this.#statuses.get(peer)
  }

  note(peer: PeerId, status: PeerStatus): void {
    this.#statuses.delete(peer)
    this.#statuses.set(peer, status)
    const [oldest] = this.#statuses.keys()
    if (this.#statuses.size > statusesMax && oldest !== undefined) this.#statuses.delete(oldest)
  }
}

/** The node's side of the network.
 *  @param options.replica undefined until it is there: the network is made first, and started after it. */
export function networkHandlerOf(options: {
  readonly genesis: Genesis
  readonly store: ChainStore
  readonly statuses: PeerStatuses
  readonly log: Log
  readonly replica: () => Replica | undefined
}): NetworkHandler {
  const { genesis, store, statuses, log } = options
  const validators = new Map(genesis.validators.map(({ peerId }, index) => [peerId, index]))
  const replica = () => {
    const known = options.replica()
    if (known === undefined) throw new Error('the network called before the replica was there')
    return known
  }
  const take = (frames: readonly VerifiedFrame[], from: PeerId) => {
    const peer = { peerId: from, validator: validators.get(from) ?? null }
    for (const frame of frames) replica().onFrame(frame, peer)
  }
  return {
    log,
    onFrame: (frame, from) => take([frame], from),
    onAhead: () => replica().onAhead(),
    heightWindow: () => options.replica()?.heightWindow() ?? { final: store.tip.height },
    status: () => replica().answers.status(),
    answerView: async (request, pushed, from) => {
      take(pushed, from)
      return replica().answers.view(request)
    },
    answerBatches: async (request, pushed, from) => {
      take(pushed, from)
      return replica().answers.batches(request)
    },
    answerBlocks: (request) => replica().answers.blocks(request),
    onPeerStatus: (peer, status) => {
      statuses.note(peer, status)
      replica().onPeerStatus(peer, status)
    },
    loadPeers: async () => {
      const known = store.loadPeers((error) => log.warn({ error }, 'the list of known peers is dropped'))
      return known.map(({ peerId, addresses }) => ({ peer: peerId, addresses }))
    },
    savePeers: (peers) => store.savePeers(peers.map(({ peer, addresses }) => ({ peerId: peer, addresses }))),
  }
}

/** Other nodes, for a replica. */
export function transportOf(network: Network): Transport {
  return {
    publish: (frame) => network.publish(frame),
    peers: () => {
      const ready = new Set(network.chainPeers())
      return network
        .peers()
        .filter(({ peer }) => ready.has(peer))
        .map(({ peer, validator }) => ({ peerId: peer, validator: validator ?? null }))
    },
    requestStatus: (peer) => network.requestStatus(peer),
    requestView: (peer, request) => network.requestView(peer, request),
    requestBatches: async (peer, request) => {
      const frames = await network.requestBatches(peer, request)
      return frames.flatMap((frame) => (frame.kind === 'batch' ? [frame.batch] : []))
    },
    requestBlocks: (peer, request) => network.requestBlocks(peer, request),
    reportPeer: (peer, reason) => network.reportPeer(peer, reason),
  }
}
