// Asking, where gossip lost something (protocol §4): a node that makes no progress tells its peers what it holds,
// pushes what it signed, and takes what they answer. Decides when and whom to ask; the answers go the way of gossip.
import { encodeFrame, type Frame, type PeerStatus } from '../codec/index.ts'
import type { CoreState } from '../consensus/index.ts'
import type { Mempool } from '../mempool/index.ts'
import type { Batch, BatchId, BlockId, Height, PeerId, ValidatorIndex } from '../types/index.ts'
import { holdingOf, ownFrames } from './height-view.ts'
import type { Clock, ConnectedPeer, Log, Transport } from './ports.ts'

export interface ExchangeOptions {
  readonly transport: Transport
  readonly clock: Clock
  readonly log: Log
  readonly core: CoreState
  readonly mempool: Mempool
  readonly self: ValidatorIndex | undefined
  readonly nodeKey: Batch['author']
  /** Whether a commitment attached to one of the last blocks lists the batch: then others hold it. */
  readonly isInLine: (id: BatchId) => boolean
  /** The slow timer: `status`, while idle too. */
  readonly statusIntervalMs: number
  /** How long blocks take of late. */
  readonly blockIntervalMs: () => number
  readonly onFrame: (frame: Frame, peer: ConnectedPeer) => void
  readonly onPeerStatus: (peer: PeerId, status: PeerStatus) => void
  /** What is thrown here, or by who is told: a bug of the node's, and no peer's fault. */
  readonly onFatal: (error: unknown) => void
}

/** How often it looks whether the height has moved. */
const tickMs = 100
/** Without progress for so long, peers are asked; then twice as long each time, up to the slow timer. */
const patienceMs = 300
/** Peers asked at a time, beside the validators. */
const otherPeersMax = 8
/** Between two requests for one block by id. */
const blockRetryMs = 200
/** Own batches handed over at a time, and the age from which they are: of so many blocks, where those take longer. The same
 *  one again after twice as long each time. Without these bounds a load that grows faster than blocks take it was sent anew
 *  each second, and what the nodes had left for new messages was a third. */
const handOverMax = 64
const handOverBytesMax = 256 * 1024
const handOverAfterMs = 1_000
const handOverAfterBlocks = 4
/** And listed ones: a liar alone may list what nobody else has, and keep it for itself. */
const handOverListedAfterMs = 30_000

export class Exchange {
  readonly #options: ExchangeOptions
  readonly #asking = new Set<PeerId>()
  readonly #blocks = new Map<
    BlockId,
    { readonly height: Height; readonly holders: Set<ValidatorIndex>; turn: number }
  >()
  #cancel: (() => void)[] = []
  #progress = ''
  #progressMs = 0
  #askedMs = 0
  #waitMs = patienceMs
  /** Between two times that it asks because something is missing: longer while the answers bring nothing, since a peer
   *  can say that it knows more each time. */
  #soonMs = tickMs
  /** Own batches that were handed over, and when they may be again. */
  readonly #handed = new Map<BatchId, { readonly atMs: number; readonly waitMs: number }>()
  #handOverMs = 0
  #handOverListedMs = 0
  #isAsked = false
  #isStopped = false

  constructor(options: ExchangeOptions) {
    this.#options = options
  }

  start(): void {
    this.#every(tickMs, () => this.#tick())
    this.#every(this.#options.statusIntervalMs, () => this.#askStatuses())
    this.#every(blockRetryMs, () => this.#fetchBlocks())
  }

