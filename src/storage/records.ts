// The small values of the database, in bytes. Blocks, batches and frames are kept in the codec's own form.
import { type ByteReader, ByteWriter, decodeAll, hashBytes } from '../codec/index.ts'
import type { BlockId, Hash, Height, MessageId } from '../types/index.ts'
import { corrupted } from './errors.ts'

/** The last final block. */
export interface Tip {
  readonly height: Height
  readonly blockId: BlockId
}

/** Where a message stands in the chain. */
export interface MessagePlace {
  readonly height: Height
  /** Position in the block's sequence, from 0. */
  readonly index: number
}

/** Where a batch stands in the chain. */
export interface BatchPlace {
  readonly height: Height
  /** Position among the block's batches, from 0. */
  readonly position: number
}

/** Where the bytes of a message are: in a batch of its block, from `start` up to `end`. */
export interface MessageSpan {
  readonly position: number
  readonly start: number
  readonly end: number
}

/** A message of a block's batches that its sequence leaves out: the batch's position in the block, the message's in the
 *  batch, both from 0. */
export interface SkippedMessage {
  readonly batch: number
  readonly message: number
}

/** Why a message that was taken in never came into the chain. */
export interface Refusal {
  readonly messageId: MessageId
  readonly state: 'refused' | 'expired'
  /** Of the block at which that was settled. */
  readonly height: Height
  /** For people; kept up to 256 characters. */
  readonly reason: string
}

const spanBytes = 10
const skippedBytes = 6
const reasonMax = 256
const refusalStates = ['refused', 'expired'] as const
const utf8 = new TextEncoder()

export function encodeNumber(value: number): Uint8Array {
  return new ByteWriter(8).u64(value).finish()
}

export function decodeNumber(bytes: Uint8Array, what: string): number {
  return read(what, bytes, (reader) => reader.u64())
}

export function encodeTip({ height, blockId }: Tip): Uint8Array {
  return new ByteWriter(40).u64(height).hex(blockId, hashBytes).finish()
}

export function decodeTip(bytes: Uint8Array): Tip {
  return read('tip', bytes, (reader) => ({ height: reader.u64(), blockId: reader.hex<BlockId>(hashBytes) }))
}

export function encodeHash(hash: Hash): Uint8Array {
  return new ByteWriter(hashBytes).hex(hash, hashBytes).finish()
}

export function decodeHash<T extends Hash>(bytes: Uint8Array, what: string): T {
  return read(what, bytes, (reader) => reader.hex<T>(hashBytes))
}

export function encodeMessagePlace({ height, index }: MessagePlace): Uint8Array {
  return new ByteWriter(12).u64(height).u32(index).finish()
}

export function decodeMessagePlace(bytes: Uint8Array): MessagePlace {
  return read('message place', bytes, (reader) => ({ height: reader.u64(), index: reader.u32() }))
}

export function encodeBatchPlace({ height, position }: BatchPlace): Uint8Array {
  return new ByteWriter(10).u64(height).u16(position).finish()
}

export function decodeBatchPlace(bytes: Uint8Array): BatchPlace {
  return read('batch place', bytes, (reader) => ({ height: reader.u64(), position: reader.u16() }))
}

/** The spans of a block's sequence, one after another as they are stored: it may have 100,000 of them. */
export class SpanWriter {
  readonly #writer: ByteWriter

  /** @param count a guess. */
  constructor(count: number) {
    this.#writer = new ByteWriter(count * spanBytes)
  }

  add(position: number, start: number, end: number): void {
    this.#writer.u16(position).u32(start).u32(end)
  }

  finish(): Uint8Array {
    return this.#writer.finish()
  }
}

/** The span of message `index`, read alone: a block may have 100,000 of them. */
export function spanAt(bytes: Uint8Array, index: number): MessageSpan | undefined {
  if (index >= Math.floor(bytes.length / spanBytes)) return undefined
  const one = bytes.subarray(index * spanBytes, (index + 1) * spanBytes)
  return read('sequence', one, (reader) => ({
    position: reader.u16(),
    start: reader.u32(),
    end: reader.u32(),
  }))
}

export function encodeSkipped(skipped: readonly SkippedMessage[]): Uint8Array {
  const writer = new ByteWriter(skipped.length * skippedBytes)
  for (const { batch, message } of skipped) writer.u16(batch).u32(message)
  return writer.finish()
}

export function decodeSkipped(bytes: Uint8Array): SkippedMessage[] {
  return read('list of skipped messages', bytes, (reader) => {
    const skipped: SkippedMessage[] = []
    while (reader.offset < bytes.length) skipped.push({ batch: reader.u16(), message: reader.u32() })
    return skipped
  })
}

/** Receipt and pin of a pool batch, before the batch itself. */
export interface PoolBatchHead {
  readonly receivedAt: number
  readonly pinned: boolean
}

const poolHeadBytes = 9

export function encodePoolBatch({ receivedAt, pinned }: PoolBatchHead, batch: Uint8Array): Uint8Array {
  return new ByteWriter(poolHeadBytes + batch.length)
    .u64(receivedAt)
    .u8(pinned ? 1 : 0)
    .raw(batch)
    .finish()
}

export function decodePoolBatch(bytes: Uint8Array): PoolBatchHead & { readonly batch: Uint8Array } {
  const head = read('pool batch', bytes.subarray(0, poolHeadBytes), (reader) => ({
    receivedAt: reader.u64(),
    pinned: reader.u8() === 1,
  }))
  return { ...head, batch: bytes.subarray(poolHeadBytes) }
}

export function encodeRefusal({ state, height, reason }: Refusal, number: number): Uint8Array {
  const text = utf8.encode(reason.slice(0, reasonMax).toWellFormed())
  const writer = new ByteWriter(32 + text.length).u64(number).u8(refusalStates.indexOf(state)).u64(height)
  return writer.bytes(text).finish()
}

export interface NumberedRefusal extends Refusal {
  /** Of all refusals ever, the first is 0. */
  readonly number: number
}

export function decodeRefusal(messageId: MessageId, bytes: Uint8Array): NumberedRefusal {
  return read('refusal', bytes, (reader) => {
    const number = reader.u64()
    const state = refusalStates[reader.u8()] ?? 'refused'
    const height = reader.u64()
    const reason = new TextDecoder().decode(reader.bytes(4 * reasonMax))
    return { messageId, number, state, height, reason }
  })
}

function read<T>(what: string, bytes: Uint8Array, decode: (reader: ByteReader) => T): T {
  const decoded = decodeAll(bytes, decode)
  if (!decoded.ok) throw corrupted(what, decoded.reason)
  return decoded.value
}
