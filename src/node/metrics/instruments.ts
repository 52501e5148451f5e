// Every metric of our own, by name: what it counts, in which unit, and with which labels. Labels have a bounded number of
// values: validators, kinds and reasons, never a peer's or client's words.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { type NetworkFamily, networkFamilies } from './network-figures.ts'

const milliseconds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30]
const fineMilliseconds = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]

export type Instruments = ReturnType<typeof makeInstruments>

export function makeInstruments(registry: Registry) {
  const registers = [registry]
  const gauge = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name, help, labelNames, registers })
  const counter = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, labelNames, registers })
  const histogram = <L extends string = never>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
    buckets = milliseconds,
  ) => new Histogram<L>({ name, help, labelNames, buckets, registers })

  return {
    // The node
    info: gauge('diseq_node_info', 'Always 1; the labels say what runs', [
      'version',
      'chain',
      'peer',
      'validator',
    ]),
    isReady: gauge('diseq_node_ready', '1 where /health/ready says so'),
    isSigning: gauge('diseq_node_signing', '1 where this node votes: a validator whose record is in order'),

    // The chain
    finalHeight: gauge('diseq_chain_final_height', 'Height of the last final block'),
    bestKnownHeight: gauge(
      'diseq_chain_best_known_height',
      'The highest height that validators say is final, more than may lie',
    ),
    finalBlockTime: gauge('diseq_chain_final_block_time_seconds', 'Time of the last final block (Unix)'),
    blocks: counter('diseq_chain_blocks_total', 'Blocks made final here: by voting, or by asking peers', [
      'way',
    ]),
    messages: counter('diseq_chain_messages_total', 'Messages in those blocks'),
    batches: counter('diseq_chain_batches_total', 'Batches in those blocks'),
    batchBytes: counter('diseq_chain_batch_bytes_total', 'Bytes of those batches'),
    dropped: counter(
      'diseq_chain_dropped_messages_total',
      'Accepted messages that can no longer be in the chain',
      ['state'],
    ),
    finality: histogram(
      'diseq_batch_finality_seconds',
      'From the reception of a batch by this validator to its block on disk',
    ),

    // Consensus
    height: gauge('diseq_consensus_height', 'Height under way'),
    view: gauge('diseq_consensus_view', 'View under way; 0 unless leaders fail'),
    views: counter(
      'diseq_consensus_views_total',
      'Views of the blocks made final: those that made them, and failed ones',
      ['outcome'],
    ),
    timeouts: counter(
      'diseq_consensus_timeouts_total',
      'Timers that ran out: of a view, or of its finalization',
      ['timer'],
    ),
    phase: histogram(
      'diseq_consensus_phase_seconds',
      'Time of each phase of a height',
      ['phase'],
      fineMilliseconds,
    ),
    ownVotes: counter('diseq_consensus_signed_total', 'What this validator wanted to sign', ['kind']),
    signaturesRefused: counter(
      'diseq_consensus_signatures_refused_total',
      'What its signing record refused to sign',
    ),
    missedCommitments: counter(
      'diseq_consensus_missed_commitments_total',
      "Blocks without this validator's pool commitment: it was down, slow or cut off",
      ['validator'],
    ),
    missedVotes: counter(
      'diseq_consensus_missed_votes_total',
      "Finalizations, as this node holds them, without this validator's vote; a quorum is enough, so some is normal",
      ['validator'],
    ),
    convicted: gauge('diseq_consensus_evidence_validators', 'Validators that were caught signing twice'),

    // The pool
    poolBatches: gauge('diseq_pool_batches', 'Batches that wait'),
    poolMessages: gauge('diseq_pool_messages', 'Messages that wait'),
    poolBytes: gauge('diseq_pool_size_bytes', 'Bytes of what waits'),
    poolMaxBytes: gauge('diseq_pool_limit_bytes', 'The bound of it: what exceeds it is answered 503'),
    poolOldest: gauge(
      'diseq_pool_oldest_age_seconds',
      'Age of the oldest batch that waits; 0 where none does',
    ),
    poolRefused: counter('diseq_pool_refused_total', 'Batches that the pool did not take', ['reason']),
    batchesWanted: gauge('diseq_pool_batches_wanted', 'Batches that are being asked for'),
    batchesDropped: counter('diseq_pool_batches_dropped_total', 'Batches dropped at the door, under load'),

    // Peers
    peers: gauge('diseq_network_peers', 'Connected peers', ['kind']),
    connectedPower: gauge(
      'diseq_network_connected_power',
      'Voting power of the connected validators and this one',
    ),
    quorumPower: gauge('diseq_network_quorum_power', 'Power that decides'),
    validatorConnected: gauge('diseq_network_validator_connected', '1 where connected', ['validator']),
    validatorScore: gauge('diseq_network_validator_score', 'Gossip score; below 0 is bad', ['validator']),
    validatorLatency: gauge('diseq_network_validator_latency_seconds', 'Round trip', ['validator']),
    lowestScore: gauge(
      'diseq_network_lowest_score',
      'Gossip score of the worst connected peer; 0 where there is none',
    ),
    invalid: gauge('diseq_network_invalid_frames', 'What connected peers sent that could not be valid'),
    gossipQueue: gauge('diseq_network_gossip_queue_bytes', 'Bytes that wait to be sent by gossip'),
    signaturesVerified: counter(
      'diseq_network_signatures_verified_total',
      'Signatures of frames and blocks that were checked',
    ),
    network: Object.fromEntries(
      Object.entries(networkFamilies).map(([name, { help, labels }]) => [
        name,
        counter(name, help, [...labels]),
      ]),
    ) as Record<NetworkFamily, Counter<string>>,

    // Sync
    behind: gauge('diseq_sync_blocks_behind', 'Final blocks that peers have and this node has not'),

    // The disk
    write: histogram(
      'diseq_storage_write_seconds',
      'Time of a write; synced ones are on disk when they end',
      ['file', 'sync'],
      fineMilliseconds,
    ),
    databaseBytes: gauge('diseq_storage_database_size_bytes', 'Size of the database on disk'),

    // HTTP
    requests: counter('diseq_http_requests_total', 'Requests that were answered', [
      'method',
      'route',
      'status',
    ]),
    requestTime: histogram('diseq_http_request_seconds', 'Time of requests, streams left out', ['route']),
    streamReaders: gauge('diseq_http_stream_readers', 'Clients that follow the stream'),
    streamBuffered: gauge('diseq_http_stream_buffered_bytes', 'Bytes of events that their connections hold'),
    streamLetGo: counter(
      'diseq_http_stream_let_go_total',
      'Clients that were let go because they took nothing',
    ),
  }
}
