// Every kind of key in the database, in one list. A key is one byte of its kind and fixed-width fields; integers are
// big-endian, so that iteration goes up the heights, and ids are their 32 bytes.
import type { BatchId, BlockId, Height, MessageId, ValidatorIndex, View } from '../types/index.ts'

/** The layout that this code reads and writes; migrations/ brings older ones here. */
export const formatVersion = 5

// Values marked "sealed" end in a checksum (sealed.ts); all others follow from the blocks.
export const kinds = {
  /** name (ASCII) → see `metaKeys`. */
  meta: 0x01,

  // The chain: never changed, never removed.
  /** height u64 → block, finalization and number of batches, as `encodeFinalBlock` begins. */
  blockHead: 0x10,
  /** height u64 · position u16 → a batch of the block, as `encodeFinalBlock` goes on. */
  blockBatch: 0x11,
  /** height u64 → the header's bytes alone. */
  header: 0x12,
  /** height u64 → for each message of the sequence where it stands: position u16 · start u32 · end u32. */
  spans: 0x13,
  /** height u64 → for each message that the sequence leaves out: batch u16 · message u32. */
  skipped: 0x14,
  /** batch id → height u64 · position u16. */
  batchPlace: 0x18,
  /** block id → height u64. */
  blockHeight: 0x19,
  // 0x1a was the place of a message under its id alone, up to format 3.
  /** validator u16 → height u64 of the block that convicted it. */
  conviction: 0x1b,
  /** part u32 · message id → height u64 · index u32 (message-index.ts). */
  messagePlace: 0x1c,
  /** part u32 → its Bloom filter, once it is full; sealed. */
  messageFilter: 0x1d,

  // 0x20 and 0x21 were nodes of the trie, up to format 1, and 0x22 its pages, up to format 2.

  // What is under way.
  /** batch id → receivedAt u64 · pinned u8 · the batch as in blockBatch; sealed. */
  poolBatch: 0x30,
  /** height u64 · kind u8 · view u32 · validator u16 · subject 32 → encoded frame, sealed; goes when the height is
   *  final. */
  frame: 0x31,
  /** validator u16 · height u64 → encoded evidence; sealed. */
  evidence: 0x32,
  /** message id → number u64 · state u8 · height u64 · reason (UTF-8): why it never came into the chain; sealed. */
  refusal: 0x40,
  /** number u64 → message id: the order in which refusals came, so that the oldest can go; sealed. */
  refusalOrder: 0x41,
} as const

export type KeyKind = keyof typeof kinds
type HeightKind = 'blockHead' | 'header' | 'spans' | 'skipped'

/** The values that are there once. */
export const metaKeys = {
  /** u32: `formatVersion` of what is stored. */
  format: metaKey('format'),
  /** Genesis hash, 32 bytes. */
  genesis: metaKey('genesis'),
  /** height u64 · block id: the last final block; absent while that is genesis. */
  tip: metaKey('tip'),
  /** u64: the highest running number of the signing record that anything here depends on; sealed. */
  signingNumber: metaKey('signing-number'),
  /** The trie's last whole checkpoint (src/trie/checkpoint.ts); absent before the first; sealed. */
  trieCheckpoint: metaKey('trie-checkpoint'),
  /** JSON: where peers were last reached; sealed. */
  peers: metaKey('peers'),
}

export function heightKey(kind: HeightKind, height: Height): Uint8Array {
  const key = newKey(kinds[kind], 8)
  writeU64(key, 1, height)
  return key
}

export function blockBatchKey(height: Height, position: number): Uint8Array {
  const key = newKey(kinds.blockBatch, 8 + 2)
  writeU64(key, 1, height)
  key.writeUInt16BE(position, 9)
  return key
}

export function batchPlaceKey(id: BatchId): Uint8Array {
  return idKey(kinds.batchPlace, id)
}

export function blockHeightKey(id: BlockId): Uint8Array {
  return idKey(kinds.blockHeight, id)
}

export function messagePlaceKey(part: number, id: MessageId): Uint8Array {
  const key = newKey(kinds.messagePlace, 4 + 32)
  key.writeUInt32BE(part, 1)
  writeId(key, 5, id)
  return key
}

