// The metrics of a node: told of what happens by those who do it, and asks for the rest when somebody scrapes. An
// observer only: nothing reads it but Prometheus.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Counter, collectDefaultMetrics, Registry } from 'prom-client'
import type { ReplyTime } from '../../api/index.ts'
import type { CoreState, Input, Output } from '../../consensus/index.ts'
import type { Network } from '../../network/index.ts'
import { powerOf } from '../../quorum/index.ts'
import type { Genesis, Height, ValidatorIndex } from '../../types/index.ts'
import type { FinalEvent } from '../chain-head.ts'
import type { Replica } from '../replica.ts'
import { HeightClock } from './height-clock.ts'
import { type Instruments, makeInstruments } from './instruments.ts'
import { networkFigures } from './network-figures.ts'
import type { OnWrite } from './timed-storage.ts'

/** What is asked at each scrape. */
export interface MetricsSources {
  readonly genesis: Genesis
  readonly replica: Replica
  readonly network: Network
  readonly databasePath: string
  readonly poolMaxBytes: number
  readonly version: string
  readonly validator: ValidatorIndex | undefined
  readonly isSigning: () => boolean
  readonly isReady: () => boolean
  readonly streamFigures: () => { readers: number; letGo: number; bufferedBytes: number }
}

/** The size of the database is looked up no oftener. */
const databaseSizeMs = 15_000

export class NodeMetrics {
  readonly registry = new Registry()
  readonly #instruments: Instruments = makeInstruments(this.registry)
  readonly #clock = new HeightClock()
  #finalisedByVoting: Height = -1
  #databaseSize = { bytes: 0, lookedUpAt: -databaseSizeMs }
  #sources: MetricsSources | undefined

  /** For nodes without metrics (`/metrics` then has no process figures either). */
  start(): void {
    collectDefaultMetrics({ register: this.registry })
  }

