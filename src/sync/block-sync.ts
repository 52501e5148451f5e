// Which final blocks to ask whom for, and in what order they are applied (protocol §4). Several peers are asked at
// once; every block is verified before it is stored, so a lying peer costs a request, not a wrong chain. It runs
// beside voting and resumes at the tip, wherever it stopped.
import type { Block, Height, PeerId } from '../types/index.ts'
import type { ReceivedBlock, SyncPorts } from './ports.ts'

/** Blocks of one request. */
const rangeBlocks = 32
/** Ranges under way at once, each with another peer. */
const rangesAhead = 3
/** Memory of blocks that wait to be applied, as `sizeOf` reckons it. From here on the next blocks are taken from their
 *  peer as they are applied, and later ones are asked for again. Each download under way may bring one block more. */
export const waitingMaxBytes = 32 * 1024 * 1024
/** What is decoded takes up beside its bytes, by measurement on the large side: a message, a batch, a signature. */
const messageBytes = 300
const batchBytes = 1_000
const signatureBytes = 150
/** Blocks that are verified ahead at a time: so few that the next one to be applied never waits for many, and that little
 *  is done for blocks that are dropped. */
const aheadMax = 4
/** A peer that failed is left alone for this long. */
const penaltyMs = 2_000
/** The longest penalty: what is later was set by a clock that has stepped back since. */
const penaltyMaxMs = 10 * penaltyMs
/** A range that takes longer is cut off: what came of it is used, the rest is asked of someone else. */
const rangeMaxMs = 30_000
/** The next blocks to be applied are asked of another after this node has waited so long for the peer that brings them,
 *  if one is free that has brought blocks before: identities cost nothing, and each new one could hold up all that comes
 *  after for the time of a range. After twice as long each time, since who comes next may be as slow, and what was on its
 *  way is lost. */
const frontPatienceMs = 2_000

interface Source {
  readonly peer: PeerId
  finalHeight: Height
  isBusy: boolean
  notBeforeMs: number
  /** It has brought blocks, and none that was refused. */
  isProven: boolean
}

interface WaitingBlock {
  readonly received: ReceivedBlock
  /** The block before, where it came of the same range. */
  readonly previous: Block | undefined
  /** Resolves when what can be verified of it ahead is; undefined until that is begun. */
  verified: Promise<void> | undefined
}

/** Blocks in a row that one peer is to bring. A block leaves it when it is applied. */
interface Range {
  /** Of the first block that is not applied. */
  from: Height
  /** The height after the last. */
  end: Height
  readonly waiting: WaitingBlock[]
  /** The last block that came. */
  last: Block | undefined
  state: 'waiting' | 'downloading' | 'downloaded'
  peer: PeerId | undefined
  /** How long there was nothing to apply, because it was the first range and its next block was not here. */
  heldUpMs: number
  /** Since when that is so now. */
  heldUpSinceMs: number | undefined
  /** How long it may be. */
  patienceMs: number
}

export class BlockSync {
  readonly #ports: SyncPorts
  readonly #sources = new Map<PeerId, Source>()
  #ranges: Range[] = []
  #waitingBytes = 0
  /** Called when blocks that waited were applied or dropped. */
  readonly #onRoom = new Set<() => void>()
  #aheadCount = 0
  #isApplying = false
  #isStopped = false

  constructor(ports: SyncPorts) {
    this.#ports = ports
  }

