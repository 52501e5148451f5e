// What signatures rest on (protocol D1): certificates and blocks of the height under way, and the batches that blocks and
// commitments name. It gathers them until something is signed, when the driver has them saved in one write, and it knows
// which batches are on disk already, so that none is written with every vote.
import { heightOf } from '../codec/index.ts'
import type { Mempool } from '../mempool/index.ts'
import type { ChainStore, HeightFrame, PoolBatch } from '../storage/index.ts'
import type { Batch, BatchId, Block, Certificate, Height, TimeMs } from '../types/index.ts'
import type { Clock } from './ports.ts'

export interface SigningBasisOptions {
  readonly store: Pick<ChainStore, 'saveStep'>
  readonly mempool: Pick<Mempool, 'held' | 'isPinned'>
  readonly clock: Pick<Clock, 'nowMs'>
}

export class SigningBasis {
  readonly #options: SigningBasisOptions
  /** Batches that are on disk already: of the pool, and what votes of this height rest on. */
  readonly #stored = new Set<BatchId>()
  /** Those of them that were saved for a block and that the pool did not hold: no pool tells when they leave. */
  readonly #unpooled = new Set<BatchId>()
  /** Saved with the next signature that may rest on them. */
  #frames: HeightFrame[] = []
  #batches = new Map<BatchId, PoolBatch>()

  constructor(options: SigningBasisOptions) {
    this.#options = options
  }

  /** Batches that it takes for being on disk. */
  get storedCount(): number {
    return this.#stored.size
  }

  /** Whether anything has to be saved before the next signature. */
  get isUnsaved(): boolean {
    return this.#frames.length + this.#batches.size > 0
  }

  addCertificate(certificate: Certificate): void {
    this.#frames.push({ kind: 'certificate', certificate })
  }

  /** A vote for a block, or its proposal, rests on all of its batches. */
  addBlock(block: Block, batches: readonly Batch[]): void {
    const { clock, mempool } = this.#options
    this.#frames.push({ kind: 'block', block })
    const receivedAt = clock.nowMs()
    for (const batch of batches) {
      const held = mempool.held().get(batch.id)
      if (held === undefined) this.#unpooled.add(batch.id)
      this.addBatch(batch, held ?? receivedAt)
    }
  }

  /** One that clients are being answered for may be written here first, or again: it stays known as such, or after a
   *  restart it would not be handed on. */
  addBatch(batch: Batch, receivedAt: TimeMs): void {
    if (this.#stored.has(batch.id)) return
    const pinned = this.#options.mempool.isPinned(batch.id)
    this.#batches.set(batch.id, { batch, receivedAt, pinned })
  }

  /** It is in the pool's part of the database. */
  markStored(id: BatchId): void {
    this.#stored.add(id)
  }

  /** Saves what was added, in one synced write; durable when it resolves. */
  save(): Promise<void> {
    const frames = this.#frames
    const batches = [...this.#batches.values()]
    this.#frames = []
    this.#batches = new Map()
    // Before it is written: a block that becomes final meanwhile takes its batches off the disk and out of here.
    for (const { batch } of batches) this.#stored.add(batch.id)
    return this.#options.store.saveStep({ frames, batches })
  }

  /** A block became part of the chain.
   *  @param goneBatches those of the block, and those that left the pool with it. */
  onFinal(height: Height, goneBatches: Iterable<BatchId>): void {
    for (const id of goneBatches) this.#forget(id)
    // Of blocks that did not become final: where another block needs one, it is written again.
    for (const id of this.#unpooled) if (!this.#options.mempool.held().has(id)) this.#forget(id)
    this.#unpooled.clear()
    this.#frames = this.#frames.filter((frame) => heightOf(frame) > height)
  }

  #forget(id: BatchId): void {
    this.#stored.delete(id)
    this.#batches.delete(id)
  }
}
