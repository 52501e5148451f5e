// Builds a node and runs it: everything it is made of is put together here, in the order in which it has to start,
// and taken apart in the reverse.
import { readFileSync } from 'node:fs'
import { prometheusMetrics } from '@libp2p/prometheus-metrics'
import { type ApiPorts, type ApiServer, createServer, type ReplyTime } from '../api/index.ts'
import type { PeerStatus } from '../codec/index.ts'
import { createSigner, createVrfProver, publicKeyOf, sha256, signingInput } from '../crypto/native/index.ts'
import { Network, type NetworkHandler } from '../network/index.ts'
import { conflictOf } from '../sequencing/index.ts'
import {
  ChainStore,
  checkAgainstDatabase,
  LevelStore,
  NodeRecordFile,
  type RecordFile,
  SigningRecord,
} from '../storage/index.ts'
import type { PeerId, SignedKind, ValidatorIndex } from '../types/index.ts'
import { type ApiViewOptions, apiView } from './api-view.ts'
import { systemClock } from './clock.ts'
import { homePaths, type NodeIdentity, readIdentity } from './home.ts'
import { NodeMetrics } from './metrics/node-metrics.ts'
import { timedFile, timedStore } from './metrics/timed-storage.ts'
import { watchForOperator } from './operator-watch.ts'
import type { HostPort } from './option-types.ts'
import type { NodeConfig } from './options.ts'
import { PendingKeys } from './pending-keys.ts'
import type { Keys, Log, Transport, Verifier } from './ports.ts'
import { ProofMaker, type ReceiptSigner } from './proof-maker.ts'
import { Replica } from './replica.ts'
import { tuneRuntime } from './runtime.ts'
import { Signing } from './signing.ts'
import { softwareVersion } from './version.ts'

export interface NodeOptions {
  readonly home: string
  readonly config: NodeConfig
  readonly log: Log
}

export interface RunningNode {
  /** `http://host:port` of the API. */
  readonly httpAddress: string
  readonly internalHttpAddress: string | undefined
  /** Multiaddrs with the peer id. */
  readonly p2pAddresses: readonly string[]
  /** Resolves when the node no longer runs; with the error where it stopped by itself. */
  readonly stopped: Promise<Error | undefined>
  stop(): Promise<void>
}