  attach(sources: MetricsSources): void {
    this.#sources = sources
    const { genesis, network, validator, version } = sources
    const labels = {
      version,
      chain: genesis.chainId,
      peer: network.peerId,
      validator: validator === undefined ? 'none' : String(validator),
    }
    this.#instruments.info.set(labels, 1)
    sources.replica.onFinal((event) => this.#onFinal(event, sources))
    // From 0, so that a rate is there before the first miss.
    for (const name of validatorNames(genesis)) {
      this.#instruments.missedCommitments.inc({ validator: name }, 0)
      this.#instruments.missedVotes.inc({ validator: name }, 0)
    }
    for (const timer of ['view', 'finalize']) this.#instruments.timeouts.inc({ timer }, 0)
    for (const state of ['expired', 'refused']) this.#instruments.dropped.inc({ state }, 0)
    for (const way of ['voting', 'sync']) this.#instruments.blocks.inc({ way }, 0)
    for (const outcome of ['final', 'failed']) this.#instruments.views.inc({ outcome }, 0)
  }

  /** The text of `/metrics`. */
  async text(): Promise<string> {
    if (this.#sources !== undefined) await this.#look(this.#sources)
    return this.registry.metrics()
  }

  /** After each step of the core. */
  onStep(input: Input, outputs: readonly Output[], core: CoreState): void {
    const { phase, timeouts, ownVotes } = this.#instruments
    const step = { input, outputs, core, nowMs: performance.now() }
    for (const ended of this.#clock.onStep(step)) phase.observe({ phase: ended.phase }, ended.ms / 1000)
    if (input.kind === 'timer' && (input.timer.kind === 'view' || input.timer.kind === 'finalize')) {
      const isLive = input.timer.height === core.context.height && input.timer.view >= core.view
      if (isLive) timeouts.inc({ timer: input.timer.kind })
    }
    for (const output of outputs) {
      if (output.kind === 'sign-vote') ownVotes.inc({ kind: output.body.kind })
      else if (output.kind === 'sign-proposal') ownVotes.inc({ kind: 'proposal' })
      else if (output.kind === 'finalise') this.#finalisedByVoting = output.finalization.height
    }
  }

  /** For the writes of a file: the database, or the signing record. */
  onWrite(file: 'database' | 'signing-record'): OnWrite {
    const { write } = this.#instruments
    return ({ isSynced, ms }) => write.observe({ file, sync: String(isSynced) }, ms / 1000)
  }

  onReply({ method, route, status, seconds }: ReplyTime): void {
    const { requests, requestTime } = this.#instruments
    requests.inc({ method, route, status: String(status) })
    // A stream lasts as long as its reader likes.
    if (route !== '/v1/stream') requestTime.observe({ route }, seconds)
  }

  #onFinal(
    { height, final, messageIds, expired, refused }: FinalEvent,
    { genesis, validator }: MetricsSources,
  ): void {
    const { blocks, messages, batches, batchBytes, dropped, views, missedCommitments, missedVotes } =
      this.#instruments
    const { block, finalization } = final
    blocks.inc({ way: height === this.#finalisedByVoting ? 'voting' : 'sync' })
    messages.inc(messageIds.length)
    batches.inc(final.batches.length)
    batchBytes.inc(final.batches.reduce((total, { bytes }) => total + bytes.length, 0))
    dropped.inc({ state: 'expired' }, expired.length)
    dropped.inc({ state: 'refused' }, refused.length)
    views.inc({ outcome: 'final' })
    views.inc({ outcome: 'failed' }, finalization.view)
    const attached = new Set(block.commitments.map((commitment) => commitment.validator))
    const voted = new Set(finalization.signatures.map((signature) => signature.validator))
    for (const [index, name] of validatorNames(genesis).entries()) {
      if (!attached.has(index)) missedCommitments.inc({ validator: name })
      if (!voted.has(index)) missedVotes.inc({ validator: name })
    }
    this.#observeFinality(final, validator)
  }

  /** From this validator's own receipts, which the block carries. */
  #observeFinality({ block, batches }: FinalEvent['final'], validator: ValidatorIndex | undefined): void {
    const own = block.commitments.find((commitment) => commitment.validator === validator)
    if (own === undefined) return
    const included = new Set(batches.map(({ id }) => id))
    const now = Date.now()
    for (const { batchId, receivedAt } of own.entries) {
      if (included.has(batchId)) this.#instruments.finality.observe(Math.max(0, now - receivedAt) / 1000)
    }
  }

  async #look(sources: MetricsSources): Promise<void> {
    const { replica } = sources
    const { state } = replica.head
    const { core } = replica
    const set = this.#instruments
    set.isReady.set(sources.isReady() ? 1 : 0)
    set.isSigning.set(sources.isSigning() ? 1 : 0)
    set.finalHeight.set(state.height)
    set.bestKnownHeight.set(replica.bestKnownHeight)
    set.finalBlockTime.set(state.time / 1000)
    set.behind.set(Math.max(0, replica.bestKnownHeight - state.height))
    set.height.set(core.context.height)
    set.view.set(core.view)
    set.convicted.set(replica.evidence.length)
    this.#lookAtPool(sources)
    this.#lookAtPeers(sources)
    this.#lookAtNetwork(sources.network.counters())
    const streams = sources.streamFigures()
    set.streamReaders.set(streams.readers)
    set.streamBuffered.set(streams.bufferedBytes)
    setTotal(set.streamLetGo, streams.letGo)
    set.databaseBytes.set(await this.#databaseBytes(sources.databasePath))
  }

  #lookAtPool({ replica, poolMaxBytes }: MetricsSources): void {
    const set = this.#instruments
    const { mempool } = replica
    const { batches, messages, bytes, refused } = mempool.stats()
    set.poolBatches.set(batches)
    set.poolMessages.set(messages)
    set.poolBytes.set(bytes)
    set.poolMaxBytes.set(poolMaxBytes)
    const [oldest] = mempool.oldest(1)
    set.poolOldest.set(oldest === undefined ? 0 : Math.max(0, Date.now() - oldest.receivedAt) / 1000)
    set.poolRefused.reset()
    for (const [reason, count] of Object.entries(refused)) set.poolRefused.inc({ reason }, count)
    const { batchesWanted = 0, batchesDropped = 0, signaturesRefused = 0 } = replica.counters()
    set.batchesWanted.set(batchesWanted)
    setTotal(set.batchesDropped, batchesDropped)
    setTotal(set.signaturesRefused, signaturesRefused)
  }

  #lookAtPeers({ genesis, network, replica, validator }: MetricsSources): void {
    const set = this.#instruments
    const peers = network.peers()
    const byValidator = new Map(peers.map((peer) => [peer.validator, peer]))
    const connected = peers.flatMap((peer) => (peer.validator === undefined ? [] : [peer.validator]))
    const present = new Set(validator === undefined ? connected : [...connected, validator])
    const powers = genesis.validators.map(({ power }) => power)
    set.peers.set({ kind: 'validator' }, connected.length)
    set.peers.set({ kind: 'other' }, peers.length - connected.length)
    set.connectedPower.set(powerOf(powers, present))
    set.quorumPower.set(replica.thresholds.quorum)
    set.lowestScore.set(peers.length === 0 ? 0 : Math.min(...peers.map(({ score }) => score)))
    set.invalid.set(peers.reduce((total, { invalidCount }) => total + invalidCount, 0))
    set.validatorScore.reset()
    set.validatorLatency.reset()
    for (const [index, name] of validatorNames(genesis).entries()) {
      if (index === validator) continue
      const peer = byValidator.get(index)
      set.validatorConnected.set({ validator: name }, peer === undefined ? 0 : 1)
      if (peer === undefined) continue
      set.validatorScore.set({ validator: name }, peer.score)
      if (peer.latencyMs !== undefined) set.validatorLatency.set({ validator: name }, peer.latencyMs / 1000)
    }
  }

  #lookAtNetwork({
    signatures_verified = 0,
    gossip_queued_bytes = 0,
    ...counters
  }: Record<string, number>): void {
    const { network, gossipQueue, signaturesVerified } = this.#instruments
    gossipQueue.set(gossip_queued_bytes)
    setTotal(signaturesVerified, signatures_verified)
    for (const family of Object.values(network)) family.reset()
    for (const { family, labels, value } of networkFigures(counters)) network[family].inc(labels, value)
  }

  async #databaseBytes(path: string): Promise<number> {
    const now = performance.now()
    if (now - this.#databaseSize.lookedUpAt >= databaseSizeMs) {
      this.#databaseSize = { bytes: await sizeOfFolder(path), lookedUpAt: now }
    }
    return this.#databaseSize.bytes
  }
}

/** A counter that somebody else keeps. */
function setTotal(counter: Counter, value: number): void {
  counter.reset()
  counter.inc(value)
}

/** Index and name: names need not differ. */
function validatorNames({ validators }: Genesis): string[] {
  return validators.map(({ name }, index) => (name === '' ? String(index) : `${index} ${name}`))
}

/** Bytes of all files in a folder and those below it; 0 where there is none. */
export async function sizeOfFolder(path: string): Promise<number> {
  const names = await readdir(path, { recursive: true }).catch(() => [])
  // Files are deleted at any time: one that is gone has no size.
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(path, name)).then(
        (found) => (found.isFile() ? found.size : 0),
        () => 0,
      ),
    ),
  )
  return sizes.reduce((total, size) => total + size, 0)
}
