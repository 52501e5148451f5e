// What the database knows of the chain, for everyone who only looks: block sync, proofs, the API, `diseq check`.
import {
  commitmentEntriesMax,
  type Decoded,
  decodeAll,
  decodeBatch,
  decodeBlock,
  decodeCertificate,
  decodeFinalBlock,
  decodeHeader,
  decodeMessage,
  type FinalBlock,
  type FrameContext,
  maxConfigurableBytes,
} from '../codec/index.ts'
import { sha256, sha256Hex } from '../crypto/native/index.ts'
import type { LeafReference, TriePageSource } from '../trie/ports.ts'
import type {
  Batch,
  BatchId,
  Block,
  BlockId,
  Finalization,
  Genesis,
  Header,
  Height,
  Message,
  SequencedMessage,
  ValidatorIndex,
} from '../types/index.ts'
import { batchCountOf, openStoredBatch, type SequencedBlock } from './block-records.ts'
import { corrupted } from './errors.ts'
import type { KeyValueStore } from './key-value.ts'
import {
  allOf,
  batchPlaceKey,
  blockBatchKey,
  blockHeightKey,
  heightKey,
  metaKeys,
  poolBatchKey,
} from './keys.ts'
import {
  decodeBatchPlace,
  decodeNumber,
  decodePoolBatch,
  decodeSkipped,
  type MessagePlace,
  spanAt,
} from './records.ts'
import { unseal } from './sealed.ts'

/** A final block as it was stored. */
export type StoredBlock = FinalBlock & Pick<SequencedBlock, 'skipped'>

export class ChainReader {
  /** The trie's pages (src/trie/ports.ts). */
  readonly triePages: TriePageSource
  protected readonly store: KeyValueStore
  protected readonly context: FrameContext

  constructor(store: KeyValueStore, genesis: Genesis) {
    this.store = store
    const entriesMax = commitmentEntriesMax(genesis.limits, genesis.validators.length)
    this.context = { limits: genesis.limits, entriesMax, sha256, sha256Hex }
    this.triePages = store.pages
  }

  /** The final block at a height from 1 on; undefined where there is none yet. */
  async readFinal(height: Height): Promise<StoredBlock | undefined> {
    const bytes = await this.readFinalBytes(height)
    if (bytes === undefined) return undefined
    const final = expect(`block ${height}`, decodeFinalBlock(bytes, this.context))
    const skipped = this.store.get(heightKey('skipped', height))
    return { ...final, skipped: skipped === undefined ? [] : decodeSkipped(skipped) }
  }

  /** The bytes of `encodeFinalBlock`, as block sync sends them. */
  async readFinalBytes(height: Height): Promise<Uint8Array | undefined> {
    const head = this.store.get(heightKey('blockHead', height))
    if (head === undefined) return undefined
    const keys = Array.from({ length: batchCountOf(head) }, (_, position) => blockBatchKey(height, position))
    const pieces = [head]
    for (const batch of await this.store.getMany(keys)) {
      if (batch === undefined) throw corrupted(`block ${height}`, 'a batch of it is missing')
      pieces.push(batch)
    }
    return new Uint8Array(Buffer.concat(pieces))
  }

  /** A final block and the ids of its batches, without reading its messages, which may be thousands; undefined where
   *  there is none yet. */
  async readOutline(
    height: Height,
  ): Promise<{ readonly block: Block; readonly batchIds: readonly BatchId[] } | undefined> {
    const head = this.store.get(heightKey('blockHead', height))
    if (head === undefined) return undefined
    const bytes = decodeAll(head, (reader) => {
      const block = reader.bytes(maxConfigurableBytes)
      reader.bytes(maxConfigurableBytes)
      reader.u32()
      return block
    })
    const block = expect(`block ${height}`, decodeBlock(expect(`block ${height}`, bytes), this.context))
    const keys = Array.from({ length: batchCountOf(head) }, (_, position) => blockBatchKey(height, position))
    const batchIds = (await this.store.getMany(keys)).map((stored) => {
      if (stored === undefined) throw corrupted(`block ${height}`, 'a batch of it is missing')
      return sha256Hex(openStoredBatch(stored).bytes) as string as BatchId
    })
    const places = await this.batchHeights(batchIds)
    if (places.some((place) => place !== height))
      throw corrupted(`block ${height}`, 'a batch of it is not the one that was stored')
    return { block, batchIds }
  }

  /** What made the block at a height from 1 on final, without reading its batches; undefined where there is none yet. */
  readFinalization(height: Height): Finalization | undefined {
    const head = this.store.get(heightKey('blockHead', height))
    if (head === undefined) return undefined
    const pieces = decodeAll(head, (reader) => {
      reader.bytes(maxConfigurableBytes)
      const finalization = reader.bytes(maxConfigurableBytes)
      reader.u32()
      return finalization
    })
    const decoded = decodeCertificate(expect(`block ${height}`, pieces))
    const certificate = expect(`finalization of block ${height}`, decoded)
    if (certificate.kind === 'finalization') return certificate
    throw corrupted(`block ${height}`, 'what it has for a finalization is none')
  }