/** The range of all of `messagePlaceKey` of a part. */
export function placesOfPart(part: number): { gte: Uint8Array; lt: Uint8Array } {
  const [gte, lt] = [newKey(kinds.messagePlace, 4), newKey(kinds.messagePlace, 4)]
  gte.writeUInt32BE(part, 1)
  lt.writeUInt32BE(part + 1, 1)
  return { gte, lt }
}

export function messageFilterKey(part: number): Uint8Array {
  const key = newKey(kinds.messageFilter, 4)
  key.writeUInt32BE(part, 1)
  return key
}

/** The ranges of all keys of later parts. */
export function ofLaterParts(part: number): { gte: Uint8Array; lt: Uint8Array }[] {
  return [
    { gte: placesOfPart(part).lt, lt: allOf('messagePlace').lt },
    { gte: messageFilterKey(part + 1), lt: allOf('messageFilter').lt },
  ]
}

export function convictionKey(validator: ValidatorIndex): Uint8Array {
  const key = newKey(kinds.conviction, 2)
  key.writeUInt16BE(validator, 1)
  return key
}

export function poolBatchKey(id: BatchId): Uint8Array {
  return idKey(kinds.poolBatch, id)
}

/** What tells two frames of a height apart. */
export interface FramePlace {
  readonly height: Height
  /** u8, see frames.ts. */
  readonly kind: number
  readonly view: View
  readonly validator: ValidatorIndex
  /** 32 bytes in hex: the block or the content that it is about; zeros where there is none. */
  readonly subject: string
}

export function frameKey({ height, kind, view, validator, subject }: FramePlace): Uint8Array {
  const key = newKey(kinds.frame, 8 + 1 + 4 + 2 + 32)
  writeU64(key, 1, height)
  key.writeUInt8(kind, 9)
  key.writeUInt32BE(view, 10)
  key.writeUInt16BE(validator, 14)
  writeId(key, 16, subject)
  return key
}

/** The height in a key of `frameKey`. */
export function heightOfFrameKey(key: Uint8Array): Height {
  return readU64(key, 1)
}

export function evidenceKey(validator: ValidatorIndex, height: Height): Uint8Array {
  const key = newKey(kinds.evidence, 2 + 8)
  key.writeUInt16BE(validator, 1)
  writeU64(key, 3, height)
  return key
}

export function refusalKey(id: MessageId): Uint8Array {
  return idKey(kinds.refusal, id)
}

export function refusalOrderKey(number: number): Uint8Array {
  const key = newKey(kinds.refusalOrder, 8)
  writeU64(key, 1, number)
  return key
}

/** The number in a key of `refusalOrderKey`. */
export function numberOfRefusalOrderKey(key: Uint8Array): number {
  return readU64(key, 1)
}

/** The range of all keys of a kind. */
export function allOf(kind: KeyKind): { gte: Uint8Array; lt: Uint8Array } {
  return { gte: Uint8Array.of(kinds[kind]), lt: Uint8Array.of(kinds[kind] + 1) }
}

function metaKey(name: string): Uint8Array {
  return Uint8Array.from([kinds.meta, ...Buffer.from(name, 'ascii')])
}

function idKey(kind: number, id: string): Uint8Array {
  const key = newKey(kind, 32)
  writeId(key, 1, id)
  return key
}

/** Every byte after the first is written by the caller. */
function newKey(kind: number, sizeBytes: number): Buffer {
  const key = Buffer.allocUnsafe(1 + sizeBytes)
  key[0] = kind
  return key
}

function writeId(key: Buffer, at: number, id: string): void {
  if (id.length !== 64 || key.write(id, at, 'hex') !== 32) throw new RangeError('an id has 64 hex digits')
}

function writeU64(key: Buffer, at: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not a height or number`)
  key.writeUInt32BE(Math.floor(value / 2 ** 32), at)
  key.writeUInt32BE(value % 2 ** 32, at + 4)
}

function readU64(key: Uint8Array, at: number): number {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength)
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4)
}
