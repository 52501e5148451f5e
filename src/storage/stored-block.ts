// A block as it lies in the database, piece by piece, for `diseq check`: a damaged piece is named, and the others are
// still read.
import {
  type Decoded,
  decodeBatch,
  decodeFinalBlock,
  type FinalBlock,
  type FrameContext,
} from '../codec/index.ts'
import type { Batch, Height } from '../types/index.ts'
import { encodeStoredBatch, openStoredBatch } from './block-records.ts'
import { describeKey } from './key-names.ts'
import type { KeyValueStore } from './key-value.ts'
import { allOf, blockBatchKey, heightKey } from './keys.ts'

export interface StoredPieces {
  /** Block and finalization, without batches; undefined where there is no such key. What it says of their number is
   *  not looked at. */
  readonly head: { readonly name: string; readonly final: Decoded<FinalBlock> | undefined }
  /** What is stored as its batches, in the order of their keys. */
  readonly batches: readonly { readonly name: string; readonly batch: Decoded<Batch> }[]
  /** Whether anything is stored under the key of its header: then there was a block. */
  readonly hasHeader: boolean
}

const countBytes = 4

/** Reads the pieces of the block at `height`. */
export async function readPieces(
  store: KeyValueStore,
  height: Height,
  context: FrameContext,
): Promise<StoredPieces> {
  const headKey = heightKey('blockHead', height)
  const stored = store.get(headKey)
  const batches: { name: string; batch: Decoded<Batch> }[] = []
  const range = { gte: blockBatchKey(height, 0), lt: blockBatchKey(height + 1, 0) }
  // One more than a block may have: an added key is enough to know.
  for await (const [key, value] of store.iterate({ ...range, limit: context.limits.maxBlockBatches + 1 })) {
    batches.push({ name: describeKey(key), batch: readStoredBatch(value, context) })
  }
  const final = stored === undefined ? undefined : readHead(stored, context)
  const hasHeader = store.get(heightKey('header', height)) !== undefined
  return { head: { name: describeKey(headKey), final }, batches, hasHeader }
}

/** The height of the highest key of a block; 0 where there is none. */
export async function lastStoredHeight(store: KeyValueStore): Promise<Height> {
  for await (const [key] of store.iterate({ ...allOf('blockHead'), reverse: true, limit: 1 })) {
    if (key.length === 9) return Number(Buffer.from(key).readBigUInt64BE(1))
  }
  return 0
}

function readHead(stored: Uint8Array, context: FrameContext): Decoded<FinalBlock> {
  if (stored.length < countBytes) return { ok: false, reason: 'cut short' }
  return decodeFinalBlock(stored.slice().fill(0, stored.length - countBytes), context)
}

/** A batch in the form of `encodeStoredBatch`. */
export function readStoredBatch(stored: Uint8Array, context: FrameContext): Decoded<Batch> {
  const opened = openStoredBatch(stored)
  const isWhole = Buffer.compare(encodeStoredBatch(opened), stored) === 0
  return isWhole ? decodeBatch(opened, context) : { ok: false, reason: 'not as long as it says' }
}
