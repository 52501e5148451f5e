// The database of a node: the chain, the trie's pages, the pool, and what is under way. Every save is one atomic,
// synced write; what is promised or signed is sent only after the save that it rests on has resolved (protocol §3,
// "on disk, synced, before it is on the wire"). It keeps and finds; what to keep is decided by its callers.
import assert from 'node:assert/strict'
import type { NewCheckpoint, TrieWrites } from '../trie/stored-trie.ts'
import type {
  Batch,
  BatchId,
  BlockId,
  Evidence,
  Genesis,
  Height,
  MessageId,
  TimeMs,
  ValidatorIndex,
} from '../types/index.ts'
import { encodeStoredBatch, putBlock, putConvictions, type SequencedBlock } from './block-records.ts'
import { ChainReader } from './chain-reader.ts'
import { corrupted, StorageError } from './errors.ts'
import { EvidenceLog } from './evidence-log.ts'
import { FrameIndex, type HeightFrame, openFrame, putFrame } from './frames.ts'
import type { KeyValueStore, WriteOperation } from './key-value.ts'
import { allOf, formatVersion, heightOfFrameKey, metaKeys, poolBatchKey } from './keys.ts'
import { MessageIndex } from './message-index.ts'
import { migrations as knownMigrations } from './migrations/index.ts'
import { decodeVersion, encodeVersion, type Migration, migrate } from './migrations/migrate.ts'
import type { PageRange } from './page-log.ts'
import { decodePeers, encodePeers, type KnownPeer } from './peers.ts'
import {
  decodeHash,
  decodeNumber,
  decodePoolBatch,
  decodeTip,
  encodeHash,
  encodeNumber,
  encodePoolBatch,
  encodeTip,
  type MessagePlace,
  type Refusal,
  type Tip,
} from './records.ts'
import { defaultRefusalsMax, RefusalLog } from './refusals.ts'
import { putSealed, unseal } from './sealed.ts'

/** Roots that can be proven against: the latest and those of so many blocks before it (protocol §5). */
export const provableRoots = 64

export interface PoolBatch {
  readonly batch: Batch
  readonly receivedAt: TimeMs
  /** It has to be kept until it is in the chain or can no longer be: promised by a 202, listed, or voted for. */
  readonly pinned: boolean
}

/** What has to be on disk before something is sent. */
export interface Step {
  /** Put into the pool, or again with another `pinned`. */
  readonly batches?: readonly PoolBatch[]
  readonly removedPoolBatches?: readonly BatchId[]
  readonly frames?: readonly HeightFrame[]
  readonly evidence?: readonly Evidence[]
}

/** What finalising a block changes. */
export interface FinalStep extends SequencedBlock {
  /** From `StateTrie.append`. */
  readonly trie: TrieWrites
  /** Those in the block, and those that can no longer be in any. */
  readonly removedPoolBatches: readonly BatchId[]
  /** Validators that evidence in this block convicts for the first time. */
  readonly convicted?: readonly ValidatorIndex[]
  readonly refusals?: readonly Refusal[]
}

export interface ChainStoreOptions {
  readonly store: KeyValueStore
  readonly genesis: Genesis
  /** The layout to read, and how to get there; only tests give other ones. */
  readonly format?: { readonly version: number; readonly migrations: readonly Migration[] }
  readonly refusalsMax?: number
  /** Messages of a full part of the index by id; only tests give another. */
  readonly partMessages?: number
  /** Told of each step from an older layout before it is made: it may take a minute for two million messages. */
  readonly onMigration?: (migration: Pick<Migration, 'from' | 'name'>) => void
}

export class ChainStore extends ChainReader {
  readonly #frames = new FrameIndex()
  readonly #refusals: RefusalLog
  readonly #evidence: EvidenceLog
  readonly #messages: MessageIndex
  #tip: Tip
  #signingNumber: number

  private constructor(
    options: ChainStoreOptions,
    logs: { refusals: RefusalLog; evidence: EvidenceLog; messages: MessageIndex },
  ) {
    const { store, genesis } = options
    super(store, genesis)
    const tip = store.get(metaKeys.tip)
    this.#tip = tip === undefined ? { height: 0, blockId: genesis.hash as BlockId } : decodeTip(tip)
    this.#signingNumber = readSigningNumber(store)
    this.#refusals = logs.refusals
    this.#evidence = logs.evidence
    this.#messages = logs.messages
  }