  stop(): void {
    this.#isStopped = true
    for (const cancel of this.#cancel) cancel()
  }

  /** Something of the height is missing: the next tick asks for it. */
  soon(): void {
    this.#isAsked = true
  }

  /** Asks for a block by its id until it is known or the height is over. */
  fetchBlock(blockId: BlockId, holders: Iterable<ValidatorIndex>): void {
    const { height } = this.#options.core.context
    const wanted = this.#blocks.get(blockId)
    if (wanted !== undefined) {
      for (const holder of holders) wanted.holders.add(holder)
      return
    }
    this.#blocks.set(blockId, { height, holders: new Set(holders), turn: 0 })
    this.#fetchBlocks()
  }

  #every(periodMs: number, action: () => void): void {
    const { clock } = this.#options
    const at = this.#cancel.length
    const run = () => {
      if (this.#isStopped) return
      action()
      this.#cancel[at] = clock.schedule(periodMs, run)
    }
    this.#cancel.push(clock.schedule(periodMs, run))
  }

  #tick(): void {
    const { core, clock } = this.#options
    const nowMs = clock.nowMs()
    const progress = progressOf(core)
    if (progress !== this.#progress) {
      this.#progress = progress
      this.#progressMs = nowMs
      this.#waitMs = patienceMs
      this.#soonMs = tickMs
    }
    this.#handOver(nowMs)
    const isUnderWay = core.heardOf.size > 0 || core.commitmentAskedFor >= core.context.height
    const lastMs = Math.max(this.#progressMs, this.#askedMs)
    const isDue = isUnderWay && (nowMs < lastMs || nowMs - lastMs >= this.#waitMs)
    const mayAsk = nowMs < this.#askedMs || nowMs - this.#askedMs >= this.#soonMs
    if (!isDue && !(this.#isAsked && mayAsk)) return
    const slowestMs = Math.max(patienceMs, this.#options.statusIntervalMs)
    if (isDue) this.#waitMs = Math.min(2 * this.#waitMs, slowestMs)
    this.#soonMs = Math.min(2 * this.#soonMs, slowestMs)
    this.#isAsked = false
    this.#askedMs = nowMs
    for (const peer of this.#peersToAsk()) void this.#ask(peer)
  }

  #peersToAsk(): ConnectedPeer[] {
    const peers = this.#options.transport.peers()
    const validators = peers.filter(({ validator }) => validator !== null)
    const others = peers.filter(({ validator }) => validator === null).slice(0, otherPeersMax)
    return validators.concat(validators.length === 0 ? others : [])
  }

  /** One peer's turn: what it has final, and what it holds of the height. */
  async #ask(peer: ConnectedPeer): Promise<void> {
    const { transport, core, onFrame, onPeerStatus } = this.#options
    if (this.#asking.has(peer.peerId)) return
    this.#asking.add(peer.peerId)
    try {
      const request = { holding: holdingOf(core), pushed: ownFrames(core) }
      const what = 'a peer did not answer'
      const frames = await this.#answerOf(peer, { what, reply: transport.requestView(peer.peerId, request) })
      if (frames === undefined) return
      for (const frame of frames) onFrame(frame, peer)
      const status = await this.#answerOf(peer, { what, reply: transport.requestStatus(peer.peerId) })
      if (status !== undefined) onPeerStatus(peer.peerId, status)
    } catch (error) {
      this.#options.onFatal(error)
    } finally {
      this.#asking.delete(peer.peerId)
    }
  }

  /** What a peer says; undefined where it says nothing, which peers may at any time. */
  async #answerOf<T>(
    peer: ConnectedPeer,
    { what, reply }: { what: string; reply: Promise<T> },
  ): Promise<T | undefined> {
    try {
      return await reply
    } catch (error) {
      this.#options.log.debug({ peer: peer.peerId, error }, what)
      return undefined
    }
  }

  #askStatuses(): void {
    const { transport, onPeerStatus, onFatal } = this.#options
    for (const peer of transport.peers().slice(0, 64)) {
      const reply = transport.requestStatus(peer.peerId)
      this.#answerOf(peer, { what: 'a peer did not tell its status', reply })
        .then((status) => {
          if (status !== undefined) onPeerStatus(peer.peerId, status)
        })
        .catch(onFatal)
    }
  }

  /** Each wanted block from one peer a turn: its holders first, then anyone. */
  #fetchBlocks(): void {
    const { core, transport, onFrame, onFatal } = this.#options
    for (const [blockId, wanted] of this.#blocks) {
      if (wanted.height !== core.context.height || core.blocks.has(blockId)) {
        this.#blocks.delete(blockId)
        continue
      }
      const peers = transport.peers()
      const holders = peers.filter(({ validator }) => validator !== null && wanted.holders.has(validator))
      const order = wanted.turn < 2 * holders.length ? holders : peers
      const peer = order[wanted.turn % Math.max(1, order.length)]
      wanted.turn += 1
      if (peer === undefined) continue
      const request = { holding: holdingOf(core), wantedBlock: blockId, pushed: [] }
      const reply = transport.requestView(peer.peerId, request)
      this.#answerOf(peer, { what: 'a block could not be fetched', reply })
        .then((frames) => {
          for (const frame of frames ?? []) onFrame(frame, peer)
        })
        .catch(onFatal)
    }
  }

  /** K4: own batches that wait for long and that nobody else lists are handed to validators, who may never have got
   *  them. What is listed mostly waits for its turn: handing it over often would make a load grow. */
  #handOver(nowMs: number): void {
    const { mempool, transport, nodeKey, log, isInLine, blockIntervalMs } = this.#options
    if (nowMs >= this.#handOverMs && nowMs - this.#handOverMs < handOverAfterMs) return
    this.#handOverMs = nowMs
    const listed = this.#listedByOthers()
    const isForListed =
      nowMs < this.#handOverListedMs || nowMs - this.#handOverListedMs >= handOverListedAfterMs
    if (isForListed) this.#handOverListedMs = nowMs
    for (const id of this.#handed.keys()) if (mempool.get(id) === undefined) this.#handed.delete(id)
    const afterMs = Math.max(handOverAfterMs, handOverAfterBlocks * blockIntervalMs())
    const pushed: Uint8Array[] = []
    let sizeBytes = 0
    for (const { batch, receivedAt, isPinned } of mempool.inOrder()) {
      if (!isPinned || batch.author !== nodeKey) continue
      const waitedMs = nowMs < receivedAt ? Number.POSITIVE_INFINITY : nowMs - receivedAt
      const isListed = listed.has(batch.id) || isInLine(batch.id)
      if (waitedMs < (isListed ? handOverListedAfterMs : afterMs) || (isListed && !isForListed)) continue
      const handed = this.#handed.get(batch.id)
      if (handed !== undefined && nowMs >= handed.atMs && nowMs - handed.atMs < handed.waitMs) continue
      sizeBytes += batch.bytes.length
      if (pushed.length === handOverMax || (pushed.length > 0 && sizeBytes > handOverBytesMax)) break
      pushed.push(encodeFrame({ kind: 'batch', batch }))
      const waitMs = Math.min(handOverListedAfterMs, handed === undefined ? afterMs : 2 * handed.waitMs)
      this.#handed.set(batch.id, { atMs: nowMs, waitMs })
    }
    if (pushed.length === 0) return
    for (const { peerId, validator } of transport.peers()) {
      if (validator === null) continue
      transport
        .requestBatches(peerId, { wanted: [], pushed })
        .catch((error: unknown) => log.debug({ peer: peerId, error }, 'batches could not be handed over'))
    }
  }

  /** Batches in the commitments of the height under way. */
  #listedByOthers(): Set<BatchId> {
    const { core, self } = this.#options
    const listed = new Set<BatchId>()
    for (const [validator, { entries }] of core.commitments) {
      if (validator !== self) for (const { batchId } of entries) listed.add(batchId)
    }
    return listed
  }
}

/** Changes whenever the height gets anywhere. */
function progressOf(core: CoreState): string {
  const view = core.views.get(core.view)
  const votes = view === undefined ? 0 : view.notarizes.size + view.nullifies.size + view.finalizes.size
  return `${core.context.height}/${core.view}/${core.commitments.size}/${votes}/${core.finalization === undefined}`
}
