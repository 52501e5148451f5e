// Which final blocks to ask whom for, and in what order they are applied (protocol §4). Several peers are asked at
// once; every block is verified before it is stored, so a lying peer costs a request, not a wrong chain. It runs
// beside voting and resumes at the tip, wherever it stopped.
import type { Height, PeerId } from '../types/index.ts'
import type { ReceivedBlock, SyncPorts } from './ports.ts'

/** Blocks of one request. */
const rangeBlocks = 32
/** Ranges under way at once, each with another peer; blocks waiting to be applied are bounded by it. */
const rangesAhead = 3
/** A peer that failed is left alone for this long. */
const penaltyMs = 2_000
/** The longest penalty: what is later was set by a clock that has stepped back since. */
const penaltyMaxMs = 10 * penaltyMs
/** A range that takes longer is cut off: what came of it is used, the rest is asked of someone else. */
const rangeMaxMs = 30_000
/** The next blocks to be applied are asked of another after this long, if one is free that has brought blocks before:
 *  identities cost nothing, and each new one could hold up all that comes after for the time of a range. */
const frontPatienceMs = 2_000

interface Source {
  readonly peer: PeerId
  finalHeight: Height
  isBusy: boolean
  notBeforeMs: number
  /** It has brought blocks, and none that was refused. */
  isProven: boolean
}

/** Waiting -> Downloading -> Downloaded -> applied; back to Waiting when its peer fails. */
type Range = { readonly from: Height; readonly count: number } & (
  | { state: 'waiting' }
  | { state: 'downloading'; peer: PeerId; sinceMs: number }
  | { state: 'downloaded'; peer: PeerId; blocks: readonly ReceivedBlock[] }
)

export class BlockSync {
  readonly #ports: SyncPorts
  readonly #sources = new Map<PeerId, Source>()
  #ranges: Range[] = []
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
    this.#ranges = []
  }

  #advance(): void {
    if (this.#isStopped) return
    this.#planRanges()
    this.#freeFront()
    const sinceMs = this.#ports.nowMs()
    for (const [at, range] of this.#ranges.entries()) {
      if (range.state !== 'waiting') continue
      const source = this.#sourceFor(range)
      if (source === undefined) continue
      source.isBusy = true
      const { from, count } = range
      const started: Range = { from, count, state: 'downloading', peer: source.peer, sinceMs }
      this.#ranges[at] = started
      void this.#download(source, started)
    }
    if (!this.#isApplying && this.#ranges[0]?.state === 'downloaded') {
      // Where a block could not be applied for a fault of this node, whoever applies it stops the node.
      this.#applyReady().catch(() => this.stop())
    }
  }

  /** Takes the next blocks away from a peer that is slow to bring them, for one that has shown that it can. */
  #freeFront(): void {
    const [front] = this.#ranges
    if (front?.state !== 'downloading' || this.#ports.nowMs() - front.sinceMs < frontPatienceMs) return
    if (this.#sourceFor(front)?.isProven !== true) return
    this.#ranges[0] = { from: front.from, count: front.count, state: 'waiting' }
  }

  /** Identities cost nothing: who comes and goes must not fill the memory. */
  #forgetThoseGone(): void {
    const connected = new Set(this.#ports.connectedPeers())
    for (const peer of this.#sources.keys()) if (!connected.has(peer)) this.#sources.delete(peer)
  }

  #planRanges(): void {
    const tip = this.#ports.tipHeight()
    this.#ranges = this.#ranges.filter((range) => range.from + range.count > tip + 1)
    const last = this.#ranges.at(-1)
    let from = last === undefined ? tip + 1 : last.from + last.count
    const best = this.bestHeight
    while (this.#ranges.length < rangesAhead && from <= best) {
      const count = Math.min(rangeBlocks, best - from + 1)
      this.#ranges.push({ from, count, state: 'waiting' })
      from += count
    }
  }

  /** The free peer that has the start of the range and failed least recently. Not only one that has all of it: ranges
   *  are planned by the highest claim, and a liar's claim would leave nobody but the liar. */
  #sourceFor(range: Range): Source | undefined {
    const nowMs = this.#ports.nowMs()
    return [...this.#sources.values()]
      .filter(({ isBusy, finalHeight }) => !isBusy && finalHeight >= range.from)
      .filter(({ notBeforeMs }) => notBeforeMs <= nowMs || notBeforeMs > nowMs + penaltyMaxMs)
      .sort((a, b) => a.notBeforeMs - b.notBeforeMs || Number(b.isProven) - Number(a.isProven))[0]
  }

  async #download(source: Source, range: Range): Promise<void> {
    const { from } = range
    // The rest of the range is asked of someone else.
    const count = Math.min(range.count, source.finalHeight - from + 1)
    const blocks: ReceivedBlock[] = []
    const startedMs = this.#ports.nowMs()
    try {
      for await (const received of this.#ports.downloadBlocks(source.peer, { from, count })) {
        if (received.block.header.height !== from + blocks.length || blocks.length === count) {
          this.#ports.reportPeer(source.peer, 'sent blocks that were not asked for')
          break
        }
        blocks.push(received)
        if (this.#ports.nowMs() - startedMs > rangeMaxMs) break
      }
    } catch {
      // A failed or cut download: what came before it is used, the rest is asked of someone else.
    }
    source.isBusy = false
    if (blocks.length < count) source.notBeforeMs = this.#ports.nowMs() + penaltyMs
    if (blocks.length > 0) source.isProven = true
    this.#replace(
      range,
      blocks.length === 0
        ? [{ from, count: range.count, state: 'waiting' }]
        : [
            { from, count: blocks.length, state: 'downloaded', peer: source.peer, blocks },
            ...(blocks.length < range.count
              ? [
                  {
                    from: from + blocks.length,
                    count: range.count - blocks.length,
                    state: 'waiting' as const,
                  },
                ]
              : []),
          ],
    )
    this.#advance()
  }

  /** What became of a range; of one that was given to somebody else meanwhile, nothing. */
  #replace(replaced: Range, ranges: Range[]): void {
    this.#ranges = this.#ranges.flatMap((range) => (range === replaced ? ranges : [range]))
  }

  /** Applies downloaded ranges in order, one block at a time. */
  async #applyReady(): Promise<void> {
    this.#isApplying = true
    try {
      for (let range = this.#ranges[0]; range?.state === 'downloaded'; range = this.#ranges[0]) {
        const refused = await this.#apply(range.blocks)
        if (refused === undefined) {
          // It may be gone already: the tip has passed it.
          if (this.#ranges[0] === range) this.#ranges.shift()
        } else {
          this.#refuse(range.peer, refused)
        }
        this.#planRanges()
      }
    } finally {
      this.#isApplying = false
    }
    // Peers that failed are tried again when the next status of any peer comes in.
    this.#advance()
  }

  async #apply(blocks: readonly ReceivedBlock[]): Promise<string | undefined> {
    for (const received of blocks) {
      if (this.#isStopped) return undefined
      const result = await this.#ports.applyBlock(received)
      if (typeof result === 'object') return result.refused
    }
    return undefined
  }

  /** Everything that this peer sent is doubted; the range starts again at the tip, with another. */
  #refuse(peer: PeerId, reason: string): void {
    this.#ports.reportPeer(peer, `a block that cannot be final: ${reason}`)
    const source = this.#sources.get(peer)
    if (source !== undefined) {
      source.notBeforeMs = this.#ports.nowMs() + penaltyMaxMs
      source.isProven = false
    }
    this.#ranges = []
  }
}