  async readHeader(height: Height): Promise<{ readonly id: BlockId; readonly header: Header } | undefined> {
    const [found] = await this.readHeaders(height, 1)
    return found
  }

  /** Headers from `from` up, as many as there are, `count` at most. */
  async readHeaders(
    from: Height,
    count: number,
  ): Promise<{ readonly id: BlockId; readonly header: Header }[]> {
    const keys = Array.from({ length: count }, (_, offset) => heightKey('header', from + offset))
    const headers: { id: BlockId; header: Header }[] = []
    for (const bytes of await this.store.getMany(keys)) {
      if (bytes === undefined) continue
      const header = expect('header', decodeHeader(bytes))
      headers.push({ id: sha256Hex(bytes) as BlockId, header })
    }
    return headers
  }

  /** The height of a final block; undefined if the chain has no such block. Genesis is none. */
  heightOfBlock(id: BlockId): Height | undefined {
    const bytes = this.store.get(blockHeightKey(id))
    return bytes === undefined ? undefined : decodeNumber(bytes, 'height of a block')
  }

  /** For each batch the height whose block holds it, or undefined where it is not in the chain. */
  async batchHeights(ids: readonly BatchId[]): Promise<(Height | undefined)[]> {
    const values = await this.store.getMany(ids.map(batchPlaceKey))
    return values.map((bytes) => (bytes === undefined ? undefined : decodeBatchPlace(bytes).height))
  }

  /** Batches of the pool or the chain; undefined where it is in neither. */
  async readBatches(ids: readonly BatchId[]): Promise<(Batch | undefined)[]> {
    const keys = ids.map(poolBatchKey)
    const pooled = await this.store.getMany(keys)
    return ids.map((id, at) => {
      const [key, inPool] = [keys[at], pooled[at]]
      const isPooled = key !== undefined && inPool !== undefined
      const stored = isPooled
        ? decodePoolBatch(unseal('pool batch', key, inPool)).batch
        : this.#batchOfChain(id)
      return stored === undefined ? undefined : this.openBatch(stored)
    })
  }

  /** The block's messages in sequence; undefined where there is no such block. */
  async readMessages(height: Height): Promise<SequencedMessage[] | undefined> {
    const final = await this.readFinal(height)
    return final === undefined ? undefined : messagesOf(final)
  }

  /** One message of the chain, without reading its block. */
  messageAt({ height, index }: MessagePlace): Message | undefined {
    const spans = this.store.get(heightKey('spans', height))
    const span = spans === undefined ? undefined : spanAt(spans, index)
    if (span === undefined) return undefined
    const stored = this.store.get(blockBatchKey(height, span.position))
    if (stored === undefined) throw corrupted(`block ${height}`, 'a batch of it is missing')
    const bytes = openStoredBatch(stored).bytes.subarray(span.start, span.end)
    return expect('message', decodeMessage(bytes, this.context.limits))
  }

  /** The data of a message that a leaf of the trie names (`LeafDataSource`). */
  readonly dataOf = (reference: LeafReference): Uint8Array | undefined => this.messageAt(reference)?.data

  /** What a `StoredTrie` goes on from; undefined before the first checkpoint. */
  readTrieCheckpoint(): Uint8Array | undefined {
    const sealed = this.store.get(metaKeys.trieCheckpoint)
    return sealed === undefined ? undefined : unseal('trie checkpoint', metaKeys.trieCheckpoint, sealed)
  }

  /** Validators convicted by evidence in the chain, with the height of the block that did. */
  async readConvictions(): Promise<{ readonly validator: ValidatorIndex; readonly height: Height }[]> {
    const found: { validator: ValidatorIndex; height: Height }[] = []
    for await (const [key, value] of this.store.iterate(allOf('conviction'))) {
      const validator = new DataView(key.buffer, key.byteOffset).getUint16(1)
      found.push({ validator, height: decodeNumber(value, 'conviction') })
    }
    return found
  }

  protected openBatch(stored: Uint8Array): Batch {
    return expect('batch', decodeBatch(openStoredBatch(stored), this.context))
  }

  #batchOfChain(id: BatchId): Uint8Array | undefined {
    const place = this.store.get(batchPlaceKey(id))
    if (place === undefined) return undefined
    const { height, position } = decodeBatchPlace(place)
    return this.store.get(blockBatchKey(height, position))
  }
}

/** A block's messages in sequence. */
export function messagesOf({ batches, skipped }: StoredBlock): SequencedMessage[] {
  const messages: SequencedMessage[] = []
  let nextSkipped = 0
  for (const [position, batch] of batches.entries()) {
    // By place: `entries` would make an object for each of thousands.
    for (let at = 0; at < batch.messages.length; at += 1) {
      const message = batch.messages[at]
      const id = batch.messageIds[at]
      const skip = skipped[nextSkipped]
      if (skip?.batch === position && skip.message === at) nextSkipped += 1
      else if (message !== undefined && id !== undefined) messages.push({ id, message })
    }
  }
  return messages
}

function expect<T>(what: string, decoded: Decoded<T>): T {
  if (!decoded.ok) throw corrupted(what, decoded.reason)
  return decoded.value
}
