// What a checkpoint says beside its pages, and its bytes.

import { entryOf, sideOf } from './building.ts'
import { equalBytes, HASH_BYTES, KEY_BITS } from './encoding.ts'
import { TrieError } from './errors.ts'
import { rootOf } from './insert.ts'
import { ENTRY_BYTES, Page, PageRef, packEntry } from './page.ts'
import type { TriePages } from './pages.ts'
import { EMPTY_TRIE, type TrieRoot, type TrieSide } from './root.ts'

export interface Checkpoint {
  readonly root: TrieRoot
  /** The block after which the trie was this. */
  readonly height: number
  /** Its pages have numbers from this one on. */
  readonly firstId: number
  /** … and before this one. */
  readonly nextId: number
  /** What they take in the log. */
  readonly storedBytes: number
}

/** Of a chain without blocks. */
export const GENESIS: Checkpoint = { root: EMPTY_TRIE, height: 0, firstId: 1, nextId: 1, storedBytes: 0 }

// Height, first page number, next page number, bytes of its pages: u64 each · sides u8 (1 left, 2 right, 3 both) · each
// side as an entry of a page · root 32.
const SIDES_AT = 32
const HAS_LEFT = 1
const HAS_RIGHT = 2

export function encodeCheckpoint({ root, height, firstId, nextId, storedBytes }: Checkpoint): Uint8Array {
  const sides = [root.left, root.right].filter((side) => side !== null)
  const bytes = new Uint8Array(SIDES_AT + 1 + sides.length * ENTRY_BYTES + HASH_BYTES)
  const view = new DataView(bytes.buffer)
  for (const [at, value] of [height, firstId, nextId, storedBytes].entries())
    view.setBigUint64(8 * at, BigInt(value))
  bytes[SIDES_AT] = (root.left === null ? 0 : HAS_LEFT) | (root.right === null ? 0 : HAS_RIGHT)
  for (const [at, side] of sides.entries()) packEntry(bytes, SIDES_AT + 1 + at * ENTRY_BYTES, entryOf(side))
  bytes.set(root.hash ?? new Uint8Array(HASH_BYTES), bytes.length - HASH_BYTES)
  return bytes
}

/** Throws `TrieError` (`bad-checkpoint`). */
export function decodeCheckpoint(bytes: Uint8Array, pages: TriePages): Checkpoint {
  const bad = new TrieError({ code: 'bad-checkpoint' })
  const flags = bytes[SIDES_AT] ?? 0xff
  const count = (flags & HAS_LEFT) + ((flags & HAS_RIGHT) >> 1)
  if (flags > 3 || bytes.length !== SIDES_AT + 1 + count * ENTRY_BYTES + HASH_BYTES) throw bad
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const number = (at: number) => Number(view.getBigUint64(8 * at))
  const sides = Array.from({ length: count }, (_, at) => decodeSide(bytes, SIDES_AT + 1 + at * ENTRY_BYTES))
  const left = (flags & HAS_LEFT) === 0 ? null : (sides.shift() ?? null)
  const right = sides.shift() ?? null
  const root = count === 0 ? EMPTY_TRIE : rootOf(left, right, pages)
  if (!equalBytes(root.hash ?? new Uint8Array(HASH_BYTES), bytes.subarray(bytes.length - HASH_BYTES)))
    throw bad
  return { root, height: number(0), firstId: number(1), nextId: number(2), storedBytes: number(3) }
}

function decodeSide(bytes: Uint8Array, at: number): TrieSide {
  const packed = bytes.slice(at, at + ENTRY_BYTES)
  const leaf = new Page(packed).entry(0)
  if (leaf.bit === KEY_BITS) return sideOf(leaf)
  // The number of a page lies where a leaf has its index.
  const view = new DataView(packed.buffer)
  const id = view.getUint16(ENTRY_BYTES - 6) * 2 ** 32 + view.getUint32(ENTRY_BYTES - 4)
  return sideOf({ ...leaf, below: new PageRef(id, undefined) })
}
