// Builds a node and runs it: everything it is made of is put together here, in the order in which it has to start,
// and taken apart in the reverse.
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { prometheusMetrics } from '@libp2p/prometheus-metrics'
import { type ApiPorts, type ApiServer, createServer, type ReplyTime } from '../api/index.ts'
import { sha256 } from '../crypto/native/index.ts'
import { Network } from '../network/index.ts'
import { conflictOf } from '../sequencing/index.ts'
import { ChainStore, LevelStore, NodeRecordFile, pagesDirectory } from '../storage/index.ts'
import { type ApiViewOptions, apiView } from './api-view.ts'
import { systemClock } from './clock.ts'
import { homePaths, readIdentity } from './home.ts'
import { NodeMetrics } from './metrics/node-metrics.ts'
import { timedFile, timedStore } from './metrics/timed-storage.ts'
import { networkHandlerOf, PeerStatuses, transportOf } from './network-ports.ts'
import { watchForOperator } from './operator-watch.ts'
import type { HostPort } from './option-types.ts'
import type { NodeConfig } from './options.ts'
import { keysOf, openSigning, receiptSignerOf } from './own-keys.ts'
import { PendingKeys } from './pending-keys.ts'
import type { Log } from './ports.ts'
import { ProofMaker } from './proof-maker.ts'
import { Replica } from './replica.ts'
import { openTrieThread, wantsTrieThread } from './trie-thread.ts'
import { VerifyAhead } from './verify-ahead.ts'
import { type Claims, VerifyingThread } from './verifying-thread.ts'
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
    const paths = homePaths(home)
    const metrics = this.#metrics
    metrics.start()
    const database = timedStore(await LevelStore.open(paths.database), metrics.onWrite('database'))
    const store = await ChainStore.open({
      store: database,
      genesis,
      onMigration: ({ from, name }) =>
        log.info({ format: from + 1, name }, 'bringing the database to a new format, which may take minutes'),
    })
    this.#started.push(() => store.close())
    const keys = keysOf(identity)
    const recordFile = timedFile(new NodeRecordFile(paths.signingRecord), metrics.onWrite('signing-record'))
    const signing = await openSigning({ identity, path: paths.signingRecord, file: recordFile, store, log })
    const statuses = new PeerStatuses()
    const network = new Network({
      genesis,
      identitySeed: identity.keys.nodeSeed,
      listen: config.p2p,
      announce: config.announce,
      bootstrap: config.bootstrap,
      handler: networkHandlerOf({ genesis, store, statuses, log, replica: () => this.#replica }),
      convicts: ({ first, second }) => conflictOf(first, second) !== undefined,
      settings: { statusIntervalMs: config.statusIntervalMs },
      // The process's own figures are collected once, by NodeMetrics.
      metrics: prometheusMetrics({ registry: metrics.registry, collectDefaultMetrics: false }),
    })
    this.#network = network
    const thread = new VerifyingThread(log)
    this.#started.push(() => thread.stop())
    const find = (claims: Claims) => thread.find(claims)
    const ahead = new VerifyAhead({ genesis, verifier: network.verifier, find })
    const replica = await Replica.open({
      genesis,
      settings: config,
      store,
      ...(wantsTrieThread(config.trieThread, availableParallelism())
        ? {
            openTrie: (trie, onMissing) =>
              openTrieThread(
                {
                  ...trie,
                  directory: pagesDirectory(paths.database),
                  log,
                  onFailed: (error) => this.#fail(error),
                },
                onMissing,
              ),
          }
        : {}),
      keys,
      signing,
      transport: transportOf(network),
      verifier: network.verifier,
      schemes: ahead.schemes,
      // With one core the second thread would only take turns with the first.
      ...(availableParallelism() > 1
        ? { verifyAhead: (received, previous) => ahead.verify(received, previous) }
        : {}),
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
      statusOf: (peer) => statuses.of(peer),
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
