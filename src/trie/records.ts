// How a node lies in the store, under its hash. A record is shorter than what is hashed, and a leaf's names the
// message rather than holding its data.
//
//   root    0 · which children there are (1 left, 2 right, 3 both) · 32 bytes each
//   branch  1 · bit index · left 32 · right 32                             66 bytes
//   leaf    2 · key 32 · height u64 · index u32, both big-endian           45 bytes

import { HASH_BYTES } from './encoding.ts'
import { TrieError } from './errors.ts'
import type { LeafReference } from './ports.ts'

const ROOT = 0
const BRANCH = 1
const LEAF = 2
const HAS_LEFT = 1
const HAS_RIGHT = 2
const BRANCH_BYTES = 2 + 2 * HASH_BYTES
const LEAF_HEIGHT = 1 + HASH_BYTES
const LEAF_INDEX = LEAF_HEIGHT + 8
const LEAF_BYTES = LEAF_INDEX + 4
const CHUNK_BYTES = 16 * 1024

/** A node for the store: `record` under `hash`. */
export interface NodeRecord {
  readonly hash: Uint8Array
  readonly record: Uint8Array
}

export interface RootRecord {
  readonly left: Uint8Array | null
  readonly right: Uint8Array | null
}
export type ChildRecord =
  | { readonly kind: 'branch'; readonly bit: number; readonly left: Uint8Array; readonly right: Uint8Array }
  | { readonly kind: 'leaf'; readonly key: Uint8Array; readonly reference: LeafReference }

export function rootRecord({ left, right }: RootRecord): Uint8Array {
  const flags = (left === null ? 0 : HAS_LEFT) | (right === null ? 0 : HAS_RIGHT)
  return Uint8Array.from([ROOT, flags, ...(left ?? []), ...(right ?? [])])
}

/** Makes the records of one insertion. Side by side in common memory, as an allocation for each costs more than its
 *  content (measured: V8 puts arrays of more than 64 bytes outside its heap). */
export class RecordWriter {
  #chunk = new Uint8Array(CHUNK_BYTES)
  #used = 0

  branch(bit: number, left: Uint8Array, right: Uint8Array): Uint8Array {
    const record = this.#take(BRANCH_BYTES)
    record[0] = BRANCH
    record[1] = bit
    record.set(left, 2)
    record.set(right, 2 + HASH_BYTES)
    return record
  }

  leaf(key: Uint8Array, { height, index }: LeafReference): Uint8Array {
    const record = this.#take(LEAF_BYTES)
    record[0] = LEAF
    record.set(key, 1)
    writeU32(record, LEAF_HEIGHT, Math.floor(height / 2 ** 32))
    writeU32(record, LEAF_HEIGHT + 4, height)
    writeU32(record, LEAF_INDEX, index)
    return record
  }

  #take(sizeBytes: number): Uint8Array {
    if (this.#used + sizeBytes > CHUNK_BYTES) {
      this.#chunk = new Uint8Array(CHUNK_BYTES)
      this.#used = 0
    }
    const record = new Uint8Array(this.#chunk.buffer, this.#used, sizeBytes)
    this.#used += sizeBytes
    return record
  }
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = (value >>> 24) & 0xff
  bytes[at + 1] = (value >>> 16) & 0xff
  bytes[at + 2] = (value >>> 8) & 0xff
  bytes[at + 3] = value & 0xff
}

/** Reads the record of a root. Throws `TrieError` (`bad-record`) where it is none. */
export function readRootRecord(record: Uint8Array): RootRecord {
  const [tag, flags = 0] = record
  const hasLeft = (flags & HAS_LEFT) !== 0
  const hasRight = (flags & HAS_RIGHT) !== 0
  const size = 2 + (hasLeft ? HASH_BYTES : 0) + (hasRight ? HASH_BYTES : 0)
  if (tag !== ROOT || flags < 1 || flags > 3 || record.length !== size) throw badRecord(record)
  return {
    left: hasLeft ? record.subarray(2, 2 + HASH_BYTES) : null,
    right: hasRight ? record.subarray(size - HASH_BYTES) : null,
  }
}

/** Reads the record of a branch or leaf. Throws `TrieError` (`bad-record`) where it is neither. */
export function readChildRecord(record: Uint8Array): ChildRecord {
  const [tag, bit = 0] = record
  if (tag === BRANCH && record.length === BRANCH_BYTES && bit > 0) {
    return {
      kind: 'branch',
      bit,
      left: record.subarray(2, 2 + HASH_BYTES),
      right: record.subarray(2 + HASH_BYTES),
    }
  }
  if (tag !== LEAF || record.length !== LEAF_BYTES) throw badRecord(record)
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
  const height = view.getUint32(LEAF_HEIGHT) * 2 ** 32 + view.getUint32(LEAF_HEIGHT + 4)
  if (!Number.isSafeInteger(height)) throw badRecord(record)
  const reference = { height, index: view.getUint32(LEAF_INDEX) }
  return { kind: 'leaf', key: record.subarray(1, 1 + HASH_BYTES), reference }
}

function badRecord(record: Uint8Array): TrieError {
  return new TrieError({ code: 'bad-record', record })
}
