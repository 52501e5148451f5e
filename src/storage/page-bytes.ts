// The bytes of pages in the files of their log (page-files.ts says how they lie there), for who adds to them and for who
// only reads.
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import {
  PAGE_LENGTH_BYTES,
  PAGE_ROOM_BYTES,
  type PagePiece,
  type StoredPage,
  type TriePageSource,
} from '../trie/ports.ts'
import { corrupted, StorageError } from './errors.ts'

/** Read at a time by who goes through the log; and by who wants one page, which is shorter. */
const chunkBytes = 256 * 1024
const pageBytes = 2 * 1024
const CHECKSUM_BYTES = PAGE_ROOM_BYTES - PAGE_LENGTH_BYTES

/** Where the files lie in a database's folder. */
export function pagesDirectory(database: string): string {
  return join(database, 'pages')
}

export function pageFileName(first: number): string {
  return `${String(first).padStart(16, '0')}.pages`
}

/** Number of the first page of a file; undefined where it is another's. */
export function firstPageOf(name: string): number | undefined {
  const first = /^(\d{16})\.pages$/.exec(name)?.[1]
  return first === undefined ? undefined : Number(first)
}

/** Pages out of files, by who finds their bytes there. */
export abstract class PageSource implements TriePageSource {
  readonly #chunk = Buffer.allocUnsafe(chunkBytes)
  /** Apart: who goes through a chunk looks at single pages meanwhile. */
  readonly #page = Buffer.allocUnsafe(pageBytes)

  get(id: number): Uint8Array | undefined {
    const chunk = this.read(id, this.#page)
    return chunk === undefined ? undefined : firstPageIn(chunk, id)
  }

  from(id: number): readonly StoredPage[] {
    const chunk = this.read(id, this.#chunk)
    return chunk === undefined ? [] : pagesIn(chunk, id)
  }

  /** What there is from a page on, as much as there is room for; undefined where there is nothing. */
  protected abstract read(id: number, into: Buffer): Buffer | undefined
}

/** The page that a chunk begins with, as a view. @throws StorageError `corrupted`, also where the chunk ends within it. */
function firstPageIn(chunk: Buffer, id: number): Uint8Array {
  const page = pageIn(chunk, 0, id)
  // Longer than any page of the trie: only where its length is damaged.
  if (page === undefined) throw cutShort(id)
  return page
}

/** The whole pages of a chunk, up to the first damaged one, as views. @throws StorageError `corrupted` where the first is
 *  damaged. */
function pagesIn(chunk: Buffer, id: number): StoredPage[] {
  const pages: StoredPage[] = []
  for (let at = 0; at < chunk.length; ) {
    const bytes = at === 0 ? pageIn(chunk, 0, id) : unlessDamaged(() => pageIn(chunk, at, id + at))
    if (bytes === undefined) break
    pages.push({ id: id + at, bytes })
    at += bytes.length + PAGE_ROOM_BYTES
  }
  if (pages.length === 0) throw cutShort(id)
  return pages
}

function cutShort(id: number): StorageError {
  return corrupted(`trie page ${id}`, 'it is cut short')
}

/** The bytes of the page at a place of a chunk, as a view; undefined where the chunk ends within it.
 *  @throws StorageError `corrupted`. */
function pageIn(chunk: Buffer, at: number, id: number): Uint8Array | undefined {
  if (at + PAGE_ROOM_BYTES > chunk.length) return undefined
  const start = at + PAGE_LENGTH_BYTES
  const end = start + chunk.readUInt16BE(at)
  if (end + CHECKSUM_BYTES > chunk.length) return undefined
  const page = new Uint8Array(chunk.buffer, chunk.byteOffset + start, end - start)
  if (chunk.readUInt32BE(end) === checksumOf(page, id)) return page
  throw corrupted(`trie page ${id}`, 'its checksum is wrong')
}

/** Who goes through the log hears of a damaged page when it comes to it. */
function unlessDamaged<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof StorageError && error.code === 'corrupted') return undefined
    throw error
  }
}

export function setChecksums({ firstId, bytes }: PagePiece): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; ) {
    const start = at + PAGE_LENGTH_BYTES
    const end = start + view.getUint16(at)
    view.setUint32(end, checksumOf(bytes.subarray(start, end), firstId + at))
    at = end + CHECKSUM_BYTES
  }
}

/** Begun with the number, so that a page in another's place is found like a changed one. */
function checksumOf(page: Uint8Array, id: number): number {
  return crc32(page, ((id % 2 ** 32) ^ Math.floor(id / 2 ** 32)) >>> 0)
}
