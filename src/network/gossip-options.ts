// Gossipsub as this protocol needs it (measured, see docs): unsigned envelopes around frames that carry their own
// signatures, ids by content, peer scores that blame invalid frames and nothing else.
import type { GossipsubOpts } from '@libp2p/gossipsub'
import type { GossipChannel } from './admission.ts'
import { pointsMax } from './peer-conduct.ts'

export interface GossipScores {
  readonly chainId: string
  readonly sha256: (bytes: Uint8Array) => Uint8Array
  /** Points of a peer for what it did outside gossip too (peer-conduct.ts). */
  readonly pointsOf: (peer: string) => number
}

export const gossipChannels: readonly GossipChannel[] = ['messages', 'proposals', 'commitments']

/** What gossipsub is able to send: an envelope over 4 MiB fails at the sender without a word, and a receiver with a
 *  lower limit would lose all later gossip of the sender (measured). Should that happen all the same, peers.ts
 *  renews the connection. */
const envelopeMaxBytes = 4 * 1024 * 1024
/** A peer that reads so slowly is cut off from gossip, and dialled anew. */
const unsentMaxBytes = 32 * 1024 * 1024
/** For how long ids are remembered to drop duplicates. About 200 bytes each, at most the sum of all peers' rates. */
const seenMs = 60_000
/** By the square of the number of invalid frames: the tenth ends it, here as in peer-conduct.ts. */
const invalidWeight = -10
const utf8 = new TextEncoder()

export function topicOf(chainId: string, channel: GossipChannel): string {
  return `diseq/${chainId}/${channel}`
}

/** Below it a peer's gossip is not even read; network.ts cuts the connection too. */
export const graylistScore = invalidWeight * pointsMax ** 2

export function gossipOptions({ chainId, sha256, pointsOf }: GossipScores): Partial<GossipsubOpts> {
  const topics = gossipChannels.map((channel) => topicOf(chainId, channel))
  return {
    globalSignaturePolicy: 'StrictNoSign',
    msgIdFn: ({ topic, data }) => sha256(Buffer.concat([utf8.encode(`${topic}\n`), data])),
    msgIdToStrFn: (id) => Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1'),
    allowedTopics: topics,
    emitSelf: false,
    doPX: false,
    fallbackToFloodsub: false,
    // The first hop goes to every peer: a vote should not wait for a forwarder.
    floodPublish: true,
    batchPublish: true,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    // Up to a dozen peers everybody is in everybody's mesh.
    D: 6,
    Dlo: 4,
    Dhi: 12,
    seenTTL: seenMs,
    // What can be asked for again stays below an envelope; older losses are mended by requests.
    mcacheLength: 3,
    mcacheGossip: 2,
    maxInboundDataLength: envelopeMaxBytes,
    maxOutboundBufferSize: unsentMaxBytes,
    // One each way; more only while one is renewed.
    maxInboundStreams: 2,
    maxOutboundStreams: 2,
    maxTopicBytesPerPeer: 16 * 1024,
    scoreParams: {
      topics: Object.fromEntries(topics.map((topic) => [topic, topicScore])),
      topicScoreCap: 1,
      appSpecificScore: (peer) => invalidWeight * pointsOf(peer) ** 2,
      appSpecificWeight: 1,
      // Whole networks live behind one address (containers, one machine).
      IPColocationFactorWeight: 0,
      // A held-up process breaks promises too; only a habit of it counts.
      behaviourPenaltyWeight: -1,
      behaviourPenaltyThreshold: 20,
      behaviourPenaltyDecay: 0.9,
      decayInterval: 1_000,
      decayToZero: 0.01,
      // What it did is remembered by peer-conduct.ts; here a validator back from its ban begins anew.
      retainScore: 5_000,
    },
    scoreThresholds: {
      gossipThreshold: graylistScore / 4,
      publishThreshold: graylistScore / 2,
      graylistThreshold: graylistScore,
      acceptPXThreshold: Number.MAX_SAFE_INTEGER,
      opportunisticGraftThreshold: 0,
    },
  }
}

/** The defaults reward long presence, which hides later faults, and punish meshes that are idle, as honest ones are
 *  (measured): what remains is the square of invalid frames. */
const topicScore = {
  topicWeight: 1,
  timeInMeshWeight: 0,
  timeInMeshQuantum: 1_000,
  timeInMeshCap: 1,
  firstMessageDeliveriesWeight: 0,
  firstMessageDeliveriesDecay: 0.5,
  firstMessageDeliveriesCap: 1,
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesDecay: 0.5,
  meshMessageDeliveriesCap: 1,
  meshMessageDeliveriesThreshold: 1,
  meshMessageDeliveriesWindow: 0,
  meshMessageDeliveriesActivation: 1_000,
  meshFailurePenaltyWeight: 0,
  meshFailurePenaltyDecay: 0.5,
  invalidMessageDeliveriesWeight: invalidWeight,
  // Halves in about a minute, as peer-conduct.ts has it.
  invalidMessageDeliveriesDecay: 0.988,
}
