// The network of a node: builds its parts, and is what the rest of the node sees of them. Frames come in verified
// through `NetworkHandler.onFrame`; they go out by `publish`; what is missing is asked for by requests.
import { strict as assert } from 'node:assert'
import type { Connection } from '@libp2p/interface'
import {
  type BatchesRequest,
  type BlocksRequest,
  commitmentEntriesMax,
  type FinalBlock,
  type Frame,
  type PeerStatus,
  peerIdOf,
  type ViewRequest,
} from '../codec/index.ts'
import { publicKeyOf, sha256, sha256Hex, verifySignature } from '../crypto/native/index.ts'
import { thresholdsOf } from '../quorum/index.ts'
import type { PeerId, ValidatorIndex } from '../types/index.ts'
import { AddressBook } from './address-book.ts'
import { Admission } from './admission.ts'
import { Counters } from './counters.ts'
import { DirectStreams } from './direct.ts'
import { NetworkError } from './errors.ts'
import { gateOf } from './gate.ts'
import { Gossip } from './gossip.ts'
import { gossipOptions } from './gossip-options.ts'
import { createNode, type Libp2pNode } from './libp2p.ts'
import { Outgoing } from './outgoing.ts'
import { PeerConduct } from './peer-conduct.ts'
import { Peers } from './peers.ts'
import { defaultSettings, type NetworkOptions, type NetworkSettings, type PeerInfo } from './ports.ts'
import { Protocols } from './protocols.ts'
import { Requests } from './requests.ts'
import { FrameVerifier, type VerifiedFrame } from './verify.ts'

/** What exists while the network runs. */
interface Running {
  readonly node: Libp2pNode
  readonly gossip: Gossip
  readonly direct: DirectStreams
  readonly outgoing: Outgoing
  readonly protocols: Protocols
  readonly peers: Peers
}

const now = () => performance.now()

export class Network {
  /** This node's own. */
  readonly peerId: PeerId
  /** Checks frames and blocks of any origin with the memory of this network's signatures. */
  readonly verifier: FrameVerifier
  readonly #options: NetworkOptions
  readonly #settings: NetworkSettings
  readonly #validators: ReadonlyMap<PeerId, ValidatorIndex>
  readonly #counters = new Counters()
  readonly #conduct: PeerConduct
  readonly #book: AddressBook
  readonly #admission: Admission
  #running: Running | undefined

