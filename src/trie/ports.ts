// What the trie needs from the outside, in plain functions. Storage and crypto offer them; nothing here does.

/** SHA-256. It returns fresh bytes and keeps nothing of its argument, which is written over afterwards. */
export type Hasher = (bytes: Uint8Array) => Uint8Array

/** Branches to hash, in columns: of each its bit (1 to 255), where the hashes of its children lie, and where its own
 *  belongs. */
export interface BranchTasks {
  /** Of the rows; what columns have beyond is nothing. */
  readonly count: number
  readonly bits: readonly number[]
  readonly leftIn: readonly Uint8Array[]
  readonly leftAt: readonly number[]
  readonly rightIn: readonly Uint8Array[]
  readonly rightAt: readonly number[]
  readonly outIn: readonly Uint8Array[]
  readonly outAt: readonly number[]
}

/** Hashes branches none of which is a child of another. */
export type BranchHasher = (tasks: BranchTasks) => void

/** Names the message that first put a leaf into the trie. The leaf's data is read there, never copied. */
export interface LeafReference {
  /** Height of the block, an integer below 2^48. */
  readonly height: number
  /** Position in that block's sequence, from 0, u32. */
  readonly index: number
}

/** What a log of pages adds to each: the number of the next page is greater than its own by its bytes and these. */
export const PAGE_ROOM_BYTES = 6
/** Of these so many are before the page, its length in bytes (big-endian), and the others behind it, the log's own. */
export const PAGE_LENGTH_BYTES = 2

/** Pages one behind the other, as a log has them. */
export interface PagePiece {
  /** Of the first, if there is one. */
  readonly firstId: number
  /** The log may write to what is its own in them, and keep them. */
  readonly bytes: Uint8Array
}

/** A page as it is stored. Its number is where it begins in the log of all pages. */
export interface StoredPage {
  readonly id: number
  readonly bytes: Uint8Array
}

/** The number of the page after this one. */
export function nextPageId({ id, bytes }: StoredPage): number {
  return id + bytes.length + PAGE_ROOM_BYTES
}

/** Stored pages by their number. */
export interface TriePageSource {
  /** The bytes that were given to be written under this number, or undefined where there are none. They are good until
   *  the next call of it. */
  get(id: number): Uint8Array | undefined
  /** The page of this number and some of those after it, in the order of the log; none where there is none. Their bytes
   *  are good until the next call of it. */
  from(id: number): readonly StoredPage[]
}

/** The pages of a piece, as views. Throws `RangeError` where it ends within one. */
export function pagesOf({ firstId, bytes }: PagePiece): StoredPage[] {
  const pages: StoredPage[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; ) {
    const start = at + PAGE_LENGTH_BYTES
    const end = start + view.getUint16(at)
    pages.push({ id: firstId + at, bytes: bytes.subarray(start, end) })
    at += end - start + PAGE_ROOM_BYTES
    if (at > bytes.length) throw new RangeError('a piece of the log ends within a page')
  }
  return pages
}

/** The data of the message that a leaf names; undefined only where the store is damaged. */
export type LeafDataSource = (reference: LeafReference) => Uint8Array | undefined
