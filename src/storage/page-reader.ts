// Reads the files of the trie's pages that another thread of the same process adds to and removes (page-files.ts). What
// is asked for has to be in them by then: who writes says so before it asks for more (`StateTrie.append`).
import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { StorageError } from './errors.ts'
import { firstPageOf, PageSource, pageFileName } from './page-bytes.ts'

interface OpenFile {
  readonly first: number
  readonly descriptor: number
}

export class PageFileReader extends PageSource {
  readonly #directory: string
  /** Ascending. */
  #files: OpenFile[] = []

  constructor(directory: string) {
    super()
    this.#directory = directory
  }

  /** Files all of whose pages are before `first` are asked for no more. They take room on the disk until they are
   *  closed, removed or not. */
  release(first: number): void {
    const kept = this.#files.findLastIndex((file) => file.first <= first)
    for (const { descriptor } of this.#files.splice(0, Math.max(0, kept))) closeSync(descriptor)
  }

  protected override read(id: number, into: Buffer): Buffer | undefined {
    try {
      const read = this.#readFrom(id, into)
      // Of a file that came since.
      if (read === 0) this.#lookForFiles()
      const bytes = read === 0 ? this.#readFrom(id, into) : read
      return bytes === 0 ? undefined : into.subarray(0, bytes)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      const message = `${this.#directory} could not be read: ${reason}`
      throw new StorageError('read-failed', message, { cause: error })
    }
  }

  #readFrom(id: number, into: Buffer): number {
    const file = this.#files.findLast(({ first }) => first <= id)
    return file === undefined ? 0 : readSync(file.descriptor, into, 0, into.length, id - file.first)
  }

  #lookForFiles(): void {
    const last = this.#files.at(-1)?.first ?? -1
    const firsts = readdirSync(this.#directory).flatMap((name) => firstPageOf(name) ?? [])
    for (const first of firsts.sort((a, b) => a - b)) {
      if (first <= last) continue
      const descriptor = openIfThere(join(this.#directory, pageFileName(first)))
      if (descriptor !== undefined) this.#files.push({ first, descriptor })
    }
  }
}

/** One that was removed meanwhile is one that nothing is asked for in. */
function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
