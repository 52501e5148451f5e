// The file of a node's signing record on the simulated disk. An append is durable when it resolves; a crash before
// that leaves any part of it, from the start.
import { type RecordFile, StorageError } from '../storage/index.ts'
import type { DiskOptions } from './disk.ts'

export class SimulatedRecordFile {
  isFull = false
  readonly #options: DiskOptions
  #content: Uint8Array | undefined
  #pending: { readonly bytes: Uint8Array; readonly isReplacement: boolean } | undefined
  #opening = 0

  constructor(options: DiskOptions) {
    this.#options = options
  }

  get content(): Uint8Array | undefined {
    return this.#content
  }

  open(): RecordFile {
    this.#opening += 1
    const opening = this.#opening
    return {
      read: async () => this.#content?.slice(),
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
      if (random.chance(0.5)) this.#content = pending.bytes
      return
    }
    const reached = random.chance(0.3) ? pending.bytes.length : random.between(0, pending.bytes.length)
    this.#append(pending.bytes.subarray(0, reached))
  }

  /** Puts another content in its place (an old copy, a damaged one, none). The node must be down. */
  restore(content: Uint8Array | undefined): void {
    this.#content = content
  }

  #write(opening: number, bytes: Uint8Array, isReplacement: boolean): Promise<void> {
    const { scheduler, random, lagMs, onWrite } = this.#options
    this.#pending = { bytes: bytes.slice(), isReplacement }
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
        if (isReplacement) this.#content = bytes.slice()
        else this.#append(bytes)
        if (onWrite('after')) return
        resolve()
      })
    })
  }

  #append(bytes: Uint8Array): void {
    this.#content = new Uint8Array(Buffer.concat([this.#content ?? new Uint8Array(), bytes]))
  }
}
