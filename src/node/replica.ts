// One node of the network without its sockets: pool, core, chain and disk put together. node.ts gives it real peers,
// clock and disk; the simulator imagined ones. Everything here runs on one thread, in order; the trie may be asked of
// another (trie-thread.ts).
import { commitmentEntriesMax, type Frame, type PeerStatus } from '../codec/index.ts'
import { type Contradiction, type CoreState, type Input, leaderOf, viewsAhead } from '../consensus/index.ts'
import { sha256 } from '../crypto/native/index.ts'
import { Mempool, type Origin } from '../mempool/index.ts'
import type { HeightWindow } from '../network/index.ts'
import { type Thresholds, thresholdsOf } from '../quorum/index.ts'
import type { ChainStore } from '../storage/index.ts'
import { BlockSync, type SyncPorts } from '../sync/index.ts'
import type { StateTrie } from '../trie/index.ts'
import type { Batch, BatchId, Evidence, Genesis, Height, Message, PeerId } from '../types/index.ts'
import { BatchFetcher } from './batch-fetcher.ts'
import { BlockPace } from './block-pace.ts'
import { BlockWork } from './block-work.ts'
import { Caught, evidenceOf } from './caught.ts'
import { ChainHead, type FinalEvent } from './chain-head.ts'
import { ClaimedHeights } from './claimed-heights.ts'
import type { Pace } from './core-timers.ts'
import { Driver, type StepObserver } from './driver.ts'
import { Exchange } from './exchange.ts'
import { BlockExecution } from './execution.ts'
import { FloorWatcher } from './floor-watcher.ts'
import { ListedBatches } from './listed-batches.ts'
import { ListedWants } from './listed-wants.ts'
import { PeerAnswers } from './peer-answers.ts'
import { PoolDoor } from './pool-door.ts'
import type { Clock, ConnectedPeer, Keys, Log, Transport, Verifier } from './ports.ts'
import { loadChain, loadHeight, openStateTrie, restorePool, type TrieSettings } from './restart.ts'
import { nativeSchemes, type Schemes, verifySignedOf } from './schemes.ts'
import type { Signing } from './signing.ts'
import { type Submission, Submissions } from './submission.ts'

/** From the node's configuration. */
export interface ReplicaSettings extends Pace {
  readonly statusIntervalMs: number
  readonly poolMaxBytes: number
  readonly poolMaxBatches: number
  readonly batchMaxDelayMs: number
  readonly batchMaxBytes: number
  readonly backlogMaxMs: number
}

export interface ReplicaOptions {
  readonly genesis: Genesis
  readonly settings: ReplicaSettings
  readonly store: ChainStore
  /** Absent: what a node of its own takes. */
  readonly trieSettings?: TrieSettings
  /** Absent: in this thread. */
  readonly openTrie?: typeof openStateTrie
  readonly keys: Keys
  /** Absent: the node follows and signs nothing. */
  readonly signing: Signing | undefined
  readonly transport: Transport
  readonly verifier: Verifier
  /** Absent: the native ones. */
  readonly schemes?: Schemes
  /** Verifies of a block of block sync ahead what can be; absent: nothing is. */
  readonly verifyAhead?: SyncPorts['verifyAhead']
  readonly clock: Clock
  readonly log: Log
  /** A broken invariant or a failed disk: the process has to stop. */
  readonly onFatal: (error: unknown) => void
  /** Looks on after each step of the core, for metrics. */
  readonly observe?: StepObserver
}

export class Replica {
  readonly head: ChainHead
  /** Of the last final block, or of one that is being written. */
  readonly trie: StateTrie
  readonly mempool: Mempool
  readonly thresholds: Thresholds
  /** To what peers ask. */
  readonly answers: PeerAnswers
  readonly #options: ReplicaOptions
  readonly #driver: Driver
  readonly #work: BlockWork
  readonly #fetcher: BatchFetcher
  readonly #wants: ListedWants
  readonly #door: PoolDoor
  readonly #submissions: Submissions
  readonly #exchange: Exchange
  readonly #sync: BlockSync
  readonly #claimed: ClaimedHeights
  /** There until it is known from which height signing is safe. */
  readonly #floor: FloorWatcher | undefined
  readonly #listed = new ListedBatches()
  readonly #listeners = new Set<(event: FinalEvent) => void>()
  readonly #poolListeners = new Set<(ids: readonly BatchId[]) => void>()
  readonly #caught: Caught
  readonly #blockPace = new BlockPace()
  #hasWork = false

