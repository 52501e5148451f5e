// The file of the signing record on a real disk. Slower than the database and simpler: a line counts once it is synced.
import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { StorageError } from './errors.ts'

/** What the signing record needs of a file. Calls do not overlap. Failures are `StorageError`s. */
export interface RecordFile {
  /** All of it, or undefined where there is none. */
  read(): Promise<Uint8Array | undefined>
  /** Adds at the end; durable when it resolves. After a crash any part of it, from the start, may be there. */
  append(bytes: Uint8Array): Promise<void>
  /** Puts other content in place of all of it, making the file if there is none; durable when it resolves. After a
   *  crash either the old or the new content is there, whole. */
  replace(bytes: Uint8Array): Promise<void>
}

export class NodeRecordFile implements RecordFile {
  readonly #path: string
  /** Open for appending, from the first append on. */
  #handle: FileHandle | undefined
  /** Of the open file. */
  #sizeBytes = 0

  /** @param path of the file. Its folder is made with the first `replace`. */
  constructor(path: string) {
    this.#path = resolve(path)
  }

  async read(): Promise<Uint8Array | undefined> {
    try {
      return new Uint8Array(await readFile(this.#path))
    } catch (error) {
      if (isMissing(error)) return undefined
      throw new StorageError('read-failed', `${this.#path} could not be read: ${reasonOf(error)}`, {
        cause: error,
      })
    }
  }

  async append(bytes: Uint8Array): Promise<void> {
    try {
      // Not created here: a name that is not synced with its folder could vanish with the power.
      const handle = this.#handle ?? (await this.#open())
      await writeAll(handle, bytes, this.#sizeBytes)
      this.#sizeBytes += bytes.length
      await handle.datasync()
    } catch (error) {
      throw this.#writeFailure(error)
    }
  }

  async replace(bytes: Uint8Array): Promise<void> {
    const directory = dirname(this.#path)
    const temporary = join(directory, `.${basename(this.#path)}.new`)
    try {
      const madeFirst = await mkdir(directory, { recursive: true, mode: 0o700 })
      if (madeFirst !== undefined) await syncDirectory(dirname(madeFirst))
      const handle = await open(temporary, 'w', 0o600)
      try {
        await writeAll(handle, bytes, 0)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await this.close()
      await rename(temporary, this.#path)
      await syncDirectory(directory)
    } catch (error) {
      throw this.#writeFailure(error)
    }
  }

  /** Lets go of the file. It opens again when it is written to. */
  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  async #open(): Promise<FileHandle> {
    const handle = await open(this.#path, 'r+')
    this.#handle = handle
    this.#sizeBytes = (await handle.stat()).size
    return handle
  }

  #writeFailure(error: unknown): StorageError {
    const message = `${this.#path} could not be written (${reasonOf(error)}); is the disk full?`
    return new StorageError('write-failed', message, { cause: error })
  }
}

/** At a place in the file, whatever the system takes at a time. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written)
    written += bytesWritten
  }
}

/** Makes a new or renamed name in it durable. */
export async function syncDirectory(directory: string): Promise<void> {
  // Windows opens no folders, and keeps names in its journal.
  if (process.platform === 'win32') return
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