  /**
   * Opens what is in the store, or begins there if it is empty. Throws `StorageError`: `format-too-new`,
   * `other-genesis`, `corrupted`.
   */
  static async open(options: ChainStoreOptions): Promise<ChainStore> {
    const { store, genesis, refusalsMax = defaultRefusalsMax, onMigration = () => undefined } = options
    const { version, migrations } = options.format ?? { version: formatVersion, migrations: knownMigrations }
    const stored = store.get(metaKeys.format)
    if (stored === undefined) await begin(store, genesis, version)
    else await migrate({ store, stored: decodeVersion(stored), wanted: version, migrations, onMigration })
    checkGenesis(store, genesis)

    const refusals = await RefusalLog.open(store, refusalsMax)
    const evidence = await EvidenceLog.open(store)
    const messages = await MessageIndex.open(store, options.partMessages)
    const chain = new ChainStore(options, { refusals, evidence, messages })
    for await (const [key] of store.iterate(allOf('frame'))) chain.#frames.add(key)
    return chain
  }

  /** The last final block; genesis at height 0. */
  get tip(): Tip {
    return this.#tip
  }

  /** The highest signing number saved: the signing record must not be behind it. 0 before the first. */
  get signingNumber(): number {
    return this.#signingNumber
  }

  /** Saves in one synced write. */
  async saveStep(step: Step): Promise<void> {
    const operations: WriteOperation[] = []
    for (const { batch, receivedAt, pinned } of step.batches ?? []) {
      const value = encodePoolBatch({ receivedAt, pinned }, encodeStoredBatch(batch))
      operations.push(putSealed(poolBatchKey(batch.id), value))
    }
    for (const id of step.removedPoolBatches ?? []) operations.push({ type: 'del', key: poolBatchKey(id) })
    const frames = (step.frames ?? []).map(putFrame)
    const evidence = this.#evidence.fresh(step.evidence ?? [])
    operations.push(...this.#evidence.operationsFor(evidence))
    operations.push(...frames)
    if (operations.length === 0) return

    // Before the write: a frame that a block finalised meanwhile leaves behind is then deleted with the next block.
    for (const { key } of frames) this.#frames.add(key)
    await this.store.write(operations, { sync: true })
    this.#evidence.added(evidence)
  }

  /** Notes how far the signing record has come, for the next start to tell an old copy of it. Not synced, to spare a
   *  write for each signature: it becomes durable with the next save, and until then only a loss of power takes it. */
  async noteSigningNumber(number: number): Promise<void> {
    if (number <= this.#signingNumber) return
    this.#signingNumber = number
    await this.store.write([putSealed(metaKeys.signingNumber, encodeNumber(number))], { sync: false })
  }

  /** Makes a block part of the chain: all of it in one synced write. The block has to be the one after the tip. */
  async saveFinal(step: FinalStep): Promise<void> {
    const { block } = step.final
    const { height } = block.header
    assert.equal(height, this.#tip.height + 1, 'a final block that does not follow the tip')
    assert.equal(block.header.previousBlockId, this.#tip.blockId, 'a final block of another chain')
    assert.equal(step.final.finalization.blockId, block.id, 'the finalization is of another block')

    const tip = { height, blockId: block.id }
    const doneFrames = this.#frames.upTo(height)
    const refusals = step.refusals ?? []
    const { pages, checkpoint } = step.trie
    const blockOperations = putBlock(step, this.#messages)
    const others: WriteOperation[] = [
      ...putConvictions(height, step.convicted ?? []),
      ...checkpointOperations(checkpoint),
      ...this.#refusals.operationsFor(refusals),
    ]
    for (const id of step.removedPoolBatches) others.push({ type: 'del', key: poolBatchKey(id) })
    for (const key of doneFrames) others.push({ type: 'del', key })
    others.push({ type: 'put', key: metaKeys.tip, value: encodeTip(tip) })
    const operations = {
      *[Symbol.iterator]() {
        yield* blockOperations
        yield* others
      },
    }

    if (checkpoint === undefined) {
      await Promise.all([this.store.write(operations, { sync: true }), this.#appendPages(pages)])
    } else {
      await this.#writeCheckpoint(step.trie, checkpoint, operations)
    }
    this.#tip = tip
    this.#messages.added(block.header.messageCount)
    this.#frames.remove(doneFrames)
    this.#refusals.added(refusals)
  }

  /** Pages and a checkpoint apart from a block: where a restart puts in so much that it has to write in between. */
  async saveTrie(writes: TrieWrites): Promise<void> {
    const { pages, checkpoint } = writes
    if (checkpoint === undefined) await this.#appendPages(pages)
    else await this.#writeCheckpoint(writes, checkpoint, checkpointOperations(checkpoint))
  }

  /** Pages are durable before what names them is, and older ones go only after that. */
  async #writeCheckpoint(
    { pages }: TrieWrites,
    checkpoint: NewCheckpoint,
    operations: Iterable<WriteOperation>,
  ): Promise<void> {
    await this.#appendPages(pages)
    await this.store.pages.sync()
    await this.store.write(operations, { sync: true })
    await this.store.pages.release(checkpoint.firstPageId)
  }

  async #appendPages(pieces: TrieWrites['pages']): Promise<void> {
    for await (const piece of pieces) await this.store.pages.append(piece)
  }

  /** Forgets pages that a checkpoint which never became whole has left, those after the range. Where a page of the range
   *  is missing, forgets all of them and the checkpoint, durably, and answers false. */
  async cutTriePages(range: PageRange): Promise<boolean> {
    if (await this.store.pages.cut(range)) return true
    // Before others are written, which must never be taken for those that it names.
    await this.store.write([{ type: 'del', key: metaKeys.trieCheckpoint }], { sync: true })
    return false
  }

  /** The pool as it was saved, oldest first. Batches that came into the chain meanwhile are left out. */
  async loadPool(): Promise<PoolBatch[]> {
    const pool: PoolBatch[] = []
    for await (const [key, value] of this.store.iterate(allOf('poolBatch'))) {
      const { receivedAt, pinned, batch } = decodePoolBatch(unseal('pool batch', key, value))
      pool.push({ batch: this.openBatch(batch), receivedAt, pinned })
    }
    const heights = await this.batchHeights(pool.map(({ batch }) => batch.id))
    const pending = pool.filter((_, at) => heights[at] === undefined)
    return pending.sort((a, b) => a.receivedAt - b.receivedAt || (a.batch.id < b.batch.id ? -1 : 1))
  }

  /** What was saved of `height` and the heights above. */
  async loadFrames(height: Height): Promise<HeightFrame[]> {
    const frames: HeightFrame[] = []
    for await (const [key, value] of this.store.iterate(allOf('frame'))) {
      if (heightOfFrameKey(key) < height) continue
      frames.push(openFrame(key, value, this.context))
    }
    return frames
  }

  /** All evidence saved, in the chain or not, ascending by validator and height. */
  loadEvidence(): Promise<Evidence[]> {
    return this.#evidence.load()
  }

  /** For each message its place in the chain, or undefined where it has none. */
  messagePlaces(ids: readonly MessageId[]): Promise<(MessagePlace | undefined)[]> {
    return this.#messages.find(ids)
  }

  /** Why a message is not in the chain, if that is settled and was not long ago. Ask `messagePlaces` first. */
  refusalOf(id: MessageId): Refusal | undefined {
    return this.#refusals.get(id)
  }

  /** A damaged list is no list, since the bootstrap addresses are there too.
   *  @param onDamage is told of it. */
  loadPeers(onDamage: (error: StorageError) => void = () => undefined): KnownPeer[] {
    const sealed = this.store.get(metaKeys.peers)
    if (sealed === undefined) return []
    try {
      return decodePeers(unseal('peers list', metaKeys.peers, sealed))
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== 'corrupted') throw error
      onDamage(error)
      return []
    }
  }

  /** Not synced: a lost list of peers is found again. */
  async savePeers(peers: readonly KnownPeer[]): Promise<void> {
    await this.store.write([putSealed(metaKeys.peers, encodePeers(peers))], { sync: false })
  }

  /** Closes the store below. */
  async close(): Promise<void> {
    await this.store.close()
  }
}

function checkpointOperations(checkpoint: NewCheckpoint | undefined): WriteOperation[] {
  return checkpoint === undefined ? [] : [putSealed(metaKeys.trieCheckpoint, checkpoint.bytes)]
}

async function begin(store: KeyValueStore, genesis: Genesis, version: number): Promise<void> {
  const operations: WriteOperation[] = [
    { type: 'put', key: metaKeys.format, value: encodeVersion(version) },
    { type: 'put', key: metaKeys.genesis, value: encodeHash(genesis.hash) },
  ]
  await store.write(operations, { sync: true })
}

function checkGenesis(store: KeyValueStore, genesis: Genesis): void {
  const bytes = store.get(metaKeys.genesis)
  if (bytes === undefined) throw corrupted('genesis hash', 'it is missing')
  const stored = decodeHash(bytes, 'genesis hash')
  if (stored === genesis.hash) return
  const message = `this home belongs to the network with genesis hash ${stored}, the genesis file has ${genesis.hash}`
  throw new StorageError('other-genesis', message)
}

/** For who only looks, and so must not bring a store to this layout: throws `StorageError` `format-too-old` where that
 *  is to be done first. */
export function checkFormat(store: KeyValueStore): void {
  const bytes = store.get(metaKeys.format)
  const version = bytes?.length === 4 ? decodeVersion(bytes) : formatVersion
  if (version >= formatVersion) return
  const message = `the database has format ${version}: start the node once, which brings it to ${formatVersion}`
  throw new StorageError('format-too-old', message)
}

/** The highest signing number that anything in the store depends on; 0 where nothing does.
 *  @throws StorageError `corrupted`. */
export function readSigningNumber(store: KeyValueStore): number {
  const sealed = store.get(metaKeys.signingNumber)
  if (sealed === undefined) return 0
  return decodeNumber(unseal('signing number', metaKeys.signingNumber, sealed), 'signing number')
}