  /** The highest height that a peer says is final. */
  get bestHeight(): Height {
    return Math.max(0, ...[...this.#sources.values()].map(({ finalHeight }) => finalHeight))
  }

  /** What a peer said of its chain; starts or goes on with the work. Called for every status that comes in. */
  onPeerHeight(peer: PeerId, finalHeight: Height): void {
    const source = this.#sources.get(peer)
    if (source === undefined) {
      this.#forgetThoseGone()
      this.#sources.set(peer, { peer, finalHeight, isBusy: false, notBeforeMs: 0, isProven: false })
    } else {
      source.finalHeight = finalHeight
    }
    this.#advance()
  }

  /** Peers whose chains are known. */
  get sourceCount(): number {
    return this.#sources.size
  }

  stop(): void {
    this.#isStopped = true
    this.#sources.clear()
    this.#keepRanges([])
  }

  #advance(): void {
    if (this.#isStopped) return
    this.#planRanges()
    this.#noteFront()
    for (const range of this.#ranges) {
      if (range.state !== 'waiting' || !this.#hasRoomFor(range, this.#isNextToCome(range) ? 1 : 0.5)) continue
      const source = this.#sourceFor(range)
      if (source === undefined) continue
      source.isBusy = true
      range.state = 'downloading'
      range.peer = source.peer
      if (range === this.#ranges[0] && !this.#isApplying) range.heldUpSinceMs = this.#ports.nowMs()
      void this.#download(source, range)
    }
    this.#verifyAhead()
    if (!this.#isApplying && (this.#ranges[0]?.waiting.length ?? 0) > 0) {
      // Where a block could not be applied for a fault of this node, whoever applies it stops the node.
      this.#applyReady().catch(() => this.stop())
    }
  }

  /** Measures how long the first range holds up all others, and takes what is left of it away from a peer that is slow to
   *  bring it, for one that has shown that it can. */
  #noteFront(): void {
    const [front] = this.#ranges
    if (front === undefined) return
    const nowMs = this.#ports.nowMs()
    if (front.heldUpSinceMs !== undefined) front.heldUpMs += Math.max(0, nowMs - front.heldUpSinceMs)
    const isHeldUp = front.state === 'downloading' && front.waiting.length === 0 && !this.#isApplying
    front.heldUpSinceMs = isHeldUp ? nowMs : undefined
    if (!isHeldUp || front.heldUpMs < front.patienceMs || this.#sourceFor(front)?.isProven !== true) return
    const slow = front.peer === undefined ? undefined : this.#sources.get(front.peer)
    if (slow !== undefined) slow.notBeforeMs = nowMs + penaltyMs
    this.#ranges[0] = rangeOf(front.from, front.end, Math.min(2 * front.patienceMs, rangeMaxMs))
  }

  /** Identities cost nothing: who comes and goes must not fill the memory. */
  #forgetThoseGone(): void {
    const connected = new Set(this.#ports.connectedPeers())
    for (const peer of this.#sources.keys()) if (!connected.has(peer)) this.#sources.delete(peer)
  }

  #planRanges(): void {
    const tip = this.#ports.tipHeight()
    if (this.#ranges.some(({ end }) => end <= tip + 1))
      this.#keepRanges(this.#ranges.filter(({ end }) => end > tip + 1))
    let from = this.#ranges.at(-1)?.end ?? tip + 1
    const best = this.bestHeight
    while (this.#ranges.length < rangesAhead && from <= best) {
      const end = Math.min(from + rangeBlocks, best + 1)
      this.#ranges.push(rangeOf(from, end))
      from = end
    }
  }

  /** All but these are dropped, with the blocks that wait in them. */
  #keepRanges(ranges: Range[]): void {
    this.#ranges = ranges
    const waiting = ranges.flatMap((range) => range.waiting)
    this.#waitingBytes = waiting.reduce((sum, { received }) => sum + sizeOf(received), 0)
    this.#tellOfRoom()
  }

  #tellOfRoom(): void {
    for (const tell of this.#onRoom) tell()
    this.#onRoom.clear()
  }

  /** The free peer that has the start of the range and failed least recently. Not only one that has all of it: ranges
   *  are planned by the highest claim, and a liar's claim would leave nobody but the liar. */
  #sourceFor(range: Range): Source | undefined {
    const nowMs = this.#ports.nowMs()
    const isFront = range === this.#ranges[0]
    return [...this.#sources.values()]
      .filter(({ isBusy, finalHeight }) => !isBusy && finalHeight >= range.from)
      .filter(({ notBeforeMs }) => notBeforeMs <= nowMs || notBeforeMs > nowMs + penaltyMaxMs)
      .sort((a, b) => {
        const byProof = Number(b.isProven) - Number(a.isProven)
        const byRest = a.notBeforeMs - b.notBeforeMs
        return isFront ? byProof || byRest : byRest || byProof
      })[0]
  }

  async #download(source: Source, range: Range): Promise<void> {
    const { from } = range
    // The rest of the range is asked of someone else.
    const end = Math.min(range.end, source.finalHeight + 1)
    let startedMs = this.#ports.nowMs()
    let next = from
    let isCrowded = false
    try {
      for await (const received of this.#ports.downloadBlocks(source.peer, { from, count: end - from })) {
        if (received.block.header.height !== next || next === end) {
          this.#ports.reportPeer(source.peer, 'sent blocks that were not asked for')
          break
        }
        // Another has it now, or the tip has passed it.
        if (!this.#ranges.includes(range)) break
        next += 1
        this.#arrived(source, range, received)
        const arrivedMs = this.#ports.nowMs()
        isCrowded = next < end && !(await this.#roomFor(range))
        // This node's time, and not the peer's.
        startedMs += this.#ports.nowMs() - arrivedMs
        if (isCrowded || this.#ports.nowMs() - startedMs > rangeMaxMs) break
      }
    } catch {
      // A failed or cut download: what came before it is used, the rest is asked of someone else.
    }
    source.isBusy = false
    const isCurrent = this.#ranges.includes(range)
    if (next < end && !isCrowded && isCurrent) source.notBeforeMs = this.#ports.nowMs() + penaltyMs
    if (isCurrent) this.#ended(range, next)
    this.#advance()
  }

  #arrived(source: Source, range: Range, received: ReceivedBlock): void {
    source.isProven = true
    range.waiting.push({ received, previous: range.last, verified: undefined })
    range.last = received.block
    this.#waitingBytes += sizeOf(received)
    this.#advance()
  }

  /** Has what waits verified ahead, in order of height, where the way is long. Of what was dropped nothing is begun. */
  #verifyAhead(): void {
    if (this.#ports.verifyAhead === undefined) return
    if (this.bestHeight - this.#ports.tipHeight() <= rangeBlocks) return
    // The first is being applied, or will be at once: it is verified then.
    for (const block of this.#ranges.flatMap(({ waiting }) => waiting).slice(1)) {
      if (this.#aheadCount >= aheadMax) return
      if (block.verified !== undefined) continue
      this.#aheadCount += 1
      const done = () => {
        this.#aheadCount -= 1
        if (!this.#isStopped) this.#verifyAhead()
      }
      // What fails is verified when it is applied.
      block.verified = this.#ports.verifyAhead(block.received, block.previous).then(done, done)
    }
  }

  /** Whether the range may go on. Waits while too much is to be applied, if its blocks are the next that are not here; of
   *  others nothing more is taken for now. */
  async #roomFor(range: Range): Promise<boolean> {
    while (this.#isNextToCome(range) && !this.#hasRoomFor(range))
      await new Promise<void>((resolve) => this.#onRoom.add(resolve))
    return this.#ranges.includes(range) && this.#hasRoomFor(range)
  }

  #isNextToCome(range: Range): boolean {
    return range === this.#ranges.find(({ state }) => state !== 'downloaded')
  }

  /** Whether one more block of it may come before those here are applied. Always, where nothing can be applied without it.
   *  @param part of the bound: less, where a download is to be begun that may have to be broken off. */
  #hasRoomFor(range: Range, part = 1): boolean {
    if (range === this.#ranges[0] && range.waiting.length === 0) return true
    return this.#waitingBytes < waitingMaxBytes * part
  }

  /** Nothing more comes of a range beyond what is here: what lies before `next`. */
  #ended(range: Range, next: Height): void {
    const at = this.#ranges.indexOf(range)
    if (next === range.from) {
      this.#ranges[at] = rangeOf(range.from, range.end)
      return
    }
    if (next < range.end) this.#ranges.splice(at + 1, 0, rangeOf(next, range.end))
    range.end = next
    range.state = 'downloaded'
  }

  /** Applies what came, in order, one block at a time. */
  async #applyReady(): Promise<void> {
    this.#isApplying = true
    try {
      for (;;) {
        const [front] = this.#ranges
        const next = front?.waiting[0]
        if (this.#isStopped || front === undefined || next === undefined) break
        await next.verified
        if (this.#isStopped) break
        const result = await this.#ports.applyBlock(next.received)
        if (typeof result === 'object') {
          this.#refuse(front.peer, result.refused)
          continue
        }
        this.#applied(front)
        this.#advance()
      }
    } finally {
      this.#isApplying = false
    }
    // Peers that failed are tried again when the next status of any peer comes in.
    this.#advance()
  }

  /** The first block of the range is in the chain. */
  #applied(range: Range): void {
    // It may be gone already: the tip has passed it.
    if (!this.#ranges.includes(range)) return
    const done = range.waiting.shift()
    if (done !== undefined) this.#waitingBytes -= sizeOf(done.received)
    range.from += 1
    this.#tellOfRoom()
  }

  /** Everything that this peer sent is doubted; the range starts again at the tip, with another. */
  #refuse(peer: PeerId | undefined, reason: string): void {
    this.#keepRanges([])
    if (peer === undefined) return
    this.#ports.reportPeer(peer, `a block that cannot be final: ${reason}`)
    const source = this.#sources.get(peer)
    if (source === undefined) return
    source.notBeforeMs = this.#ports.nowMs() + penaltyMaxMs
    source.isProven = false
  }
}

function rangeOf(from: Height, end: Height, patienceMs = frontPatienceMs): Range {
  const heldUp = { heldUpMs: 0, heldUpSinceMs: undefined, patienceMs }
  return { from, end, waiting: [], last: undefined, state: 'waiting', peer: undefined, ...heldUp }
}

/** What a block takes up in memory, about: small messages and signatures far more than their bytes. */
function sizeOf({ block, finalization, batches }: ReceivedBlock): number {
  let size = finalization.signatures.length * signatureBytes
  for (const { bytes, entries } of block.commitments) size += bytes.length + entries.length * signatureBytes
  for (const { bytes, messages } of batches)
    size += bytes.length + batchBytes + messages.length * messageBytes
  return size
}
