// Runs the core: takes its inputs one after another and performs its outputs in one fixed order — save, sign, send,
// then timers and work that answers later. The only place where the core's wishes meet the world; it decides nothing
// that the protocol decides.
import type { Frame } from '../codec/index.ts'
import type { Contradiction, RestoredHeight } from '../consensus/index.ts'
import {
  type CoreConfig,
  type CoreState,
  createState,
  type Input,
  type Output,
  step,
  type Timer,
} from '../consensus/index.ts'
import { vrfInput } from '../crypto/native/index.ts'
import type { Mempool } from '../mempool/index.ts'
import { InvariantBroken } from '../quorum/index.ts'
import { selectEntries } from '../sequencing/index.ts'
import type { ChainStore, HeightFrame, PoolBatch } from '../storage/index.ts'
import type {
  Batch,
  BatchId,
  Block,
  BlockId,
  Finalization,
  Genesis,
  Hash,
  Height,
  PoolCommitment,
  TimeMs,
} from '../types/index.ts'
import type { ChainHead } from './chain-head.ts'
import type { Executed } from './execution.ts'
import type { ListedBatches } from './listed-batches.ts'
import { type Clock, type Keys, type Log, type Transport, trusted } from './ports.ts'
import type { Signed, Signing, Unsigned } from './signing.ts'
import { ViewPace } from './view-pace.ts'

/** Times in milliseconds; they come from the node's configuration. */
export interface Pace {
  /** Of a first view at most. */
  readonly viewTimeoutMs: number
  /** Of a first view at least, where the views measured take less. */
  readonly viewTimeoutMinMs: number
  readonly viewTimeoutCapMs: number
  readonly finalizeTimeoutMs: number
  readonly proposalGraceMs: number
  /** 0: an idle chain makes no blocks. */
  readonly emptyBlockIntervalMs: number
}

/** Work that the driver starts and that answers with an input. */
export interface DriverWork {
  /** Recomputes a block of the next height, fetching what is missing; undefined when the height is over. */
  execute(block: Block): Promise<Executed | 'invalid' | undefined>
  /** What was made of a block already, if anything. */
  executed(blockId: BlockId): Executed | undefined
  /** The batches of any block of the height under way that was found valid or made here. */
  batchesOf(blockId: BlockId): readonly Batch[] | undefined
  /** Makes the leader's block of these commitments, or of those whose batches can be had; undefined if it can't. */
  build(details: {
    height: Height
    view: number
    vrfProof: Uint8Array
    commitments: readonly PoolCommitment[]
  }): Promise<Block | undefined>
  fetchBlock(blockId: BlockId, holders: readonly number[]): void
  /** Something of the height is missing: ask peers, and push what is ours, soon. */
  exchangeSoon(): void
  /** The finalization of a block whose content is still to be had. Resolves when the block is in the chain. */
  finalise(finalization: Finalization, block: Block | undefined): void
  onEvidence(pair: readonly [Contradiction, Contradiction]): void
}

export interface DriverOptions {
  readonly core: CoreConfig
  readonly genesis: Genesis
  readonly pace: Pace
  /** K of this network. */
  readonly entriesMax: number
  /** A height that is surely final, by what validators say: nothing more is collected for those up to it. */
  readonly settledHeight: () => Height
  readonly clock: Clock
  readonly log: Log
  readonly transport: Pick<Transport, 'publish'>
  readonly store: ChainStore
  readonly mempool: Mempool
  readonly listed: ListedBatches
  readonly head: ChainHead
  readonly keys: Keys
  readonly signing: Signing | undefined
  readonly work: DriverWork
  /** A broken invariant or a failed disk: the process has to stop. */
  readonly onFatal: (error: unknown) => void
  /** Looks on after each step, for metrics; it must neither change anything nor throw. */
  readonly observe?: StepObserver
}

export type StepObserver = (input: Input, outputs: readonly Output[], core: CoreState) => void

type CommitmentBody = Extract<Unsigned, { kind: 'pool-commitment' }>['commitment']

/** Inputs taken before their outputs are performed together: one synced write serves all of them. */
const inputsPerRound = 256

