// The trie on a thread of its own (trie-worker.ts), as who asks it sees it. It is the largest single part of what a message
// costs (docs/performance.md). What is to be written comes back, and is written here with the block it belongs to: what
// is on disk, and in which order, is the same either way. Where the thread fails the node has to stop, as with a failed
// disk.
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Transferable, Worker } from 'node:worker_threads'
import { type ChainStore, provableRoots, StorageError } from '../storage/index.ts'
import {
  type ExecutedTrie,
  type PagePiece,
  type StateTrie,
  TrieError,
  type TriePath,
  type TrieTop,
  type TrieWrites,
} from '../trie/index.ts'
import type { NodeConfig } from './options.ts'
import type { Log } from './ports.ts'
import { openStateTrie, type TrieSettings, takeUpTrie } from './restart.ts'
import {
  type Answer,
  type Appended,
  type Call,
  type CallName,
  type Failure,
  type Opened,
  pack,
  type TrieCalls,
  type TrieThreadData,
  trieThreadRole,
} from './trie-calls.ts'

/** Its young objects are as many as a node's with little memory has (cli/node-process.ts): three halves of 8 MiB. */
const resourceLimits = { maxYoungGenerationSizeMb: 24 }

export interface TrieThreadOptions extends TrieSettings {
  readonly store: ChainStore
  /** Of the files of pages. */
  readonly directory: string
  /** Called once where the thread fails after it was opened, whatever is under way. */
  readonly onFailed: (error: Error) => void
  /** What the thread runs; only tests give another. */
  readonly file?: URL
}

/** With fewer it would only take turns with the others (docs/performance.md, "With more cores"). */
const coresMin = 4

/** What the option of that name means on a machine of so many cores. */
export function wantsTrieThread(trieThread: NodeConfig['trieThread'], cores: number): boolean {
  return trieThread === 'auto' ? cores >= coresMin : trieThread === 'always'
}

/** The trie on a thread of its own; in this one where there can be no other. As `takeUpTrie`. */
export async function openTrieThread(
  { log, ...options }: TrieThreadOptions & { readonly log: Pick<Log, 'warn'> },
  onMissing?: () => void,
): Promise<StateTrie> {
  try {
    return await TrieThread.open(options, onMissing)
  } catch (error) {
    // Of the store, not of the thread: it would be the same here.
    if (error instanceof StorageError || error instanceof TrieError) throw error
    log.warn({ error }, 'the thread of the trie cannot be started; the main thread does its work')
    return openStateTrie(options, onMissing)
  }
}

/** What strangers ask for must not keep blocks waiting: so many proofs are with the thread at a time. */
const pathsMax = 8

interface Waiting {
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

export class TrieThread implements StateTrie {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  readonly #onFailed: (error: Error) => void
  /** Proofs that wait for others, in their order. */
  readonly #pathsWaiting: (() => void)[] = []
  #pathsUnderWay = 0
  #nextId = 0
  #height: number
  #top: TrieTop
  /** Why it no longer answers. */
  #end: Error | undefined

  private constructor(worker: Worker, { height, top }: Opened, onFailed: (error: Error) => void) {
    this.#worker = worker
    this.#onFailed = onFailed
    this.#height = height
    this.#top = top
    worker.on('message', (answer: Answer) => this.#settle(answer))
    worker.on('error', (error) => this.#fail(error))
    worker.on('messageerror', (error) => this.#fail(error))
    worker.on('exit', () => this.#fail(new Error('it ended')))
  }

  /**
   * The trie of a store whose pages are files in `directory`, as `takeUpTrie` leaves it.
   * @param onMissing as there.
   * Rejects where no thread can be started, and with what `takeUpTrie` throws.
   */
  static async open(
    { store, directory, cachedBytesMax, rule, onFailed, file = workerFile() }: TrieThreadOptions,
    onMissing?: () => void,
  ): Promise<TrieThread> {
    await takeUpTrie({ store }, onMissing)
    const checkpoint = store.readTrieCheckpoint()
    const data: TrieThreadData = {
      role: trieThreadRole,
      directory,
      checkpoint: checkpoint === undefined ? undefined : Uint8Array.from(checkpoint),
      pastMax: provableRoots,
      cachedBytesMax,
      rule,
    }
    const worker = new Worker(file, { name: 'trie', workerData: data, resourceLimits })
    // It keeps the process until `close`: a start or a stop may have nothing else to wait for.
    return new TrieThread(worker, await firstMessageOf(worker), onFailed)
  }

  get height(): number {
    return this.#height
  }

  get top(): TrieTop {
    return this.#top
  }

  execute(base: number, data: readonly Uint8Array[]): Promise<ExecutedTrie | undefined> {
    const packed = pack(data)
    return this.#call('execute', [base, packed], [packed.bytes.buffer, packed.ends.buffer])
  }

  async append(executed: ExecutedTrie): Promise<TrieWrites | undefined> {
    const appended = await this.#call('append', [executed])
    if (appended === undefined) return undefined
    this.#height = executed.height
    this.#top = appended.top
    return { pages: this.#piecesOf(appended), checkpoint: appended.checkpoint }
  }

  async path(key: Uint8Array, height: number): Promise<TriePath | undefined> {
    if (this.#pathsUnderWay >= pathsMax)
      await new Promise<void>((resolve) => this.#pathsWaiting.push(resolve))
    this.#pathsUnderWay += 1
    try {
      return await this.#call('path', [Uint8Array.from(key), height])
    } finally {
      this.#pathsUnderWay -= 1
      this.#pathsWaiting.shift()?.()
    }
  }

  async close(): Promise<void> {
    this.#endWith(new StorageError('closed', 'the trie is closed'))
    await this.#worker.terminate()
  }

  async *#piecesOf({ piece }: Appended): AsyncGenerator<PagePiece, void> {
    for (let next = piece; next !== undefined; next = await this.#call('nextPiece', [])) yield next
  }

  #call<K extends CallName>(
    name: K,
    args: Parameters<TrieCalls[K]>,
    transferred: readonly Transferable[] = [],
  ): Promise<ReturnType<TrieCalls[K]>> {
    if (this.#end !== undefined) return Promise.reject(this.#end)
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      const call: Call<K> = { id, name, args }
      this.#worker.postMessage(call, [...transferred])
    })
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if ('failure' in answer) waiting?.reject(errorOf(answer.failure))
    else waiting?.resolve(answer.value as never)
  }

  #fail(cause: Error): void {
    if (this.#end !== undefined) return
    const error = new Error(`the thread of the trie failed: ${cause.message}`, { cause })
    this.#endWith(error)
    this.#onFailed(error)
  }

  #endWith(error: Error): void {
    this.#end ??= error
    for (const { reject } of this.#waiting.values()) reject(this.#end)
    this.#waiting.clear()
  }
}

function workerFile(): URL {
  return new URL(`./trie-worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url)
}

function firstMessageOf(worker: Worker): Promise<Opened> {
  const { promise, resolve, reject } = Promise.withResolvers<Opened>()
  const onExit = () => reject(new Error('the thread of the trie ended as it began'))
  worker.once('message', resolve).once('error', reject).once('exit', onExit)
  return promise.finally(() => {
    worker.off('error', reject).off('exit', onExit)
  })
}

function errorOf(failure: Failure): Error {
  switch (failure.kind) {
    case 'trie':
      return new TrieError(failure.failure)
    case 'storage':
      return new StorageError(failure.code, failure.message)
    case 'other': {
      const error = new Error(failure.message)
      if (failure.stack !== undefined) error.stack = failure.stack
      return error
    }
  }
}
