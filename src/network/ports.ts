// What the network needs of the node (`NetworkHandler`), and the plain data it gives out.
import type { ComponentLogger, Metrics } from '@libp2p/interface'
import type { BatchesRequest, BlocksRequest, PeerStatus, ViewRequest } from '../codec/index.ts'
import type { Evidence, Genesis, Height, PeerId, ValidatorIndex, View } from '../types/index.ts'
import type { VerifiedFrame } from './verify.ts'

/** A logger as pino's and others' look; the network keeps none of its own. */
export interface NetworkLogger {
  debug(data: object, message: string): void
  info(data: object, message: string): void
  warn(data: object, message: string): void
  error(data: object, message: string): void
}

/** A peer and where it was reached or said to be; addresses are multiaddrs without the peer id. */
export interface KnownPeer {
  readonly peer: PeerId
  readonly addresses: readonly string[]
}

/** Which frames are of use to the node. */
export interface HeightWindow {
  /** The height final here; frames of `final + 1` and `final + 2` are taken. */
  readonly final: Height
  /** The highest view of `final + 1` whose votes and proposals are looked at; absent: any. */
  readonly viewMax?: View
  /** Who leads a view of `final + 1`; absent: that is not known. */
  readonly leaderOf?: (view: View) => ValidatorIndex
}

/** The node's side. Methods are called on the event loop's turn of the frame: they must be quick (queue the work). */
export interface NetworkHandler {
  /** A verified frame of a height in the window, or a batch; each distinct frame about once (a bounded memory). An
   *  exception here is a bug of the node and ends the process. */
  onFrame(frame: VerifiedFrame, from: PeerId): void
  /** A validator signed something for a height beyond the window: this node is behind. At most one call a second
   *  and height. */
  onAhead(height: Height, from: PeerId): void
  heightWindow(): HeightWindow
  status(): PeerStatus
  /** Encoded frames that the asker lacks. `pushed` verified and may be acted on. */
  answerView(
    request: ViewRequest,
    pushed: readonly VerifiedFrame[],
    from: PeerId,
  ): Promise<readonly Uint8Array[]>
  /** Encoded batch frames. */
  answerBatches(
    request: BatchesRequest,
    pushed: readonly VerifiedFrame[],
    from: PeerId,
  ): Promise<readonly Uint8Array[]>
  /** Encoded final blocks of consecutive heights from `request.from` on, at most `request.count`; fewer, or none,
   *  where this node has no more. It is read as slowly as the asker reads. */
  answerBlocks(request: BlocksRequest, from: PeerId): AsyncIterable<Uint8Array>
  /** A peer of this chain told its status: on connect, and on a slow timer. */
  onPeerStatus(peer: PeerId, status: PeerStatus): void
  /** What `savePeers` stored last; empty at first. */
  loadPeers(): Promise<readonly KnownPeer[]>
  /** Need not be durable at once: addresses are asked for again. */
  savePeers(peers: readonly KnownPeer[]): Promise<void>
  readonly log: NetworkLogger
}

export interface NetworkOptions {
  readonly genesis: Genesis
  /** 32-byte Ed25519 seed of the node's libp2p identity. */
  readonly identitySeed: Uint8Array
  /** Multiaddrs to listen on, for one `/ip4/0.0.0.0/tcp/9080`; port 0 lets the system choose. */
  readonly listen: readonly string[]
  /** Multiaddrs to tell others in place of those listened on. */
  readonly announce?: readonly string[]
  /** Multiaddrs of peers to begin with, with or without `/p2p/<id>`. */
  readonly bootstrap?: readonly string[]
  readonly handler: NetworkHandler
  /** Whether the two payloads of evidence contradict each other; without it only their signatures are checked. */
  readonly convicts?: (evidence: Evidence) => boolean
  readonly settings?: Partial<NetworkSettings>
  /** Takes libp2p's own metrics. */
  readonly metrics?: Libp2pMetrics
}

/** Makes libp2p's collector of metrics, as `@libp2p/prometheus-metrics` does. */
export type Libp2pMetrics = (components: { logger: ComponentLogger }) => Metrics

/** What an operator or a test may tune. */
export interface NetworkSettings {
  /** Connections with strangers; validators always find room beside them. */
  readonly maxConnections: number
  /** Peers that a node dials for, beyond validators and bootstrap peers. */
  readonly wantedPeers: number
  readonly statusIntervalMs: number
  readonly peerExchangeIntervalMs: number
  readonly pingIntervalMs: number
  /** First and longest wait before a peer is dialled again. */
  readonly redialMinMs: number
  readonly redialMaxMs: number
  /** For how long a peer that was cut off is refused. */
  readonly banMs: number
  /** The same for a validator: its absence harms the chain too. */
  readonly validatorBanMs: number
  /** Frames and bytes a second that one peer may bring; twice to four times as many at once. */
  readonly framesPerSecond: number
  readonly bytesPerSecond: number
  /** Batches above this size go by gossip only: sent twice they would cost more than they win. */
  readonly directBatchBytesMax: number
}

export const defaultSettings: NetworkSettings = {
  maxConnections: 100,
  wantedPeers: 16,
  statusIntervalMs: 10_000,
  peerExchangeIntervalMs: 30_000,
  pingIntervalMs: 10_000,
  redialMinMs: 300,
  redialMaxMs: 10_000,
  banMs: 5 * 60_000,
  validatorBanMs: 10_000,
  // Gossip costs 0.2 ms of CPU a small message: 5,000 a second are a whole core. One peer may carry all of it.
  framesPerSecond: 5_000,
  bytesPerSecond: 64 * 1024 * 1024,
  directBatchBytesMax: 4 * 1024,
}

/** A connected peer, for operators. */
export interface PeerInfo {
  readonly peer: PeerId
  readonly addresses: readonly string[]
  readonly validator?: ValidatorIndex
  readonly direction: 'inbound' | 'outbound'
  /** Round trip of the last ping or request. */
  readonly latencyMs?: number
  /** Gossip score; 0 is good, below is bad. */
  readonly score: number
  /** Frames and answers of it that could not be valid. */
  readonly invalidCount: number
  /** It told its status, and is of this chain. */
  readonly greeted: boolean
}