export class Driver {
  readonly #options: DriverOptions
  readonly #core: CoreState
  readonly #viewPace: ViewPace
  readonly #cancelTimers = new Set<() => void>()
  /** Batches that are on disk already: of the pool, and what votes of this height rest on. */
  readonly #stored = new Set<BatchId>()
  /** Those of them that were saved for a block and that the pool did not hold: no pool tells when they leave. */
  readonly #unpooled = new Set<BatchId>()
  #queue: Input[] = []
  /** Saved with the next signature that may rest on them. */
  #pendingFrames: HeightFrame[] = []
  #pendingBatches = new Map<BatchId, PoolBatch>()
  /** Of the last commitment that went to the record. */
  #committedHeight: Height = 0
  #vrfProof: { beacon: Hash; proof: Uint8Array } | undefined
  #isRunning = false
  #isStopped = false
  #idle: Promise<void> = Promise.resolve()

  constructor(options: DriverOptions) {
    this.#options = options
    this.#core = createState(options.core)
    const { viewTimeoutMs, viewTimeoutMinMs } = options.pace
    this.#viewPace = new ViewPace({ minMs: viewTimeoutMinMs, maxMs: viewTimeoutMs })
  }

  /** The core's state, to be read and not changed. */
  get core(): CoreState {
    return this.#core
  }

  /** How long a first view has now, in milliseconds. */
  get firstViewMs(): number {
    return this.#viewPace.timeoutMs
  }

