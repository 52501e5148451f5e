// Runs the core: takes its inputs one after another and performs its outputs in one fixed order — save, sign, send,
// then timers and work that answers later. The only place where the core's wishes meet the world; it decides nothing
// that the protocol decides. What is saved before a signature is signing-basis.ts, what a commitment lists
// pool-commitments.ts, how long timers take core-timers.ts.
import {
  type Contradiction,
  type CoreConfig,
  type CoreState,
  createState,
  type Input,
  type Output,
  type RestoredHeight,
  step,
} from '../consensus/index.ts'
import { vrfInput } from '../crypto/native/index.ts'
import type { Mempool } from '../mempool/index.ts'
import { InvariantBroken } from '../quorum/index.ts'
import type { ChainStore, HeightFrame } from '../storage/index.ts'
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
} from '../types/index.ts'
import type { ChainHead } from './chain-head.ts'
import { CoreTimers, type Pace } from './core-timers.ts'
import type { Executed } from './execution.ts'
import type { ListedBatches } from './listed-batches.ts'
import { PoolCommitments } from './pool-commitments.ts'
import { type Clock, type Keys, type Log, type Transport, trusted } from './ports.ts'
import type { Signed, Signing, Unsigned } from './signing.ts'
import { SigningBasis } from './signing-basis.ts'

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

/** Inputs taken before their outputs are performed together: one synced write serves all of them. */
const inputsPerRound = 256

export class Driver {
  readonly #options: DriverOptions
  readonly #core: CoreState
  readonly #timers: CoreTimers
  readonly #basis: SigningBasis
  readonly #commitments: PoolCommitments
  #queue: Input[] = []
  #vrfProof: { beacon: Hash; proof: Uint8Array } | undefined
  #isRunning = false
  #isStopped = false
  #idle: Promise<void> = Promise.resolve()

  constructor(options: DriverOptions) {
    this.#options = options
    this.#core = createState(options.core)
    const { pace, clock, work } = options
    this.#timers = new CoreTimers({ pace, clock, onTimer: (timer) => this.enqueue({ kind: 'timer', timer }) })
    this.#basis = new SigningBasis(options)
    const executed = (blockId: BlockId) => work.executed(blockId)
    this.#commitments = new PoolCommitments({ ...options, basis: this.#basis, executed })
  }

  /** The core's state, to be read and not changed. */
  get core(): CoreState {
    return this.#core
  }

  /** How long a first view has now, in milliseconds. */
  get firstViewMs(): number {
    return this.#timers.firstViewMs
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

  /** Takes what came in a frame, verified. */
  take(frame: HeightFrame): void {
    this.enqueue(inputOf(frame))
  }

  /** A block became part of the chain: the next height begins before anything else that waits.
   *  @param goneBatches those of the block, and those that left the pool with it. */
  onFinal(goneBatches: Iterable<BatchId>): void {
    this.#basis.onFinal(this.#options.head.state.height, goneBatches)
    this.#timers.cancelAll()
    // Block sync can append several blocks while signatures are written: a height that was not begun is over already.
    this.#queue = this.#queue.filter((input) => input.kind !== 'start-height')
    const context = this.#options.head.context()
    this.#queue.unshift({ kind: 'start-height', context })
    this.#wake()
    if (context.leaders[0] === this.#options.core.self) this.#proveVrfAhead(context.height)
  }

  /** It is in the pool's part of the database. */
  markStored(id: BatchId): void {
    this.#basis.markStored(id)
  }

  /** Batches that it takes for being on disk. */
  get storedCount(): number {
    return this.#basis.storedCount
  }

  /** Resolves when what is under way is done; nothing is begun afterwards. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#queue = []
    this.#timers.cancelAll()
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
          this.#basis.addCertificate(output.certificate)
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
          const commitment = this.#commitments.make(output)
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
        this.#timers.arm(output.timer, output.growth)
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
    if (this.#basis.isUnsaved) await this.#basis.save()
    const signed = await signing.signAll(unsigned)
    // Not waited for: it only has to be on its way before the next save, and the record itself is on disk.
    store.noteSigningNumber(signing.number).catch(this.#options.onFatal)
    const inputs: Input[] = []
    for (const item of signed) {
      if (item.kind === 'proposal') fillBlockSignature(item)
      transport.publish(item)
      inputs.push(inputOf(item))
    }
    this.#queue.unshift(...inputs)
  }

  /** D1: a vote for it, or its proposal, rests on it. */
  #saveBlock(block: Block): void {
    const { head, work } = this.#options
    // Of a height that has become final meanwhile nothing is asked any more.
    if (block.header.height <= head.state.height) return
    const batches = work.batchesOf(block.id)
    if (batches === undefined) throw new InvariantBroken(`would sign block ${block.id} without its batches`)
    this.#basis.addBlock(block, batches)
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

function inputOf(frame: HeightFrame): Input {
  switch (frame.kind) {
    case 'vote':
      return { kind: 'vote', vote: trusted(frame.vote) }
    case 'proposal':
      return { kind: 'proposal', proposal: trusted(frame.proposal) }
    case 'pool-commitment':
      return { kind: 'pool-commitment', commitment: trusted(frame.commitment) }
    case 'certificate':
      return { kind: 'certificate', certificate: trusted(frame.certificate) }
    case 'block':
      return { kind: 'block', block: frame.block }
  }
}
