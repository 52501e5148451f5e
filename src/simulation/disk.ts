// The disk of one simulated node under the database: an ordered store that survives its process, and forgets at a
// crash what a real one may forget. A batch is atomic, as LevelDB's log makes it: what a crash tears is the log's end,
// so writes are lost from the last one back, never one out of the middle, and none that was synced.
import type { KeyRange, KeyValueEntry, KeyValueStore, WriteOperation } from '../storage/index.ts'
import { StorageError } from '../storage/index.ts'
import { type PageImage, SimulatedPages } from './page-disk.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

interface PendingWrite {
  readonly operations: readonly WriteOperation[]
  readonly isSynced: boolean
}

type Undo = readonly (readonly [key: string, before: Uint8Array | undefined])[]

/** What the disk holds at one moment, for an operator to bring back later. */
export interface DiskImage {
  readonly values: ReadonlyMap<string, Uint8Array>
  readonly pages: PageImage
}

/** Of a new disk. */
export const emptyImage: DiskImage = { values: new Map(), pages: new Map() }

export interface DiskOptions {
  readonly scheduler: Scheduler
  readonly random: Random
  /** Of what is lost of the log of pages. */
  readonly pageRandom: Random
  /** Added to everything that this node waits for. */
  readonly lagMs: () => number
  /** A write is about to take effect, or just has: the node may crash there. True if it did. */
  readonly onWrite: (moment: 'before' | 'after') => boolean
}

export class SimulatedDisk {
  /** Writes fail, and so does the node. */
  isFull = false
  /** A byte was flipped where it will be noticed: everything read fails its checksum. */
  isDamaged = false
  readonly #options: DiskOptions
  /** Keys as one character a byte. */
  #values = new Map<string, Uint8Array>()
  readonly #pages: SimulatedPages
  /** Of the writes that are not synced yet, the oldest first. */
  #undo: Undo[] = []
  #pending: PendingWrite[] = []
  /** Keys whose last values went with a process, with the power or with another disk, until they are written again. */
  readonly #lost = new Set<string>()
  #busyUntilMs = 0
  /** Counts openings: what an earlier process still waits for never comes. */
  #opening = 0

  constructor(options: DiskOptions) {
    this.#options = options
    this.#pages = new SimulatedPages(options.pageRandom)
  }

  /** The store of a new process. */
  open(): KeyValueStore {
    this.#opening += 1
    const opening = this.#opening
    const assertOpen = () => {
      if (opening !== this.#opening) throw new StorageError('closed', 'the process of this store is gone')
      if (this.isDamaged) throw new StorageError('corrupted', 'a block of the database fails its checksum')
    }
    const assertWritable = () => {
      assertOpen()
      if (this.isFull) throw new StorageError('write-failed', 'no space left on the device')
    }
    return {
      pages: this.#pages.open(assertOpen, assertWritable),
      get: (key) => {
        assertOpen()
        return this.#values.get(textOf(key))
      },
      getMany: async (keys) => {
        assertOpen()
        const values = keys.map((key) => this.#values.get(textOf(key)))
        await this.#pause(opening)
        return values
      },
      write: (operations, { sync }) => {
        assertOpen()
        return this.#write(opening, { operations: [...operations], isSynced: sync })
      },
      iterate: (range) => {
        assertOpen()
        return this.#iterate(range)
      },
      close: async () => {
        if (opening === this.#opening) this.#opening += 1
      },
    }
  }

  /** The process is gone; with the machine's power also what was not synced, or some of it. */
  crash({ losesPower }: { losesPower: boolean }): void {
    const { random } = this.#options
    this.#opening += 1
    const reached = random.between(0, this.#pending.length)
    for (const write of this.#pending.slice(0, reached)) this.#apply(write)
    for (const { operations } of this.#pending.slice(reached))
      for (const { key } of operations) this.#lost.add(textOf(key))
    this.#pending = []
    this.#busyUntilMs = 0
    const lost = losesPower ? random.between(0, this.#undo.length) : 0
    for (const undo of this.#undo.splice(this.#undo.length - lost).reverse()) this.#takeBack(undo)
    this.#undo = []
    if (losesPower) this.#pages.losePower()
  }

  /** Whether an older value, or none, is in the place of the last that was written. */
  hasLost(key: Uint8Array): boolean {
    return this.#lost.has(textOf(key))
  }

  image(): DiskImage {
    return { values: new Map(this.#values), pages: this.#pages.image() }
  }

  /** Puts other content in place of all. The node must be down. */
  restore(image: DiskImage): void {
    for (const [key, value] of this.#values) if (image.values.get(key) !== value) this.#lost.add(key)
    this.#values = new Map(image.values)
    this.#pages.restore(image.pages)
    this.#undo = []
    this.isDamaged = false
  }

  #write(opening: number, write: PendingWrite): Promise<void> {
    const { scheduler, random, lagMs, onWrite } = this.#options
    const costMs = write.isSynced ? random.within(0.2, 2) : random.within(0, 0.1)
    this.#busyUntilMs = Math.max(this.#busyUntilMs, scheduler.nowMs) + costMs + lagMs()
    this.#pending.push(write)
    return new Promise((resolve, reject) => {
      scheduler.after(this.#busyUntilMs - scheduler.nowMs, () => {
        if (opening !== this.#opening) return
        if (this.isFull) {
          this.#pending = []
          reject(new StorageError('write-failed', 'no space left on the device'))
          return
        }
        if (onWrite('before')) return
        this.#pending = this.#pending.filter((other) => other !== write)
        this.#apply(write)
        if (onWrite('after')) return
        resolve()
      })
    })
  }

  #apply({ operations, isSynced }: PendingWrite): void {
    const undo: (readonly [string, Uint8Array | undefined])[] = []
    for (const operation of operations) {
      const key = textOf(operation.key)
      this.#lost.delete(key)
      if (!isSynced) undo.push([key, this.#values.get(key)])
      if (operation.type === 'del') {
        this.#values.delete(key)
        continue
      }
      this.#values.set(key, new Uint8Array(operation.value))
    }
    // A synced write makes everything before it in the log durable as well.
    if (isSynced) this.#undo = []
    else this.#undo.push(undo)
  }

  #takeBack(undo: Undo): void {
    for (const [key, before] of undo.toReversed()) {
      this.#lost.add(key)
      if (before === undefined) this.#values.delete(key)
      else this.#values.set(key, before)
    }
  }

  /** Some reads go to the disk and take time, so that other things happen meanwhile. */
  #pause(opening: number): Promise<void> {
    const { random, scheduler, lagMs } = this.#options
    if (!random.chance(0.1)) return Promise.resolve()
    return new Promise((resolve) => {
      scheduler.after(random.within(0, 1) + lagMs(), () => {
        if (opening === this.#opening) resolve()
      })
    })
  }

  async *#iterate({ gte, lt, reverse = false, limit }: KeyRange): AsyncGenerator<KeyValueEntry> {
    const [from, to] = [textOf(gte), textOf(lt)]
    const keys: string[] = []
    for (const key of this.#values.keys()) if (key >= from && key < to) keys.push(key)
    keys.sort()
    if (reverse) keys.reverse()
    const entries: KeyValueEntry[] = []
    for (const key of keys.slice(0, limit)) {
      const value = this.#values.get(key)
      if (value !== undefined) entries.push([new Uint8Array(Buffer.from(key, 'latin1')), value])
    }
    yield* entries
  }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}