/** Runs the node of a home. @throws HomeError, StorageError, or what listening throws; nothing keeps running then. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  tuneRuntime()
  const node = new Node(options)
  try {
    await node.start()
  } catch (error) {
    await node.stop()
    throw error
  }
  return node
}

class Node implements RunningNode {
  readonly stopped: Promise<Error | undefined>
  readonly #options: NodeOptions
  /** What has started, to be stopped in reverse. */
  readonly #started: (() => Promise<void>)[] = []
  readonly #statuses = new Map<PeerId, PeerStatus>()
  #validators: ReadonlyMap<PeerId, ValidatorIndex> = new Map()
  readonly #metrics = new NodeMetrics()
  #resolveStopped: (error: Error | undefined) => void = () => undefined
  #stopping: Promise<void> | undefined
  #failure: Error | undefined
  #replica: Replica | undefined
  #network: Network | undefined
  httpAddress = ''
  internalHttpAddress: string | undefined

  constructor(options: NodeOptions) {
    this.#options = options
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve
    })
  }

  get p2pAddresses(): readonly string[] {
    return this.#network?.addresses() ?? []
  }

  async start(): Promise<void> {
    const { home, config, log } = this.#options
    const identity = readIdentity(home)
    const { genesis } = identity
    this.#validators = new Map(genesis.validators.map(({ peerId }, index) => [peerId, index]))
    const paths = homePaths(home)
    const metrics = this.#metrics
    metrics.start()
    const database = timedStore(await LevelStore.open(paths.database), metrics.onWrite('database'))
    const store = await ChainStore.open({ store: database, genesis })
    this.#started.push(() => store.close())
    const keys = keysOf(identity)
    const recordFile = timedFile(new NodeRecordFile(paths.signingRecord), metrics.onWrite('signing-record'))
    const signing = await openSigning({ identity, path: paths.signingRecord, file: recordFile, store, log })
    const network = new Network({
      genesis,
      identitySeed: identity.keys.nodeSeed,
      listen: config.p2p,
      announce: config.announce,
      bootstrap: config.bootstrap,
      handler: this.#handler(store),
      convicts: ({ first, second }) => conflictOf(first, second) !== undefined,
      settings: { statusIntervalMs: config.statusIntervalMs },
      // The process's own figures are collected once, by NodeMetrics.
      metrics: prometheusMetrics({ registry: metrics.registry, collectDefaultMetrics: false }),
    })
    this.#network = network
    const replica = await Replica.open({
      genesis,
      settings: config,
      store,
      keys,
      signing,
      transport: transportOf(network),
      verifier: verifierOf(network),
      clock: systemClock,
      log,
      onFatal: (error) => this.#fail(error),
      observe: (input, outputs, core) => metrics.onStep(input, outputs, core),
    })
    this.#replica = replica
    await this.#startPart(
      () => replica.start(),
      () => replica.stop(),
    )
    await this.#startPart(
      () => network.start(),
      () => network.stop(),
    )
    const servers: ApiServer[] = []
    const pendingKeys = new PendingKeys(replica.mempool, sha256)
    replica.onPooled((ids) => pendingKeys.add(ids))
    replica.onFinal(({ removedBatches }) => pendingKeys.remove(removedBatches))
    const view: ApiViewOptions = {
      genesis,
      genesisText: readFileSync(paths.genesis, 'utf8'),
      replica,
      network,
      store,
      triePages: replica.trie.pages,
      pendingKeys,
      validator: keys.validator,
      version: softwareVersion(),
      startedAt: Date.now(),
      proofs: new ProofMaker({
        store,
        trie: replica.trie,
        sha256,
        receiptSigner: receiptSignerOf(identity),
        clock: systemClock,
      }),
      statusOf: (peer) => this.#statuses.get(peer),
      metricsText: () => metrics.text(),
    }
    const ports = apiView(view)
    metrics.attach({
      ...view,
      databasePath: paths.database,
      poolMaxBytes: config.poolMaxBytes,
      isSigning: () => signing?.awaitsFloor === false,
      isReady: () => ports.readiness().isReady,
      streamFigures: () => totalOf(servers),
    })
    await this.#serve(ports, servers)
    const { httpAddress } = this
    const end = watchForOperator({ ...view, readiness: () => ports.readiness(), log, httpAddress })
    this.#started.push(async () => end())
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    for (const stop of this.#started.reverse()) {
      await stop().catch((error: unknown) => this.#options.log.warn({ error }, 'a part did not stop cleanly'))
    }
    this.#resolveStopped(this.#failure)
  }

  /** Starts a part, which is stopped with the others. Where the node has to stop meanwhile, what it failed with is
   *  thrown, without waiting for a part that may never have started. */
  async #startPart(start: () => Promise<void>, stop: () => Promise<void>): Promise<void> {
    this.#started.push(stop)
    const starting = start()
    await Promise.race([starting, this.stopped])
    if (this.#stopping === undefined) return
    // It may have been stopped before it was there: then it is stopped again.
    starting.then(stop).catch((error: unknown) => this.#options.log.debug({ error }, 'a part did not start'))
    throw this.#failure ?? new Error('the node was stopped while it started')
  }

  /** What must not happen did: the process stops before it does harm. */
  #fail(error: unknown): void {
    if (this.#failure !== undefined || this.#stopping !== undefined) return
    this.#failure = error instanceof Error ? error : new Error(String(error))
    const { core, head } = this.#replica ?? {}
    const state = { height: core?.context.height, view: core?.view, finalHeight: head?.state.height }
    this.#options.log.error({ error: this.#failure, ...state }, `the node stops: ${this.#failure.message}`)
    void this.stop()
  }

  async #serve(ports: ApiPorts, servers: ApiServer[]): Promise<void> {
    const { config } = this.#options
    const listen = async (at: HostPort, server: ApiServer) => {
      servers.push(server)
      let bound = at
      await this.#startPart(
        async () => {
          bound = await server.listen(at)
        },
        () => server.close(),
      )
      const { host, port } = bound
      return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
    }
    const shared = {
      version: softwareVersion(),
      onReply: (reply: ReplyTime) => this.#metrics.onReply(reply),
      maxBodyBytes: config.maxBodyBytes,
      corsOrigins: config.corsOrigins,
      trustProxy: config.trustedProxies.length === 0 ? false : [...config.trustedProxies],
      rateLimit:
        config.rateLimitPerSecond === 0
          ? (false as const)
          : { requestsPerSecond: config.rateLimitPerSecond, burst: config.rateLimitBurst },
    }
    const { internalHttp } = config
    const surface = internalHttp === undefined ? ('all' as const) : ('public' as const)
    this.httpAddress = await listen(config.http, createServer(ports, { ...shared, surface }))
    if (internalHttp === undefined) return
    this.internalHttpAddress = await listen(
      internalHttp,
      createServer(ports, { ...shared, surface: 'internal' }),
    )
  }

  #handler(store: ChainStore): NetworkHandler {
    const { log } = this.#options
    const validatorOf = (peer: PeerId) => this.#validators.get(peer) ?? null
    const replica = () => {
      if (this.#replica === undefined) throw new Error('the network called before the replica was there')
      return this.#replica
    }
    const take = (frames: readonly Parameters<NetworkHandler['onFrame']>[0][], from: PeerId) => {
      const peer = { peerId: from, validator: validatorOf(from) }
      for (const frame of frames) replica().onFrame(frame, peer)
    }
    return {
      log,
      onFrame: (frame, from) => take([frame], from),
      onAhead: () => replica().onAhead(),
      heightWindow: () => this.#replica?.heightWindow() ?? { final: store.tip.height },
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
        this.#statuses.delete(peer)
        this.#statuses.set(peer, status)
        const [oldest] = this.#statuses.keys()
        if (this.#statuses.size > 1_000 && oldest !== undefined) this.#statuses.delete(oldest)
        replica().onPeerStatus(peer, status)
      },
      loadPeers: async () => {
        const known = store.loadPeers((error) => log.warn({ error }, 'the list of known peers is dropped'))
        return known.map(({ peerId, addresses }) => ({ peer: peerId, addresses }))
      },
      savePeers: (peers) =>
        store.savePeers(peers.map(({ peer, addresses }) => ({ peerId: peer, addresses }))),
    }
  }
}

