// Looks after the peers that are connected: asks each for its status and for others, renews connections on which gossip
// broke, and cuts off who belongs to another chain or misbehaves. How they come to be connected is dialler.ts, whom to
// dial when address-book.ts.
import type { Connection, IdentifyResult, PeerId as Libp2pPeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { PeerStatus } from '../codec/index.ts'
import type { Hash, PeerId } from '../types/index.ts'
import { Dialler, type DiallerOptions } from './dialler.ts'
import type { DirectStreams } from './direct.ts'
import { messageOf, networkErrorCode } from './errors.ts'
import { hasGossip } from './gossip.ts'
import { graylistScore } from './gossip-options.ts'
import type { Libp2pNode } from './libp2p.ts'
import { isLoopback, listedPeersMax } from './peer-list.ts'
import type { KnownPeer, NetworkHandler, NetworkSettings } from './ports.ts'
import type { Protocols } from './protocols.ts'

export interface PeersOptions extends DiallerOptions {
  readonly node: Libp2pNode
  readonly genesisHash: Hash
  readonly isValidator: (peer: PeerId) => boolean
  readonly direct: DirectStreams
  readonly protocols: () => Protocols
  readonly scoreOf: (peer: PeerId) => number
  readonly settings: NetworkSettings
  readonly handler: NetworkHandler
}

/** A connected peer; as many as there are connections at most. */
interface Session {
  readonly peer: PeerId
  isGreeted: boolean
  isAsking: boolean
  statusAt: number
  statusFailures: number
  exchangeAt: number
  exchanges: number
  gossipBrokenSince?: number
  latencyMs?: number
}

const tickMs = 100
const healthEveryTicks = 10
/** Before it is greeted a peer is asked again this soon; so often, then it is no peer of ours. */
const greetRetryMs = 500
const greetFailuresMax = 6
/** Who tells its status unasked is asked after a silence of so many intervals. */
const statusSilenceFactor = 1.5
/** The first questions for others come soon one after another: who was asked first knew nobody yet. */
const firstExchangesMs = [0, 1_000, 3_000]
/** Streams of gossip come and go while a connection is set up. */
const gossipGraceMs = 8_000
/** One of another chain, or that is no node of ours, is left alone for this long. */
const strangerRestMs = 60_000
/** A peer of another chain reads the answer that tells it so. */
const farewellMs = 200

export class Peers {
  readonly #options: PeersOptions
  readonly #dialler: Dialler
  readonly #sessions = new Map<PeerId, Session>()
  #timer: NodeJS.Timeout | undefined
  #ticks = 0

  constructor(options: PeersOptions) {
    this.#options = options
    this.#dialler = new Dialler(options)
  }

  /** Learns the addresses of before, listens for connections, and begins to dial. libp2p must run. */
  async start(): Promise<void> {
    const { node } = this.#options
    await this.#dialler.start()
    node.addEventListener('peer:connect', this.#onConnect)
    node.addEventListener('peer:disconnect', this.#onDisconnect)
    node.addEventListener('peer:identify', this.#onIdentify)
    // Who connected while addresses were read.
    for (const peer of node.getPeers()) this.#begin(peer.toString() as PeerId)
    this.#timer = setInterval(() => this.#tick(), tickMs)
  }

  async stop(): Promise<void> {
    const { node } = this.#options
    clearInterval(this.#timer)
    this.#timer = undefined
    node.removeEventListener('peer:connect', this.#onConnect)
    node.removeEventListener('peer:disconnect', this.#onDisconnect)
    node.removeEventListener('peer:identify', this.#onIdentify)
    await this.#dialler.stop()
  }

  /** Connected peers, whatever they are. */
  get count(): number {
    return this.#sessions.size
  }

  /** Peers that told their status and are of this chain. */
  greeted(): PeerId[] {
    return [...this.#sessions.values()].filter(({ isGreeted }) => isGreeted).map(({ peer }) => peer)
  }

  isGreeted(peer: PeerId): boolean {
    return this.#sessions.get(peer)?.isGreeted ?? false
  }

  latencyOf(peer: PeerId): number | undefined {
    const pings = this.#connectionsOf(peer).flatMap(({ rtt }) => rtt ?? [])
    return pings[0] ?? this.#sessions.get(peer)?.latencyMs
  }

  /** Takes a peer's status, asked for or brought. @returns whether it is of this chain; if not it is sent away. */
  takeStatus(peer: PeerId, status: PeerStatus): boolean {
    const { genesisHash, conduct, handler, counters } = this.#options
    if (status.genesisHash !== genesisHash) {
      if (conduct.isBanned(peer)) return false
      handler.log.warn({ peer, theirs: status.genesisHash, ours: genesisHash }, 'peer of another genesis')
      counters.add('disconnected_other_genesis')
      conduct.ban(peer, strangerRestMs)
      setTimeout(() => this.disconnect(peer, 'another genesis'), farewellMs).unref()
      return false
    }
    const session = this.#sessions.get(peer)
    if (session !== undefined) {
      this.#greet(session)
      this.#putOffAsking(session)
    }
    handler.onPeerStatus(peer, status)
    return true
  }

  /** Cuts all connections to a peer. */
  disconnect(peer: PeerId, reason: string): void {
    for (const connection of this.#connectionsOf(peer)) connection.abort(new Error(reason))
  }

  /** What a peer that asks is told: addresses that are sure, in no order where they are many. */
  knownFor(asker: PeerId): KnownPeer[] {
    const isNear = this.#isNear(asker)
    const known = this.#options.book.sure().flatMap(({ peer, addresses }) => {
      const told = isNear ? addresses : addresses.filter((address) => !isLoopback(address))
      return peer === asker || told.length === 0 ? [] : [{ peer, addresses: told }]
    })
    if (known.length > listedPeersMax) known.sort(() => Math.random() - 0.5)
    return known
  }

  readonly #onConnect = (event: CustomEvent<Libp2pPeerId>) => {
    this.#begin(event.detail.toString() as PeerId)
  }

  readonly #onDisconnect = (event: CustomEvent<Libp2pPeerId>) => {
    const { node, book, conduct, direct, settings, handler } = this.#options
    const peer = event.detail.toString() as PeerId
    // libp2p would remember every identity that was ever made up; what is worth knowing is in the address book.
    void node.peerStore.delete(event.detail).catch(() => {
      // It is in memory and closes with the node.
    })
    this.#sessions.delete(peer)
    direct.forget(peer)
    handler.log.debug({ peer }, 'peer disconnected')
    if (conduct.isBanned(peer)) book.rest(peer, settings.validatorBanMs)
    else book.lost(peer)
  }

  readonly #onIdentify = (event: CustomEvent<IdentifyResult>) => {
    const { peerId, listenAddrs, connection } = event.detail
    const isNear = isLoopback(connection.remoteAddr.toString())
    const addresses = listenAddrs.map((address) => address.toString())
    this.#dialler.learn(peerId.toString() as PeerId, { addresses, isNear, source: 'itself' })
  }

  #begin(peer: PeerId): void {
    if (this.#sessions.has(peer)) return
    const now = this.#options.now()
    this.#sessions.set(peer, {
      peer,
      isGreeted: false,
      isAsking: false,
      statusAt: now,
      statusFailures: 0,
      exchangeAt: now,
      exchanges: 0,
    })
    this.#options.handler.log.debug({ peer }, 'peer connected')
    this.#attend(peer)
  }

  #tick(): void {
    this.#ticks += 1
    this.#dialler.tick(new Set(this.#sessions.keys()))
    const isHealthTick = this.#ticks % healthEveryTicks === 0
    for (const peer of this.#sessions.keys()) {
      this.#attend(peer)
      if (isHealthTick) this.#checkHealth(peer)
    }
  }

  /** Asks a peer what is due, one thing at a time. */
  #attend(peer: PeerId): void {
    const session = this.#sessions.get(peer)
    if (session === undefined || session.isAsking) return
    const now = this.#options.now()
    if (session.isGreeted && this.#options.isValidator(peer)) this.#options.direct.ensure(peer)
    if (session.statusAt <= now) void this.#ask(session, () => this.#askStatus(session))
    else if (session.isGreeted && session.exchangeAt <= now)
      void this.#ask(session, () => this.#askForPeers(session))
  }

  async #ask(session: Session, question: () => Promise<void>): Promise<void> {
    session.isAsking = true
    try {
      await question()
    } finally {
      session.isAsking = false
    }
    // The next question at once where one is due.
    if (this.#timer !== undefined && this.#sessions.get(session.peer) === session) this.#attend(session.peer)
  }

  async #askStatus(session: Session): Promise<void> {
    const { protocols, settings, now } = this.#options
    const askedAt = now()
    session.statusAt = askedAt + (session.isGreeted ? settings.statusIntervalMs : greetRetryMs)
    try {
      const status = await protocols().requestStatus(session.peer)
      session.latencyMs = now() - askedAt
      session.statusFailures = 0
      this.takeStatus(session.peer, status)
    } catch (error) {
      this.#onStatusFailed(session, error)
    }
  }

  /** Who has just told its status, asked or by asking, need not be asked: a request opens a stream, and asking twice took a
   *  seventh of what idle nodes use (measured). Once it is asked all the same, to learn how far away it is. */
  #putOffAsking(session: Session): void {
    const { settings, now } = this.#options
    if (session.latencyMs !== undefined)
      session.statusAt = now() + statusSilenceFactor * settings.statusIntervalMs
  }

  #onStatusFailed(session: Session, error: unknown): void {
    const { book, counters, handler } = this.#options
    const { peer, isGreeted } = session
    if (networkErrorCode(error) === undefined) throw error
    handler.log.debug({ peer, error: messageOf(error) }, 'peer did not tell its status')
    session.statusFailures += 1
    if (isGreeted || session.statusFailures < greetFailuresMax) return
    counters.add('disconnected_no_greeting')
    this.disconnect(peer, 'does not speak the protocols of this chain')
    book.rest(peer, strangerRestMs)
  }

  #greet(session: Session): void {
    if (session.isGreeted) return
    session.isGreeted = true
    const { node, isValidator, direct } = this.#options
    if (!isValidator(session.peer)) return
    direct.ensure(session.peer)
    // Where connections are too many, libp2p closes those of peers without a tag first.
    const tags = { 'diseq-validator': { value: 100 } }
    void node.peerStore.merge(peerIdFromString(session.peer), { tags }).catch(() => {
      // The store is in memory and closes with the node: there is nothing to keep then.
    })
  }

  async #askForPeers(session: Session): Promise<void> {
    const { protocols, settings, handler, now } = this.#options
    const { peer } = session
    session.exchanges += 1
    session.exchangeAt = now() + (firstExchangesMs[session.exchanges] ?? settings.peerExchangeIntervalMs)
    try {
      const isNear = this.#isNear(peer)
      for (const { peer: other, addresses } of await protocols().requestPeers(peer))
        this.#dialler.learn(other, { addresses, isNear, source: 'hearsay' })
    } catch (error) {
      if (networkErrorCode(error) === undefined) throw error
      handler.log.debug({ peer, error: messageOf(error) }, 'peer did not tell of others')
    }
  }

  /** A connection without gossip is worth less than none, and libp2p does not mend it. */
  #checkHealth(peer: PeerId): void {
    const { node, conduct, handler, scoreOf, now, counters } = this.#options
    const session = this.#sessions.get(peer)
    if (session === undefined) return
    if (scoreOf(peer) <= graylistScore) {
      conduct.punish(peer, 'gossip score', Number.MAX_SAFE_INTEGER)
      return
    }
    if (hasGossip(node.services.pubsub, this.#connectionsOf(peer))) {
      delete session.gossipBrokenSince
      return
    }
    session.gossipBrokenSince ??= now()
    if (now() - session.gossipBrokenSince < gossipGraceMs) return
    handler.log.info({ peer }, 'gossip with this peer broke; connecting anew')
    counters.add('connections_renewed')
    this.disconnect(peer, 'gossip broke')
  }

  #isNear(peer: PeerId): boolean {
    return this.#connectionsOf(peer).some(({ remoteAddr }) => isLoopback(remoteAddr.toString()))
  }

  #connectionsOf(peer: PeerId): Connection[] {
    return this.#options.node.getConnections(peerIdFromString(peer))
  }
}
