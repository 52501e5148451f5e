// The file of a node's signing record on the simulated disk. An append is durable when it resolves; a crash before
// that leaves any part of it, from the start.
import { type RecordFile, StorageError } from '../storage/index.ts'
import type { DiskOptions } from './disk.ts'

export class SimulatedRecordFile {
  isFull = false
  readonly #options: DiskOptions
  /** Grown in steps, so that an append costs what it appends; `#size` bytes of it are written. */
  #bytes: Uint8Array | undefined
  #size = 0
  #pending: { readonly bytes: Uint8Array; readonly isReplacement: boolean } | undefined
  #opening = 0

  constructor(options: DiskOptions) {
    this.#options = options
  }

  /** A copy; undefined where there is no file. */
  get content(): Uint8Array | undefined {
    return this.#bytes?.slice(0, this.#size)
  }

  open(): RecordFile {
    this.#opening += 1
    const opening = this.#opening
    return {
      read: async () => this.content,
      append: (bytes) => this.#write(opening, bytes, false),
      replace: (bytes) => this.#write(opening, bytes, true),
    }
  }

  crash(): void {
    const { random } = this.#options
    this.#opening += 1
    const pending = this.#pending
    this.#pending = undefined
    if (pending === undefined) return
    if (pending.isReplacement) {
      if (random.chance(0.5)) this.restore(pending.bytes)
      return
    }
    const reached = random.chance(0.3) ? pending.bytes.length : random.between(0, pending.bytes.length)
    this.#append(pending.bytes.subarray(0, reached))
  }

  /** Puts another content in its place (an old copy, a damaged one, none). The node must be down. */
  restore(content: Uint8Array | undefined): void {
    this.#bytes = content
    this.#size = content?.length ?? 0
  }

  #write(opening: number, bytes: Uint8Array, isReplacement: boolean): Promise<void> {
    const { scheduler, random, lagMs, onWrite } = this.#options
    // Not `slice`: a Buffer would hand out its own memory.
    const written = new Uint8Array(bytes)
    this.#pending = { bytes: written, isReplacement }
    return new Promise((resolve, reject) => {
      scheduler.after(random.within(0.2, 2) + lagMs(), () => {
        if (opening !== this.#opening) return
        if (this.isFull) {
          this.#pending = undefined
          reject(new StorageError('write-failed', 'no space left on the device'))
          return
        }
        if (onWrite('before')) return
        this.#pending = undefined
        if (isReplacement) this.restore(written)
        else this.#append(written)
        if (onWrite('after')) return
        resolve()
      })
    })
  }

  #append(bytes: Uint8Array): void {
    const size = this.#size + bytes.length
    if (this.#bytes === undefined || this.#bytes.length < size) {
      const larger = new Uint8Array(2 * size)
      if (this.#bytes !== undefined) larger.set(this.#bytes.subarray(0, this.#size))
      this.#bytes = larger
    }
    this.#bytes.set(bytes, this.#size)
    this.#size = size
  }
}
