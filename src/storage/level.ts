// The store on disk: LevelDB. It recovers from a crash by itself, dropping a write that was cut short; what it cannot
// recover from is told apart here, before it makes an empty database in place of a damaged one.
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { StorageError } from './errors.ts'
import { lockFailure } from './home-lock.ts'
import type { KeyRange, KeyValueEntry, KeyValueStore, WriteOperation } from './key-value.ts'
import { pagesDirectory } from './page-bytes.ts'
import { PageFiles } from './page-files.ts'

/** Entries fetched at a time by an iteration. */
const iterationStep = 256
/** Keys up to which reading here and now (6 µs each) costs less than a turn through a thread (100 µs and more, where
 *  cores are few and the thread has to be woken). */
const syncReadsMax = 24

/** Written in one piece when it is full: what comes and goes meanwhile (batches of the pool) is sorted in fewer and
 *  larger steps than with LevelDB's own quarter of it (docs/performance.md). A start reads up to twice this much again,
 *  since nothing is sorted at the end of a process. Compression stays on, though most of a chain cannot be compressed:
 *  LevelDB does not look at its checksums here, and a damaged table is found by what cannot be unpacked. */
const writeBufferSize = 16 * 1024 * 1024

export class LevelStore implements KeyValueStore {
  readonly pages: PageFiles
  readonly #database: Level<Uint8Array, Uint8Array>

  private constructor(database: Level<Uint8Array, Uint8Array>, pages: PageFiles) {
    this.#database = database
    this.pages = pages
  }

  /**
   * Opens the database in `directory`, which is made if it is not there, and takes the home's lock (home-lock.ts).
   * Throws `StorageError`: `home-locked`, `corrupted` or `open-failed`.
   */
  static async open(directory: string): Promise<LevelStore> {
    await prepareDirectory(directory)
    const database = new Level<Uint8Array, Uint8Array>(directory, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      writeBufferSize,
    })
    try {
      await database.open()
    } catch (error) {
      throw openFailure(error, directory)
    }
    try {
      return new LevelStore(database, await PageFiles.open(pagesDirectory(directory)))
    } catch (error) {
      await database.close()
      throw error
    }
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.#assertOpen()
    try {
      return plain(this.#database.getSync(key))
    } catch (error) {
      throw readFailure(error)
    }
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.#assertOpen()
    try {
      if (keys.length <= syncReadsMax) return keys.map((key) => plain(this.#database.getSync(key)))
      // Its type forgets that a key may have no value.
      const values: (Uint8Array | undefined)[] = await this.#database.getMany([...keys])
      return values.map(plain)
    } catch (error) {
      throw readFailure(error)
    }
  }

  async write(operations: Iterable<WriteOperation>, { sync }: { readonly sync: boolean }): Promise<void> {
    this.#assertOpen()
    // A chained batch takes its operations over one by one: a tenth of what an array of them costs (measured, eleven
    // operations a message: 12 µs against 130).
    const batch = this.#database.batch()
    try {
      for (const operation of operations) {
        if (operation.type === 'put') batch.put(operation.key, operation.value)
        else batch.del(operation.key)
      }
    } catch (error) {
      // Of what makes the operations; none of them is written.
      await batch.close()
      throw error
    }
    try {
      await batch.write({ sync })
    } catch (error) {
      throw writeFailure(error)
    }
  }

  async *iterate(range: KeyRange): AsyncGenerator<KeyValueEntry> {
    this.#assertOpen()
    const iterator = this.#database.iterator({ ...range })
    try {
      for (;;) {
        const entries = await iterator.nextv(iterationStep)
        if (entries.length === 0) return
        for (const [key, value] of entries) yield [plain(key), plain(value)]
      }
    } catch (error) {
      throw readFailure(error)
    } finally {
      await iterator.close()
    }
  }

  async close(): Promise<void> {
    // The lock, which is the database's, last.
    await this.pages.close()
    await this.#database.close()
  }

  #assertOpen(): void {
    if (this.#database.status !== 'open') throw new StorageError('closed', 'the store is closed')
  }
}

/** Makes the folder, and refuses one whose database lost the file that names all others: LevelDB would start an empty
 *  one there and delete what is left. */
async function prepareDirectory(directory: string): Promise<void> {
  let names: string[]
  let current: string | undefined
  try {
    await mkdir(directory, { recursive: true })
    names = await readdir(directory)
    if (names.includes('CURRENT')) current = (await readFile(join(directory, 'CURRENT'), 'utf8')).trimEnd()
  } catch (error) {
    const message = `${directory} cannot be opened: ${reasonOf(error)}`
    throw new StorageError('open-failed', message, { cause: error })
  }
  // A database has its first log only after CURRENT: a crash while it was being made leaves neither.
  const hasData = names.some((name) => name.endsWith('.log') || name.endsWith('.ldb'))
  if (current === undefined && hasData) throw damaged(directory, 'its file CURRENT is missing')
  if (current !== undefined && !names.includes(current)) {
    throw damaged(directory, 'its file CURRENT names a file that is not there')
  }
}

function openFailure(error: unknown, directory: string): StorageError {
  const cause = causeOf(error)
  const locked = lockFailure(cause, directory)
  if (locked !== undefined) return locked
  if (isCorruption(cause)) return damaged(directory, reasonOf(cause), cause)
  const message = `${directory} cannot be opened: ${reasonOf(cause)}`
  return new StorageError('open-failed', message, { cause })
}

function damaged(directory: string, reason: string, cause?: unknown): StorageError {
  const message = `the database in ${directory} is damaged: ${reason}`
  return new StorageError('corrupted', message, cause === undefined ? {} : { cause })
}

/** A table that is found damaged while it is merged with others ends all writing as well. */
function writeFailure(error: unknown): StorageError {
  const [code, question] = isCorruption(causeOf(error))
    ? (['corrupted', ''] as const)
    : (['write-failed', '; is the disk full?'] as const)
  return new StorageError(code, `the database could not be written (${reasonOf(error)})${question}`, {
    cause: error,
  })
}

function readFailure(error: unknown): StorageError {
  if (error instanceof StorageError) return error
  const cause = causeOf(error)
  const code = isCorruption(cause) ? 'corrupted' : 'read-failed'
  return new StorageError(code, `the database could not be read: ${reasonOf(cause)}`, { cause: error })
}

/** What Level wraps. */
function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error
}

function isCorruption(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'LEVEL_CORRUPTION'
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Level hands out Buffers, whose `slice` and `toString` differ from what callers expect of bytes. */
function plain(bytes: Uint8Array): Uint8Array
function plain(bytes: Uint8Array | undefined): Uint8Array | undefined
function plain(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes === undefined ? undefined : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
