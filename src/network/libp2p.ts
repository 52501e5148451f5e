// The libp2p node: TCP, Noise, Yamux, identify, ping, gossipsub. Only built here; network.ts starts it.
import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { type GossipSub, type GossipsubOpts, gossipsub } from '@libp2p/gossipsub'
import { type Identify, identify } from '@libp2p/identify'
import type { ConnectionGater, Libp2p } from '@libp2p/interface'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { withStreams } from './encrypter.ts'
import { quietYamux } from './muxer.ts'
import { noiseCrypto } from './noise-crypto.ts'
import { readingQuietly } from './packet-lengths.ts'
import type { Libp2pMetrics } from './ports.ts'
import { withoutTinyPieces } from './tiny-pieces.ts'
import { sendingWhole } from './whole-packets.ts'

export interface NodeServices extends Record<string, unknown> {
  identify: Identify
  ping: Ping
  pubsub: GossipSub
}

export type Libp2pNode = Libp2p<NodeServices>

export interface NodeOptions {
  /** 32-byte Ed25519 seed of the peer id. */
  readonly identitySeed: Uint8Array
  readonly listen: readonly string[]
  /** What others are told in place of `listen`; empty: what is listened on. */
  readonly announce: readonly string[]
  readonly maxConnections: number
  readonly pingIntervalMs: number
  readonly gossip: Partial<GossipsubOpts>
  readonly gater: ConnectionGater
  readonly metrics?: Libp2pMetrics
  /** A connection was cut for bringing too many tiny pieces. */
  readonly onTinyPieces?: () => void
}

const MiB = 1024 * 1024
/** A dial is short, the next one comes soon (address-book.ts): after a partition heals nobody waits long. */
const dialTimeoutMs = 5_000
const addressDialTimeoutMs = 3_000
/** A process that is held up for some seconds is no dead process. */
const pingTimeoutMinMs = 10_000
const pingTimeoutMaxMs = 20_000
/** New connections a second from one address: whole networks live behind one. */
const inboundPerHostPerSecond = 50

const muxer = quietYamux({
  maxInboundStreams: 256,
  maxOutboundStreams: 256,
  streamOptions: {
    // What a paused reader may still get must fit its buffer, or the stream is reset (streams.ts).
    maxStreamWindowSize: 4 * MiB,
    maxReadBufferLength: 8 * MiB,
  },
})

/** A node that neither listens nor dials before its `start()`. @throws if the seed has no 32 bytes or an address is
 *  no multiaddr. */
export async function createNode(options: NodeOptions): Promise<Libp2pNode> {
  const { listen, announce, maxConnections, pingIntervalMs, gossip, gater, metrics } = options
  return createLibp2p<NodeServices>({
    start: false,
    ...(metrics === undefined ? {} : { metrics }),
    privateKey: await generateKeyPairFromSeed('Ed25519', options.identitySeed),
    nodeInfo: { name: 'diseq', version: '1' },
    addresses: { listen: [...listen], announce: [...announce] },
    transports: [tcp()],
    connectionEncrypters: [
      withStreams(noise({ crypto: noiseCrypto }), { raw: sendingWhole, secured: readingQuietly }),
    ],
    streamMuxers: [
      () =>
        withoutTinyPieces(muxer(), {
          now: () => performance.now(),
          onCut: options.onTinyPieces ?? (() => {}),
        }),
    ],
    connectionGater: gater,
    connectionManager: {
      maxConnections,
      dialTimeout: dialTimeoutMs,
      addressDialTimeout: addressDialTimeoutMs,
      maxPeerAddrsToDial: 8,
      maxParallelDials: 16,
      inboundConnectionThreshold: inboundPerHostPerSecond,
      maxIncomingPendingConnections: 64,
      // Redialling is ours (dialler.ts): libp2p gives up (measured).
      reconnectRetries: 0,
    },
    connectionMonitor: {
      pingInterval: pingIntervalMs,
      pingTimeout: { minTimeout: pingTimeoutMinMs, maxTimeout: pingTimeoutMaxMs },
      abortConnectionOnPingFailure: true,
    },
    services: {
      identify: identify({ maxInboundStreams: 2, maxOutboundStreams: 2 }),
      ping: ping({ maxInboundStreams: 4, maxOutboundStreams: 4 }),
      pubsub: gossipsub(gossip),
    },
  })
}
