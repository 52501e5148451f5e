// Asks for batches that someone listed and this node does not hold (protocol K4). Decides whom to ask and when;
// what comes back goes through the same door as gossip. Without it, lost gossip loses messages.
import { maxRequestedBatches } from '../codec/index.ts'
import type { Batch, BatchId, Height, PeerId, ValidatorIndex } from '../types/index.ts'
import type { Clock, ConnectedPeer, Log, Transport } from './ports.ts'

/** A listed batch is usually on its way already: under load it takes longer, up to half a block's time. */
const patienceMinMs = 30
const patienceMaxMs = 250
/** Between two rounds of asking. */
const roundMs = 20
/** Before the same peer is asked for the same batch again. */
const retryMs = 500
/** Ids asked of one peer at a time: its reply is bounded to some MiB. */
const idsPerRequest = Math.min(64, maxRequestedBatches)
/** Batches wanted at once; n validators list at most n · K, and a liar's phantoms are forgotten with the height. */
const wantedMax = 60_000

interface Want {
  readonly id: BatchId
  /** Forgotten once this height is final, and it was asked for: heights may be shorter than any patience. */
  height: Height
  readonly holders: Set<ValidatorIndex>
  /** A block waits for it: anyone is asked, at once. */
  isUrgent: boolean
  notBeforeMs: number
  readonly askedMs: Map<PeerId, number>
}

export interface BatchFetcherOptions {
  readonly transport: Pick<Transport, 'peers' | 'requestBatches'>
  readonly clock: Clock
  readonly log: Log
  /** How long blocks take of late. */
  readonly blockIntervalMs: () => number
  /** Takes what a peer sent; `holder`: the validator that it is. */
  readonly onBatch: (batch: Batch, from: ConnectedPeer) => void
}

export class BatchFetcher {
  readonly #options: BatchFetcherOptions
  readonly #wants = new Map<BatchId, Want>()
  readonly #busy = new Set<PeerId>()
  #cancelRound: (() => void) | undefined
  #isStopped = false
  #settledHeight: Height = 0

  constructor(options: BatchFetcherOptions) {
    this.#options = options
  }

  get wantedCount(): number {
    return this.#wants.size
  }

  /** Asks for a batch until it comes or `height` is final, once at least. Asking again adds holders, and urgency. */
  want(id: BatchId, details: { height: Height; holders: Iterable<ValidatorIndex>; isUrgent: boolean }): void {
    if (this.#isStopped) return
    const { height, holders, isUrgent } = details
    const nowMs = this.#options.clock.nowMs()
    const patienceMs = Math.max(patienceMinMs, Math.min(patienceMaxMs, this.#options.blockIntervalMs() / 2))
    let want = this.#wants.get(id)
    if (want === undefined) {
      if (this.#wants.size >= wantedMax && !isUrgent) return
      const notBeforeMs = nowMs + (isUrgent ? 0 : patienceMs)
      want = { id, height, holders: new Set(), isUrgent, notBeforeMs, askedMs: new Map() }
      this.#wants.set(id, want)
    }
    for (const holder of holders) want.holders.add(holder)
    want.height = Math.max(want.height, height)
    if (isUrgent && !want.isUrgent) {
      want.isUrgent = true
      want.notBeforeMs = nowMs
    }
    this.#scheduleRound(isUrgent ? 0 : patienceMs)
  }

  /** It is here, from whatever side. */
  arrived(id: BatchId): void {
    this.#wants.delete(id)
  }

  /** Forgets what was wanted for heights up to `height`, unless nobody was asked for it yet. */
  settle(height: Height): void {
    this.#settledHeight = height
    for (const want of this.#wants.values())
      if (want.height <= height && want.askedMs.size > 0) this.#wants.delete(want.id)
  }

  stop(): void {
    this.#isStopped = true
    this.#cancelRound?.()
    this.#wants.clear()
  }

  #scheduleRound(delayMs: number): void {
    if (this.#isStopped || this.#cancelRound !== undefined || this.#wants.size === 0) return
    this.#cancelRound = this.#options.clock.schedule(delayMs, () => {
      this.#cancelRound = undefined
      this.#round()
      this.#scheduleRound(roundMs)
    })
  }

  #round(): void {
    const nowMs = this.#options.clock.nowMs()
    const peers = this.#options.transport.peers().filter(({ peerId }) => !this.#busy.has(peerId))
    const asks = new Map<ConnectedPeer, BatchId[]>()
    for (const want of this.#wants.values()) {
      // Further ahead than it is ever set: the clock has stepped back since.
      if (want.notBeforeMs > nowMs && want.notBeforeMs <= nowMs + retryMs) continue
      const peer = this.#choose(want, peers, { asks, nowMs })
      // Its height is over and it has its turn now, or nobody to ask came by for a while.
      const isOver = want.height <= this.#settledHeight
      if (isOver && (peer !== undefined || nowMs > want.notBeforeMs + retryMs)) this.#wants.delete(want.id)
      if (peer === undefined) continue
      want.askedMs.set(peer.peerId, nowMs)
      want.notBeforeMs = nowMs + (want.isUrgent ? retryMs / 4 : retryMs)
      asks.set(peer, [...(asks.get(peer) ?? []), want.id])
    }
    for (const [peer, ids] of asks) void this.#ask(peer, ids)
  }

  /** A lister before anyone else, the one not asked for longest first. */
  #choose(
    want: Want,
    peers: readonly ConnectedPeer[],
    round: { asks: ReadonlyMap<ConnectedPeer, BatchId[]>; nowMs: number },
  ): ConnectedPeer | undefined {
    let best: { peer: ConnectedPeer; rank: number } | undefined
    for (const peer of peers) {
      const askedMs = want.askedMs.get(peer.peerId)
      const isTooSoon = askedMs !== undefined && round.nowMs >= askedMs && round.nowMs - askedMs < retryMs
      const isHolder = peer.validator !== null && want.holders.has(peer.validator)
      if (isTooSoon || (!isHolder && !want.isUrgent) || (round.asks.get(peer)?.length ?? 0) >= idsPerRequest)
        continue
      const rank = (askedMs ?? 0) + (isHolder ? 0 : 1)
      if (best === undefined || rank < best.rank) best = { peer, rank }
    }
    return best?.peer
  }

  async #ask(peer: ConnectedPeer, wanted: BatchId[]): Promise<void> {
    const { transport, log, onBatch } = this.#options
    this.#busy.add(peer.peerId)
    try {
      const batches = await transport.requestBatches(peer.peerId, { wanted, pushed: [] })
      // Taken too where its height is over by now: where a height is shorter than a request, it would never be had.
      const asked = new Set(wanted)
      for (const batch of batches) {
        if (this.#isStopped || !asked.delete(batch.id)) continue
        this.#wants.delete(batch.id)
        onBatch(batch, peer)
      }
    } catch (error) {
      log.debug({ peer: peer.peerId, error }, 'a request for batches failed')
    } finally {
      this.#busy.delete(peer.peerId)
      this.#scheduleRound(roundMs)
    }
  }
}