  /** Stores and prepares; nothing runs before `start`. @throws RangeError unless the seed has 32 bytes. */
  constructor(options: NetworkOptions) {
    const { genesis, handler, identitySeed, convicts } = options
    const settings = { ...defaultSettings, ...options.settings }
    const { validators, faultModel, limits } = genesis
    this.#options = options
    this.#settings = settings
    this.peerId = peerIdOf(publicKeyOf(identitySeed))
    this.#validators = new Map(validators.map(({ peerId }, index) => [peerId, index]))
    this.verifier = new FrameVerifier({
      genesis,
      thresholds: thresholdsOf(
        validators.map(({ power }) => power),
        faultModel,
      ),
      crypto: { sha256, sha256Hex, verifySignature },
      entriesMax: commitmentEntriesMax(limits, validators.length),
      ...(convicts === undefined ? {} : { convicts }),
    })
    this.#conduct = new PeerConduct({
      rules: settings,
      isValidator: (peer) => this.#validators.has(peer),
      now,
      onCutOff: (peer, reason) => this.#cutOff(peer, reason),
    })
    this.#book = new AddressBook({
      self: this.peerId,
      validators: [...this.#validators.keys()],
      ...settings,
      now,
      random: Math.random,
    })
    this.#admission = new Admission({
      genesis,
      verifier: this.verifier,
      conduct: this.#conduct,
      counters: this.#counters,
      crypto: { sha256Hex },
      handler,
      now,
    })
  }

  /** Listens, joins gossip, answers requests and begins to dial. @throws what libp2p throws where it cannot listen. */
  async start(): Promise<void> {
    assert(this.#running === undefined, 'the network is started already')
    const running = await this.#build()
    this.#running = running
    const { node, gossip, direct, protocols, peers } = running
    try {
      await direct.start()
      await protocols.serve()
      await node.start()
      gossip.start()
      await peers.start()
    } catch (error) {
      await this.stop()
      throw error
    }
    const addresses = this.addresses()
    this.#options.handler.log.info({ peer: this.peerId, addresses }, 'network started')
  }

  /** Closes all connections; addresses of peers are saved. It can be started again. */
  async stop(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    this.#running = undefined
    running.gossip.stop()
    await running.peers.stop()
    await running.node.stop()
  }

  /** Multiaddrs with the peer id at which this node can be reached; none before `start`. */
  addresses(): string[] {
    return this.#running?.node.getMultiaddrs().map((address) => address.toString()) ?? []
  }

  /** Sends a frame of one's own, or a certificate first seen, to everybody: a copy to connected validators at once, and
   *  by gossip. Best effort: never throws, and what the queues cannot hold is counted. A block is no frame of gossip. */
  publish(frame: Frame): void {
    assert(frame.kind !== 'block', 'a block travels in proposals and replies only')
    const running = this.#running
    if (running === undefined) {
      this.#counters.add('dropped_not_started')
      return
    }
    running.outgoing.send(frame)
  }

  /** @throws NetworkError */
  async requestStatus(peer: PeerId): Promise<PeerStatus> {
    return this.#started().protocols.requestStatus(peer)
  }

  /** What the peer has of a height that this node lacks. Its frames are verified, but may be of any height.
   *  @throws NetworkError */
  async requestView(peer: PeerId, request: ViewRequest): Promise<VerifiedFrame[]> {
    return this.#started().protocols.requestView(peer, request)
  }

  /** Batches by id, as many as the peer has and fit a reply. @throws NetworkError */
  async requestBatches(peer: PeerId, request: BatchesRequest): Promise<VerifiedFrame[]> {
    return this.#started().protocols.requestBatches(peer, request)
  }

  /** Final blocks of consecutive heights, decoded and not verified (`verifier.verifyFinalBlock`). Leaving the loop
   *  early ends the transfer. @throws NetworkError */
  requestBlocks(peer: PeerId, request: BlocksRequest): AsyncGenerator<FinalBlock> {
    return this.#started().protocols.requestBlocks(peer, request)
  }

  /** Connected peers. */
  peers(): PeerInfo[] {
    const running = this.#running
    if (running === undefined) return []
    return running.node.getPeers().map((id) => {
      const peer = id.toString() as PeerId
      const connections = running.node.getConnections(id)
      return this.#infoOf(running, peer, connections)
    })
  }

  /** Connected validators of this chain. */
  validatorPeers(): PeerId[] {
    return this.#running?.peers.greeted().filter((peer) => this.#validators.has(peer)) ?? []
  }

  /** Connected peers of this chain: whom to ask. */
  chainPeers(): PeerId[] {
    return this.#running?.peers.greeted() ?? []
  }

  /** A peer sent what passed the checks here and still cannot be honest (a block that does not recompute). Ten such
   *  reports within a minute cut it off. */
  reportPeer(peer: PeerId, reason: string): void {
    this.#counters.add('peers_reported')
    this.#conduct.punish(peer, reason)
  }

  /** Numbers for metrics since the start of the process. */
  counters(): Record<string, number> {
    return {
      ...this.#counters.snapshot(),
      signatures_verified: this.verifier.verifications,
      gossip_queued_bytes: this.#running?.gossip.queuedBytes ?? 0,
    }
  }

  async #build(): Promise<Running> {
    const { genesis, handler, identitySeed, listen, announce, bootstrap } = this.#options
    const { chainId } = genesis
    const settings = this.#settings
    const isValidator = (peer: PeerId) => this.#validators.has(peer)
    const otherValidators = this.#validators.size - (isValidator(this.peerId) ? 1 : 0)
    const node = await createNode({
      identitySeed,
      listen,
      announce: announce ?? [],
      // Two of each validator: both may have dialled.
      maxConnections: settings.maxConnections + 2 * this.#validators.size,
      pingIntervalMs: settings.pingIntervalMs,
      gossip: gossipOptions({
        chainId,
        sha256,
        pointsOf: (peer) => this.#conduct.pointsOf(peer as PeerId),
      }),
      gater: gateOf({
        conduct: this.#conduct,
        isValidator,
        maxConnections: settings.maxConnections,
        connections: () => this.#running?.node.getConnections() ?? [],
      }),
      onTinyPieces: () => this.#counters.add('connections_cut_tiny_pieces'),
      ...(this.#options.metrics === undefined ? {} : { metrics: this.#options.metrics }),
    })
    const shared = { node, conduct: this.#conduct, counters: this.#counters, log: handler.log, chainId, now }
    const admission = this.#admission
    const connections = () => node.getConnections()
    const gossip = new Gossip({
      ...shared,
      pubsub: node.services.pubsub,
      admission,
      connections,
      isValidator,
      isCovered: () => direct.openCount >= otherValidators,
    })
    const direct: DirectStreams = new DirectStreams({ ...shared, admission })
    const outgoing = new Outgoing({
      ...shared,
      gossip,
      direct,
      admission,
      otherValidators,
      peerCount: () => peers.count,
      directBatchBytesMax: settings.directBatchBytesMax,
    })
    const protocols: Protocols = new Protocols({
      genesis,
      context: this.verifier.context,
      requests: new Requests(shared),
      admission,
      handler,
      onStatus: (peer, status) => peers.takeStatus(peer, status),
      knownPeers: (asker) => peers.knownFor(asker),
    })
    const peers: Peers = new Peers({
      ...shared,
      genesisHash: genesis.hash,
      isValidator,
      book: this.#book,
      direct,
      protocols: () => protocols,
      scoreOf: (peer) => scoreOf(node, peer),
      bootstrap: bootstrap ?? [],
      settings,
      handler,
    })
    return { node, gossip, direct, outgoing, protocols, peers }
  }

  #cutOff(peer: PeerId, reason: string): void {
    this.#counters.add('peers_cut_off')
    this.#options.handler.log.warn({ peer, reason }, 'peer cut off')
    // Not from inside its own read.
    setImmediate(() => this.#running?.peers.disconnect(peer, 'cut off'))
  }

  #infoOf({ node, peers }: Running, peer: PeerId, connections: readonly Connection[]): PeerInfo {
    const validator = this.#validators.get(peer)
    const latencyMs = peers.latencyOf(peer)
    const known = this.#book.addressesOf(peer)
    return {
      peer,
      addresses: known.length > 0 ? known : connections.map(({ remoteAddr }) => remoteAddr.toString()),
      ...(validator === undefined ? {} : { validator }),
      direction: connections[0]?.direction ?? 'inbound',
      ...(latencyMs === undefined ? {} : { latencyMs }),
      score: scoreOf(node, peer),
      invalidCount: this.#conduct.invalidCountOf(peer),
      greeted: peers.isGreeted(peer),
    }
  }

  #started(): Running {
    if (this.#running === undefined) throw new NetworkError({ code: 'not-started' })
    return this.#running
  }
}

/** The type of gossipsub does not name its method. */
function scoreOf({ services: { pubsub } }: Libp2pNode, peer: PeerId): number {
  if (!('getScore' in pubsub) || typeof pubsub.getScore !== 'function') return 0
  const score: unknown = pubsub.getScore(peer)
  return typeof score === 'number' ? score : 0
}