  /** Loads the chain's state from the store. Nothing runs before `start`. */
  static async open(options: ReplicaOptions): Promise<Replica> {
    const { store, trieSettings, log, openTrie = openStateTrie } = options
    const trie = await openTrie({ store, ...trieSettings }, () =>
      log.warn({}, 'pages of the trie are missing; it is made of all blocks again, which takes a while'),
    )
    try {
      return new Replica(options, trie, await loadChain({ ...options, trie }))
    } catch (error) {
      await trie.close()
      throw error
    }
  }

  private constructor(options: ReplicaOptions, trie: StateTrie, state: ChainHead['state']) {
    const { genesis, settings, store, clock, log, transport, keys, onFatal } = options
    const { verifier, schemes = nativeSchemes } = options
    const powers = genesis.validators.map(({ power }) => power)
    const thresholds = thresholdsOf(powers, genesis.faultModel)
    const self = options.signing === undefined ? undefined : keys.validator
    const verifySigned = verifySignedOf(genesis, schemes)
    const blockIntervalMs = () => this.#blockPace.intervalMs
    this.#options = options
    this.thresholds = thresholds
    this.#claimed = new ClaimedHeights({ powers, thresholds })
    this.mempool = new Mempool({
      maxBytes: settings.poolMaxBytes,
      maxBatches: settings.poolMaxBatches,
      reservedAuthors: genesis.validators.map(({ nodeKey }) => nodeKey),
      nextHeight: state.height + 1,
    })
    const { mempool } = this
    const head = new ChainHead({ store, mempool, listed: this.#listed, powers, state, trie })
    this.trie = trie
    this.head = head
    this.#fetcher = new BatchFetcher({
      transport,
      clock,
      blockIntervalMs,
      log,
      onBatch: (batch, { peerId, validator }) =>
        this.#offer(
          batch,
          validator === null ? { kind: 'peer', peer: peerId } : { kind: 'lister', validator },
        ),
    })
    const execution = new BlockExecution({
      genesis,
      powers,
      thresholds,
      store,
      trie,
      sha256,
      schemes,
      verifySigned,
      batchOf: (id) => this.#work.batchOf(id),
      isPending: (id) => mempool.hasMessage(id),
    })
    this.#work = new BlockWork({
      head,
      execution,
      fetcher: this.#fetcher,
      powers,
      thresholds,
      clock,
      log,
      self,
      pooled: (id) => mempool.get(id) ?? this.#listed.get(id) ?? this.#door.waiting(id),
      buildPatienceMs: () => this.#driver.firstViewMs / 2,
      onAppended: (event) => this.#onAppended(event),
      onFatal,
    })
    const work = this.#work
    this.#wants = new ListedWants({
      store,
      fetcher: this.#fetcher,
      finalHeight: () => head.state.height,
      isInHand: (id) => work.batchOf(id) !== undefined,
      onFatal,
    })
    this.#driver = new Driver({
      core: { powers, thresholds, ...(self === undefined ? {} : { self }) },
      genesis,
      pace: settings,
      entriesMax: commitmentEntriesMax(genesis.limits, powers.length),
      settledHeight: () => this.#claimed.believable,
      clock,
      log,
      transport,
      store,
      mempool,
      listed: this.#listed,
      head,
      keys,
      signing: options.signing,
      onFatal,
      ...(options.observe === undefined ? {} : { observe: options.observe }),
      work: {
        execute: (block) => work.execute(block),
        executed: (id) => work.executed(id),
        batchesOf: (id) => work.batchesOf(id),
        build: (details) => work.build(details),
        fetchBlock: (id, holders) => this.#exchange.fetchBlock(id, holders),
        exchangeSoon: () => this.#exchange.soon(),
        finalise: (finalization, block) => {
          if (block === undefined) this.#exchange.soon()
          else work.finalise(finalization, block).catch(onFatal)
        },
        onEvidence: (pair) => this.#onContradiction(pair),
      },
    })
    const { signing } = options
    this.#floor =
      signing?.awaitsFloor !== true || self === undefined
        ? undefined
        : new FloorWatcher({
            powers,
            thresholds,
            self,
            workingHeight: () => head.state.height + 1,
            setSignFrom: (height) => signing.setSignFrom(height),
            log,
            onFatal,
          })
    this.#door = new PoolDoor({
      store,
      mempool,
      head,
      genesis,
      clock,
      verifySigned,
      onAdded: (ids) => {
        this.#tellOfWork()
        for (const listener of this.#poolListeners) listener(ids)
      },
      onFatal,
    })
    this.#submissions = new Submissions({
      genesis,
      keys,
      sha256,
      store,
      mempool,
      head,
      door: this.#door,
      clock,
      maxDelayMs: settings.batchMaxDelayMs,
      blockIntervalMs,
      maxBytes: settings.batchMaxBytes,
      backlogMaxMs: settings.backlogMaxMs,
      verifySigned,
      onBatch: (batch) => transport.publish({ kind: 'batch', batch }),
      onStored: ({ id }) => {
        // A block may have taken it meanwhile.
        if (mempool.held().has(id)) this.#driver.markStored(id)
      },
      onFatal,
    })
    this.#caught = new Caught({
      store,
      log,
      submit: (messages) => this.#submissions.submit(messages, 'node'),
      isConvicted: (validator) => head.state.convicted.has(validator),
      onFatal,
    })
    this.#exchange = new Exchange({
      transport,
      clock,
      log,
      core: this.#driver.core,
      mempool,
      self,
      nodeKey: keys.nodeKey,
      isInLine: (id) => head.state.line.has(id),
      statusIntervalMs: settings.statusIntervalMs,
      blockIntervalMs,
      onFrame: (frame, peer) => this.onFrame(frame, peer),
      onPeerStatus: (peer, status) => this.onPeerStatus(peer, status),
      onFatal,
    })
    this.answers = new PeerAnswers({
      genesisHash: genesis.hash,
      core: this.#driver.core,
      head,
      store,
      batchOf: (id) => work.batchOf(id),
    })
    this.#sync = new BlockSync({
      tipHeight: () => head.state.height,
      downloadBlocks: (peer, range) => transport.requestBlocks(peer, range),
      applyBlock: async (received) => {
        try {
          const verified = verifier.verifyFinalBlock(received)
          return verified.ok ? await work.applySynced(received) : { refused: verified.detail }
        } catch (error) {
          onFatal(error)
          throw error
        }
      },
      ...(options.verifyAhead === undefined ? {} : { verifyAhead: options.verifyAhead }),
      reportPeer: (peer, reason) => transport.reportPeer(peer, reason),
      connectedPeers: () => transport.peers().map(({ peerId }) => peerId),
      nowMs: () => clock.nowMs(),
    })
  }

  /** The core's state, to be read and not changed. */
  get core(): CoreState {
    return this.#driver.core
  }

  /** The highest height that validators say is final, and are to be believed. */
  get bestKnownHeight(): Height {
    return Math.max(this.#claimed.believable, this.head.state.height)
  }

  /** What of the heights under way the core looks at. */
  heightWindow(): HeightWindow {
    const final = this.head.state.height
    const { context, view } = this.core
    // Between a block and the start of the next height, who leads that is not known here.
    if (context.height !== final + 1) return { final }
    return { final, viewMax: view + viewsAhead, leaderOf: (at) => leaderOf(context.leaders, at) }
  }

  /** One piece of evidence for each validator that was caught. */
  get evidence(): readonly Evidence[] {
    return this.#caught.evidence
  }

  /** Figures for metrics. */
  counters(): Record<string, number> {
    return {
      batchesWanted: this.#fetcher.wantedCount,
      batchesDropped: this.#door.droppedCount,
      signaturesRefused: this.#options.signing?.refusedCount ?? 0,
    }
  }

  /** Takes up the pool and the height where the last run left them (protocol D2), then runs. */
  async start(): Promise<void> {
    const { store, log } = this.#options
    const pooled = await store.loadPool()
    const { restored, deferred, listed } = await loadHeight(this.#options, this.head.state.height + 1)
    await restorePool({
      pooled,
      commitments: listed,
      listed: this.#listed,
      door: this.#door,
      store,
      onStored: (id) => this.#driver.markStored(id),
    })
    this.#caught.restore(await store.loadEvidence())
    const { height } = this.head.state
    log.info({ height, pooled: pooled.length, votes: restored.votes.length }, 'took up the chain')
    this.#tellOfWork()
    this.#driver.start(restored, deferred)
    this.#exchange.start()
  }

  /** Finishes what is being written; nothing is begun afterwards. */
  async stop(): Promise<void> {
    this.#exchange.stop()
    this.#sync.stop()
    this.#fetcher.stop()
    this.#submissions.stop()
    this.#door.stop()
    await this.#driver.stop()
    await this.#work.stop()
    await this.trie.close()
  }

  submit(messages: readonly Message[]): Promise<Submission> {
    return this.#submissions.submit(messages)
  }

  /** Calls `listener` for every final block from now on, after it is durable; the function returned ends it. */
  onFinal(listener: (event: FinalEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls `listener` with the batches that come into the pool from now on; which leave it a `FinalEvent` tells. */
  onPooled(listener: (ids: readonly BatchId[]) => void): void {
    this.#poolListeners.add(listener)
  }

  /** A verified frame, from whatever side it came. */
  onFrame(frame: Frame, from: ConnectedPeer): void {
    switch (frame.kind) {
      case 'batch':
        this.#offer(frame.batch, { kind: 'peer', peer: from.peerId })
        return
      case 'pool-commitment':
        // Others need not have what no block waits for.
        if (this.core.config.self !== undefined) this.#wants.onCommitment(frame.commitment)
        break
      case 'evidence':
        this.#caught.add(frame.evidence)
        return
    }
    this.#driver.take(frame)
  }

  onPeerStatus(peer: PeerId, status: PeerStatus): void {
    this.#sync.onPeerHeight(peer, status.finalHeight)
    const validator = this.#options.genesis.validators.findIndex(({ peerId }) => peerId === peer)
    if (validator >= 0) {
      this.#claimed.note(validator, status.finalHeight)
      this.#floor?.onStatus(validator, status.holding.height)
    }
    if (status.holding.height === this.core.context.height && status.holding.view > this.core.view)
      this.#exchange.soon()
  }

  /** A validator works on a height beyond what gossip takes: ask how far others are. */
  onAhead(): void {
    this.#exchange.soon()
  }

  /** What a block under vote needs is taken whatever its author's or bringer's quota. */
  #offer(batch: Batch, origin: Origin): void {
    const from = this.#work.isNeeded(batch.id) ? ({ kind: 'block' } as const) : origin
    this.#fetcher.arrived(batch.id)
    this.#work.onBatch(batch)
    void this.#door.offer({ batch, from, isPinned: false })
  }

  #onAppended(event: FinalEvent): void {
    this.#blockPace.onBlock(this.#options.clock.nowMs())
    for (const { id } of event.final.batches) this.#fetcher.arrived(id)
    this.#fetcher.settle(event.height)
    this.#wants.settle(event.height)
    this.#floor?.check()
    this.#driver.onFinal([...event.removedBatches, ...event.final.batches.map(({ id }) => id)])
    this.#submissions.onFinal()
    this.#caught.offer()
    this.#tellOfWork()
    for (const listener of this.#listeners) listener(event)
  }

  #tellOfWork(): void {
    const hasWork = this.mempool.held().size > 0
    if (hasWork === this.#hasWork) return
    this.#hasWork = hasWork
    this.#driver.enqueue({ kind: 'pool', hasWork } satisfies Input)
  }

  #onContradiction(pair: readonly [Contradiction, Contradiction]): void {
    const evidence = evidenceOf(pair)
    if (evidence === undefined) return
    if (this.#caught.add(evidence)) this.#options.transport.publish({ kind: 'evidence', evidence })
  }
}