  /** Begins with the height after the tip, and what the disk holds of it. */
  start(restored: RestoredHeight, deferred: readonly Input[]): void {
    this.enqueue({ kind: 'start-height', context: this.#options.head.context(), restored }, ...deferred)
  }

  /** Takes inputs, in order, after those that wait already. */
  enqueue(...inputs: Input[]): void {
    if (this.#isStopped) return
    this.#queue.push(...inputs)
    this.#wake()
  }

  /** A block became part of the chain: the next height begins before anything else that waits.
   *  @param goneBatches those of the block, and those that left the pool with it. */
  onFinal(goneBatches: Iterable<BatchId>): void {
    for (const id of goneBatches) this.#forget(id)
    // Of blocks that did not become final: where another block needs one, it is written again.
    for (const id of this.#unpooled) if (!this.#options.mempool.held().has(id)) this.#forget(id)
    this.#unpooled.clear()
    this.#cancelAllTimers()
    const { height } = this.#options.head.state
    this.#pendingFrames = this.#pendingFrames.filter((frame) => heightOfFrame(frame) > height)
    // Block sync can append several blocks while signatures are written: a height that was not begun is over already.
    this.#queue = this.#queue.filter((input) => input.kind !== 'start-height')
    const context = this.#options.head.context()
    this.#queue.unshift({ kind: 'start-height', context })
    this.#wake()
    if (context.leaders[0] === this.#options.core.self) this.#proveVrfAhead(context.height)
  }

  /** It is in the pool's part of the database. */
  markStored(id: BatchId): void {
    this.#stored.add(id)
  }

  /** Batches that it takes for being on disk. */
  get storedCount(): number {
    return this.#stored.size
  }

  #forget(id: BatchId): void {
    this.#stored.delete(id)
    this.#pendingBatches.delete(id)
  }

  /** Resolves when what is under way is done; nothing is begun afterwards. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#queue = []
    this.#cancelAllTimers()
    await this.#idle
  }

  #wake(): void {
    if (this.#isRunning || this.#isStopped) return
    this.#isRunning = true
    this.#idle = this.#run()
  }

  async #run(): Promise<void> {
    try {
      // What arrives in the same turn shares its writes.
      await Promise.resolve()
      while (this.#queue.length > 0 && !this.#isStopped) {
        const outputs: Output[] = []
        for (const input of this.#queue.splice(0, inputsPerRound)) {
          const made = step(this.#core, input)
          this.#options.observe?.(input, made, this.#core)
          outputs.push(...made)
        }
        await this.#perform(outputs)
      }
    } catch (error) {
      this.#isStopped = true
      this.#options.onFatal(error)
    } finally {
      this.#isRunning = false
    }
  }

  async #perform(outputs: readonly Output[]): Promise<void> {
    const { transport, work } = this.#options
    const unsigned: Unsigned[] = []
    const later: Output[] = []
    for (const output of outputs) {
      switch (output.kind) {
        case 'forward-certificate':
          transport.publish({ kind: 'certificate', certificate: output.certificate })
          break
        case 'save-certificate':
          this.#pendingFrames.push({ kind: 'certificate', certificate: output.certificate })
          break
        case 'save-block':
          this.#saveBlock(output.block)
          break
        case 'sign-vote':
          unsigned.push({ kind: 'vote', body: output.body })
          break
        case 'sign-proposal':
          unsigned.push({ kind: 'proposal', proposal: output.proposal })
          break
        case 'make-commitment': {
          const commitment = this.#chooseCommitment(output)
          if (commitment !== undefined) unsigned.push({ kind: 'pool-commitment', commitment })
          break
        }
        default:
          later.push(output)
      }
    }
    await this.#sign(unsigned)
    for (const output of later) this.#performLater(output, work)
  }

  #performLater(output: Output, work: DriverWork): void {
    switch (output.kind) {
      case 'arm-timer':
        this.#arm(output.timer, output.growth)
        return
      case 'build-block':
        this.#build(output).catch(this.#options.onFatal)
        return
      case 'check-block':
        this.#check(output.block).catch(this.#options.onFatal)
        return
      case 'fetch-block':
        work.fetchBlock(output.blockId, output.holders)
        return
      case 'fetch-view':
      case 'resend-own':
        work.exchangeSoon()
        return
      case 'finalise':
        work.finalise(output.finalization, output.block)
        return
      case 'evidence':
        work.onEvidence(output.pair)
    }
  }

  /** D1: what the signatures rest on is on disk, then the record, then the wire; then the core counts its own. */
  async #sign(unsigned: readonly Unsigned[]): Promise<void> {
    const { signing, store, transport } = this.#options
    if (unsigned.length === 0 || signing === undefined) return
    const frames = this.#pendingFrames
    const batches = [...this.#pendingBatches.values()]
    this.#pendingFrames = []
    this.#pendingBatches = new Map()
    // Before it is written: a block that becomes final meanwhile takes its batches off the disk and out of here.
    for (const { batch } of batches) this.#stored.add(batch.id)
    if (frames.length + batches.length > 0) await store.saveStep({ frames, batches })
    const signed = await signing.signAll(unsigned)
    // Not waited for: it only has to be on its way before the next save, and the record itself is on disk.
    store.noteSigningNumber(signing.number).catch(this.#options.onFatal)
    const inputs: Input[] = []
    for (const item of signed) {
      if (item.kind === 'proposal') fillBlockSignature(item)
      transport.publish(frameOf(item))
      inputs.push(inputOf(item))
    }
    this.#queue.unshift(...inputs)
  }

  /** D1: a vote for a block, or its proposal, rests on all of its batches. */
  #saveBlock(block: Block): void {
    const { clock, head, mempool, work } = this.#options
    // Of a height that has become final meanwhile nothing is asked any more.
    if (block.header.height <= head.state.height) return
    this.#pendingFrames.push({ kind: 'block', block })
    const batches = work.batchesOf(block.id)
    if (batches === undefined) throw new InvariantBroken(`would sign block ${block.id} without its batches`)
    const receivedAt = clock.nowMs()
    for (const batch of batches) {
      const held = mempool.held().get(batch.id)
      if (held === undefined) this.#unpooled.add(batch.id)
      this.#saveBatch(batch, held ?? receivedAt)
    }
  }

  /** One that clients are being answered for may be written here first, or again: it stays known as such, or after a
   *  restart it would not be handed on. */
  #saveBatch(batch: Batch, receivedAt: TimeMs): void {
    if (this.#stored.has(batch.id)) return
    const pinned = this.#options.mempool.isPinned(batch.id)
    this.#pendingBatches.set(batch.id, { batch, receivedAt, pinned })
  }

  /** K1, K2: what this validator lists; with `assuming`, of its pool as it would be with that block in the chain,
   *  and nothing where that is empty. */
  #chooseCommitment(output: Extract<Output, { kind: 'make-commitment' }>): CommitmentBody | undefined {
    const { mempool, listed, head, clock, entriesMax, work } = this.#options
    // K1: one a height. The core asks again where the pool emptied and filled before it heard of the one that is made.
    if (output.height <= this.#committedHeight) return undefined
    // A node that fetches the chain would write and sign one for each block of it, for nobody.
    if (output.height <= this.#options.settledHeight()) return undefined
    const leaving = this.#leavingWith(output.assuming, work)
    if (leaving === undefined) return undefined
    const chosen = selectEntries({
      held: mempool.held(),
      line: head.state.line,
      isPending: (id) => !leaving.has(id),
      time: clock.nowMs(),
      entriesMax,
    })
    if (chosen.entries.length === 0 && !output.evenIfEmpty) return undefined
    for (const { batchId, receivedAt } of chosen.entries) {
      const batch = mempool.get(batchId)
      if (batch === undefined) continue
      this.#saveBatch(batch, receivedAt)
      listed.list(output.height, [batch])
    }
    this.#committedHeight = output.height
    return { height: output.height, ...chosen }
  }

  #leavingWith(assuming: BlockId | undefined, work: DriverWork): ReadonlySet<BatchId> | undefined {
    if (assuming === undefined) return new Set()
    const executed = work.executed(assuming)
    if (executed === undefined) return undefined
    const { batchIds, messages } = executed.content
    const nextHeight = executed.header.height + 1
    const leaving = this.#options.mempool.leavingWith({
      batchIds,
      messageIds: messages.map(({ id }) => id),
      nextHeight,
    })
    return new Set([...leaving, ...batchIds])
  }

  /** V9: timers grow exponentially with the view, to a cap. */
  #arm(timer: Timer, growth: number): void {
    const { pace, clock } = this.#options
    const nowMs = clock.nowMs()
    if (timer.kind === 'finalize') this.#viewPace.onNotarized({ ...timer, nowMs })
    const firstViewMs =
      timer.kind === 'view' ? this.#viewPace.onViewTimer({ ...timer, nowMs }) : this.firstViewMs
    const delayMs = {
      view: Math.min(pace.viewTimeoutCapMs, firstViewMs * 2 ** growth),
      finalize: Math.min(pace.viewTimeoutCapMs, pace.finalizeTimeoutMs * 2 ** growth),
      grace: pace.proposalGraceMs,
      'empty-block': pace.emptyBlockIntervalMs,
    }[timer.kind]
    if (timer.kind === 'empty-block' && delayMs === 0) return
    const cancel = clock.schedule(delayMs, () => {
      this.#cancelTimers.delete(cancel)
      this.enqueue({ kind: 'timer', timer })
    })
    this.#cancelTimers.add(cancel)
  }

  #cancelAllTimers(): void {
    for (const cancel of this.#cancelTimers) cancel()
    this.#cancelTimers.clear()
  }

  async #check(block: Block): Promise<void> {
    const executed = await this.#options.work.execute(block)
    if (executed === undefined) return
    this.enqueue({ kind: 'block-checked', blockId: block.id, valid: executed !== 'invalid' })
  }

