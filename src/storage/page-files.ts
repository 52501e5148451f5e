// The log of the trie's pages on a real disk: files of some 64 MiB, one after another, that are only ever added to and
// then removed whole. A page begins in its file as far behind the file's first as its number is above that one's:
//
//   length u16, big-endian · bytes · CRC-32 over them, begun with the number, u32, big-endian
//
// What a checkpoint does not name yet may be torn by a crash; the next start cuts it off.
import { readSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { PAGE_LENGTH_BYTES, PAGE_ROOM_BYTES, type PagePiece, type StoredPage } from '../trie/ports.ts'
import { corrupted, StorageError } from './errors.ts'
import { assertNext, type PageLog, type PageRange } from './page-log.ts'
import { syncDirectory, writeAll } from './record-file.ts'

/** A file that has reached this is not added to. */
const fileBytesMax = 64 * 1024 * 1024
/** Read at a time by who goes through the log; and by who wants one page, which is shorter. */
const chunkBytes = 256 * 1024
const pageBytes = 2 * 1024
const CHECKSUM_BYTES = PAGE_ROOM_BYTES - PAGE_LENGTH_BYTES
/** So much may lie unsynced before the disk is told to begin, so that a checkpoint has little left to wait for. */
const unsyncedBytesMax = 4 * 1024 * 1024

interface PageFile {
  readonly first: number
  readonly path: string
  readonly handle: FileHandle
  sizeBytes: number
  isSynced: boolean
}

export class PageFiles implements PageLog {
  readonly #directory: string
  readonly #fileBytesMax: number
  /** Ascending. */
  #files: PageFile[]
  readonly #chunk = Buffer.allocUnsafe(chunkBytes)
  /** Apart: who goes through a chunk looks at single pages meanwhile. */
  readonly #page = Buffer.allocUnsafe(pageBytes)
  /** A file came whose name may not be durable. */
  #hasNewName = false
  #unsyncedBytes = 0
  /** Under way in the background. */
  #syncing: Promise<void> | undefined
  /** Of the last of those, until somebody waits for it. */
  #failure: unknown

  private constructor(directory: string, files: PageFile[], bytesMax: number) {
    this.#directory = directory
    this.#files = files
    this.#fileBytesMax = bytesMax
  }

  /** Opens what is in `directory`, which is made if it is not there. Only one process may have it open: the lock is the
   *  database's. Throws `StorageError` (`open-failed`). */
  static async open(directory: string, options: { readonly fileBytesMax?: number } = {}): Promise<PageFiles> {
    const files: PageFile[] = []
    try {
      await mkdir(directory, { recursive: true })
      for (const name of (await readdir(directory)).sort()) {
        const first = /^(\d{16})\.pages$/.exec(name)?.[1]
        if (first !== undefined) files.push(await openFile(join(directory, name), Number(first), 'r+'))
      }
    } catch (error) {
      await Promise.all(files.map(({ handle }) => handle.close()))
      const message = `${directory} cannot be opened: ${reasonOf(error)}`
      throw new StorageError('open-failed', message, { cause: error })
    }
    return new PageFiles(directory, files, options.fileBytesMax ?? fileBytesMax)
  }

  get(id: number): Uint8Array | undefined {
    const chunk = this.#read(id, this.#page)
    if (chunk === undefined) return undefined
    // Longer than any page of the trie: only where its length is damaged.
    const page = pageIn(chunk, 0, id)
    if (page === undefined) throw corrupted(`trie page ${id}`, 'it is cut short')
    return new Uint8Array(page)
  }

  from(id: number): readonly StoredPage[] {
    const chunk = this.#read(id, this.#chunk)
    if (chunk === undefined) return []
    const pages: StoredPage[] = []
    for (let at = 0; at < chunk.length; ) {
      const bytes = pageIn(chunk, at, id + at)
      if (bytes === undefined) break
      pages.push({ id: id + at, bytes })
      at += bytes.length + PAGE_ROOM_BYTES
    }
    if (pages.length === 0) throw corrupted(`trie page ${id}`, 'it is cut short')
    return pages
  }

  async append(piece: PagePiece): Promise<void> {
    if (piece.bytes.length === 0) return
    const last = this.#files.at(-1)
    assertNext(piece, last === undefined ? undefined : endOf(last))
    try {
      const file =
        last === undefined || last.sizeBytes >= this.#fileBytesMax ? await this.#begin(piece.firstId) : last
      setChecksums(piece)
      file.isSynced = false
      await writeAll(file.handle, piece.bytes, file.sizeBytes)
      this.#unsyncedBytes += piece.bytes.length
      // From here on it can be read.
      file.sizeBytes += piece.bytes.length
      if (this.#unsyncedBytes >= unsyncedBytesMax && this.#syncing === undefined) {
        this.#syncing = this.#syncFiles()
          .catch((error: unknown) => {
            this.#failure = error
          })
          .finally(() => {
            this.#syncing = undefined
          })
      }
    } catch (error) {
      throw this.#writeFailure(error)
    }
  }

  async sync(): Promise<void> {
    try {
      await this.#syncing
      if (this.#failure !== undefined) throw this.#failure
      await this.#syncFiles()
    } catch (error) {
      throw this.#writeFailure(error)
    }
  }

  async release(first: number): Promise<void> {
    const isNeeded = (at: number) => (this.#files[at + 1]?.first ?? Number.POSITIVE_INFINITY) > first
    const kept = this.#files.filter((_, at) => isNeeded(at))
    await this.#keep(kept)
  }

  async cut({ first, next }: PageRange): Promise<boolean> {
    const kept = this.#files.filter((file) => file.first < next)
    const last = kept.at(-1)
    const isWhole =
      first === next ||
      ((kept[0]?.first ?? next) <= first &&
        kept.slice(1).every((file, at) => kept[at] !== undefined && endOf(kept[at]) === file.first) &&
        last !== undefined &&
        endOf(last) >= next)
    await this.#keep(isWhole && first < next ? kept : [])
    if (!isWhole || first === next || last === undefined) return isWhole
    try {
      last.sizeBytes = next - last.first
      await last.handle.truncate(last.sizeBytes)
    } catch (error) {
      throw this.#writeFailure(error)
    }
    return true
  }

  async close(): Promise<void> {
    await this.#syncing
    const files = this.#files
    this.#files = []
    await Promise.all(files.map(({ handle }) => handle.close()))
  }

  async #begin(first: number): Promise<PageFile> {
    const path = join(this.#directory, `${String(first).padStart(16, '0')}.pages`)
    const file = await openFile(path, first, 'w+')
    this.#files.push(file)
    this.#hasNewName = true
    return file
  }

  async #syncFiles(): Promise<void> {
    const hasNewName = this.#hasNewName
    this.#hasNewName = false
    this.#unsyncedBytes = 0
    for (const file of this.#files.filter(({ isSynced }) => !isSynced)) {
      // Before: what is added meanwhile is another sync's.
      file.isSynced = true
      await file.handle.datasync()
    }
    if (hasNewName) await syncDirectory(this.#directory)
  }

  /** Removes all other files. */
  async #keep(kept: PageFile[]): Promise<void> {
    const gone = this.#files.filter((file) => !kept.includes(file))
    if (gone.length === 0) return
    try {
      await this.#syncing
      this.#files = kept
      for (const { handle, path } of gone) {
        await handle.close()
        await rm(path, { force: true })
      }
    } catch (error) {
      throw this.#writeFailure(error)
    }
  }

  /** What the log has from a page on, as much as there is room for. */
  #read(id: number, into: Buffer): Buffer | undefined {
    const file = this.#files.findLast(({ first }) => first <= id)
    const at = id - (file?.first ?? 0)
    if (file === undefined || at >= file.sizeBytes) return undefined
    try {
      const read = readSync(file.handle.fd, into, 0, Math.min(into.length, file.sizeBytes - at), at)
      return into.subarray(0, read)
    } catch (error) {
      const message = `${file.path} could not be read: ${reasonOf(error)}`
      throw new StorageError('read-failed', message, { cause: error })
    }
  }

  #writeFailure(error: unknown): unknown {
    if (error instanceof RangeError || error instanceof StorageError) return error
    const message = `${this.#directory} could not be written (${reasonOf(error)}); is the disk full?`
    return new StorageError('write-failed', message, { cause: error })
  }
}

/** The bytes of the page at a place of a chunk, as a view; undefined where the chunk ends within it.
 *  @throws StorageError `corrupted`. */
function pageIn(chunk: Buffer, at: number, id: number): Uint8Array | undefined {
  if (at + PAGE_ROOM_BYTES > chunk.length) return undefined
  const start = at + PAGE_LENGTH_BYTES
  const end = start + chunk.readUInt16BE(at)
  if (end + CHECKSUM_BYTES > chunk.length) return undefined
  const page = chunk.subarray(start, end)
  if (chunk.readUInt32BE(end) === checksumOf(page, id)) return page
  throw corrupted(`trie page ${id}`, 'its checksum is wrong')
}

function setChecksums({ firstId, bytes }: PagePiece): void {
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

async function openFile(path: string, first: number, flags: 'r+' | 'w+'): Promise<PageFile> {
  const handle = await open(path, flags, 0o600)
  return { first, path, handle, sizeBytes: (await handle.stat()).size, isSynced: true }
}

function endOf({ first, sizeBytes }: PageFile): number {
  return first + sizeBytes
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