/** What the readers of all servers come to. */
function totalOf(servers: readonly ApiServer[]): ReturnType<ApiServer['streamFigures']> {
  const total = { readers: 0, letGo: 0, bufferedBytes: 0 }
  for (const server of servers) {
    const { readers, letGo, bufferedBytes } = server.streamFigures()
    total.readers += readers
    total.letGo += letGo
    total.bufferedBytes += bufferedBytes
  }
  return total
}

function keysOf({ genesis, keys, validatorIndex }: NodeIdentity): Keys {
  const nodeSigner = createSigner(keys.nodeSeed)
  const prover = createVrfProver(keys.vrfSeed)
  return {
    validator: validatorIndex,
    nodeKey: nodeSigner.publicKey,
    signBatch: (bytes) => nodeSigner.sign(signingInput({ kind: 'batch', genesisHash: genesis.hash, bytes })),
    proveVrf: (alpha) => prover.prove(alpha),
  }
}

/** Signs receipts as the node, whether it is a validator's or not. */
function receiptSignerOf({ genesis, keys }: NodeIdentity): ReceiptSigner {
  const signer = createSigner(keys.nodeSeed)
  const sign = (bytes: Uint8Array) =>
    signer.sign(signingInput({ kind: 'receipt', genesisHash: genesis.hash, bytes }))
  return { node: signer.publicKey, sign }
}

/** The right to sign, for a validator whose record is at least as new as its database; else it follows and says why. */
async function openSigning(options: {
  identity: NodeIdentity
  path: string
  file: RecordFile
  store: ChainStore
  log: Log
}): Promise<Signing | undefined> {
  const { identity, path, file, store, log } = options
  const { genesis, keys, validatorIndex } = identity
  if (validatorIndex === undefined) return undefined
  const signer = createSigner(keys.votingSeed)
  const sign = (kind: SignedKind, bytes: Uint8Array) =>
    signer.sign(signingInput({ kind, genesisHash: genesis.hash, bytes }))
  const votingKey = publicKeyOf(keys.votingSeed)
  const record = await SigningRecord.open({
    file,
    genesisHash: genesis.hash,
    votingKey,
    sign,
  })
  const problem = checkAgainstDatabase({
    recordNumber: record.isMissing ? undefined : record.number,
    databaseNumber: store.signingNumber,
  })
  if (problem !== undefined) {
    log.error({ code: problem.code, path }, problem.reason)
    return undefined
  }
  if (record.imported) {
    log.warn(
      { path },
      'the signing record was imported or started over: nothing is signed until others of a quorum’s power tell how far they are',
    )
  }
  return new Signing({ record, validator: validatorIndex, log })
}

function transportOf(network: Network): Transport {
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

function verifierOf(network: Network): Verifier {
  return {
    verifyFrame: (frame) => network.verifier.verifyFrame(frame),
    verifyFinal: (final) => {
      const verified = network.verifier.verifyFinalBlock(final)
      return verified.ok ? { ok: true } : { ok: false, reason: verified.detail }
    },
  }
}
