// The log of the trie's pages on a real disk: files of some 64 MiB, one after another, that are only ever added to and
// then removed whole. A page begins in its file as far behind the file's first as its number is above that one's:
//
//   length u16, big-endian · bytes · CRC-32 over them, begun with the number, u32, big-endian
//
// What a checkpoint does not name yet may be torn by a crash; the next start cuts it off.
import { readSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { PagePiece } from '../trie/ports.ts'
import { StorageError } from './errors.ts'
import { firstPageOf, PageSource, pageFileName, setChecksums } from './page-bytes.ts'
import { assertNext, type PageLog, type PageRange } from './page-log.ts'
import { syncDirectory, writeAll } from './record-file.ts'

/** A file that has reached this is not added to. */
const fileBytesMax = 64 * 1024 * 1024
/** So much may lie unsynced before the disk is told to begin, so that a checkpoint has little left to wait for. */
const unsyncedBytesMax = 4 * 1024 * 1024

export interface PageFileOptions {
  readonly fileBytesMax?: number
  readonly unsyncedBytesMax?: number
}

interface PageFile {
  readonly first: number
  readonly path: string
  readonly handle: FileHandle
  /** Of what can be read. */
  sizeBytes: number
  /** Of that, what a sync that began later has made durable. */
  syncedBytes: number
}

export class PageFiles extends PageSource implements PageLog {
  readonly #directory: string
  readonly #fileBytesMax: number
  readonly #unsyncedBytesMax: number
  /** Ascending. */
  #files: PageFile[]
  /** A file came whose name may not be durable. */
  #hasNewName = false
  #unsyncedBytes = 0
  /** Under way in the background. */
  #syncing: Promise<void> | undefined
  /** Of the first of those that failed. */
  #failure: unknown
  /** The last change, under way or done. */
  #changing: Promise<unknown> = Promise.resolve()
  #isClosed = false

  private constructor(directory: string, files: PageFile[], options: Required<PageFileOptions>) {
    super()
    this.#directory = directory
    this.#files = files
    this.#fileBytesMax = options.fileBytesMax
    this.#unsyncedBytesMax = options.unsyncedBytesMax
  }

  /** Opens what is in `directory`, which is made if it is not there. Only one process may have it open: the lock is the
   *  database's. Throws `StorageError` (`open-failed`). */
  static async open(directory: string, options: PageFileOptions = {}): Promise<PageFiles> {
    const files: PageFile[] = []
    try {
      const madeFirst = await mkdir(directory, { recursive: true })
      if (madeFirst !== undefined) await syncDirectory(dirname(madeFirst))
      for (const name of (await readdir(directory)).sort()) {
        const first = firstPageOf(name)
        if (first !== undefined) files.push(await openFile(join(directory, name), first, 'r+'))
      }
    } catch (error) {
      await Promise.all(files.map(({ handle }) => handle.close()))
      const message = `${directory} cannot be opened: ${reasonOf(error)}`
      throw new StorageError('open-failed', message, { cause: error })
    }
    return new PageFiles(directory, files, { fileBytesMax, unsyncedBytesMax, ...options })
  }

  append(piece: PagePiece): Promise<void> {
    return this.#change(() => this.#append(piece))
  }

  sync(): Promise<void> {
    return this.#change(async () => {
      await this.#syncing
      if (this.#failure !== undefined) throw this.#failure
      await this.#syncFiles()
    })
  }

  release(first: number): Promise<void> {
    return this.#change(() => this.#keep(this.#files.slice(this.#indexOf(first))))
  }

  cut(range: PageRange): Promise<boolean> {
    return this.#change(() => this.#cut(range))
  }

  /** Once what is under way has ended. Closing again does nothing. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#changing.catch(() => {
      // Who asked for it was told.
    })
    await this.#syncing
    const files = this.#files
    this.#files = []
    await Promise.all(files.map(({ handle }) => handle.close()))
  }

  async #append(piece: PagePiece): Promise<void> {
    if (piece.bytes.length === 0) return
    const last = this.#files.at(-1)
    assertNext(piece, last === undefined ? undefined : endOf(last))
    const file =
      last === undefined || last.sizeBytes >= this.#fileBytesMax ? await this.#begin(piece.firstId) : last
    setChecksums(piece)
    await writeAll(file.handle, piece.bytes, file.sizeBytes)
    this.#unsyncedBytes += piece.bytes.length
    // From here on it can be read, and counts as what is to be synced.
    file.sizeBytes += piece.bytes.length
    if (this.#unsyncedBytes < this.#unsyncedBytesMax || this.#syncing !== undefined) return
    this.#syncing = this.#syncFiles()
      .catch((error: unknown) => {
        this.#failure ??= error
      })
      .finally(() => {
        this.#syncing = undefined
      })
  }

  async #cut({ first, next }: PageRange): Promise<boolean> {
    const upTo = this.#files.filter((file) => file.first < next)
    const kept = first < next ? upTo.slice(this.#indexOf(first)) : []
    const last = kept.at(-1)
    const isWhole =
      first === next ||
      ((kept[0]?.first ?? next) <= first &&
        kept.slice(1).every((file, at) => kept[at] !== undefined && endOf(kept[at]) === file.first) &&
        last !== undefined &&
        endOf(last) >= next)
    await this.#keep(isWhole ? kept : [])
    if (!isWhole || last === undefined) return isWhole
    last.sizeBytes = next - last.first
    last.syncedBytes = Math.min(last.syncedBytes, last.sizeBytes)
    await last.handle.truncate(last.sizeBytes)
    return true
  }

  /** Of the file in which a page lies, or would. */
  #indexOf(id: number): number {
    return Math.max(
      0,
      this.#files.findLastIndex(({ first }) => first <= id),
    )
  }

  async #change<T>(change: () => Promise<T>): Promise<T> {
    this.#assertOpen()
    const changing = change()
    this.#changing = changing
    try {
      return await changing
    } catch (error) {
      throw this.#writeFailure(error)
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new StorageError('closed', 'the log of pages is closed')
  }

  async #begin(first: number): Promise<PageFile> {
    const path = join(this.#directory, pageFileName(first))
    const file = await openFile(path, first, 'w+')
    this.#files.push(file)
    this.#hasNewName = true
    return file
  }

  async #syncFiles(): Promise<void> {
    const hasNewName = this.#hasNewName
    this.#hasNewName = false
    this.#unsyncedBytes = 0
    for (const file of this.#files) {
      // What is written meanwhile may not be covered.
      const { sizeBytes } = file
      if (file.syncedBytes >= sizeBytes) continue
      await file.handle.datasync()
      file.syncedBytes = Math.max(file.syncedBytes, sizeBytes)
    }
    if (hasNewName) await syncDirectory(this.#directory)
  }

  /** Removes all other files. */
  async #keep(kept: PageFile[]): Promise<void> {
    const gone = this.#files.filter((file) => !kept.includes(file))
    if (gone.length === 0) return
    await this.#syncing
    this.#files = kept
    for (const { handle, path } of gone) {
      await handle.close()
      await rm(path, { force: true })
    }
    // One that came back with a loss of power would stand where others are by then.
    await syncDirectory(this.#directory)
  }

  protected override read(id: number, into: Buffer): Buffer | undefined {
    this.#assertOpen()
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

async function openFile(path: string, first: number, flags: 'r+' | 'w+'): Promise<PageFile> {
  const handle = await open(path, flags, 0o600)
  const sizeBytes = (await handle.stat()).size
  return { first, path, handle, sizeBytes, syncedBytes: sizeBytes }
}

function endOf({ first, sizeBytes }: PageFile): number {
  return first + sizeBytes
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