  async #build(output: Extract<Output, { kind: 'build-block' }>): Promise<void> {
    const { height, view, commitments } = output
    const vrfProof = this.#proveVrf(height)
    const block = await this.#options.work.build({ height, view, vrfProof, commitments })
    if (block === undefined) this.enqueue({ kind: 'block-unbuildable', height, view })
    else this.enqueue({ kind: 'block-built', height, view, block })
  }

  /** The leader of a height is known with the block before: an idle one need not wait for its first message with it. */
  #proveVrfAhead(height: Height): void {
    if (this.#options.signing === undefined) return
    this.#options.clock.schedule(0, () => {
      if (!this.#isStopped && this.#options.head.state.height + 1 === height) this.#proveVrf(height)
    })
  }

  /** The same for every view of a height. */
  #proveVrf(height: Height): Uint8Array {
    const { head, genesis, keys } = this.#options
    const { beacon } = head.state
    if (this.#vrfProof?.beacon !== beacon) {
      const alpha = vrfInput({ genesisHash: genesis.hash, height, beacon })
      this.#vrfProof = { beacon, proof: keys.proveVrf(alpha) }
    }
    return this.#vrfProof.proof
  }
}

/** A leader's block is saved before its signature exists, so its array is filled in once the record has it. */
function fillBlockSignature({ proposal }: Extract<Signed, { kind: 'proposal' }>): void {
  if (proposal.block?.header.view === proposal.view) proposal.block.signature.set(proposal.signature)
}

function frameOf(item: Signed): Frame {
  switch (item.kind) {
    case 'vote':
      return { kind: 'vote', vote: item.vote }
    case 'proposal':
      return { kind: 'proposal', proposal: item.proposal }
    case 'pool-commitment':
      return { kind: 'pool-commitment', commitment: item.commitment }
  }
}

function inputOf(item: Signed): Input {
  switch (item.kind) {
    case 'vote':
      return { kind: 'vote', vote: trusted(item.vote) }
    case 'proposal':
      return { kind: 'proposal', proposal: trusted(item.proposal) }
    case 'pool-commitment':
      return { kind: 'pool-commitment', commitment: trusted(item.commitment) }
  }
}

function heightOfFrame(frame: HeightFrame): Height {
  switch (frame.kind) {
    case 'block':
      return frame.block.header.height
    case 'proposal':
      return frame.proposal.height
    case 'pool-commitment':
      return frame.commitment.height
    case 'vote':
      return frame.vote.height
    case 'certificate':
      return frame.certificate.height
  }
}
