// What the thread of the trie is asked, and how it answers (trie-thread.ts asks, trie-worker.ts is the thread).
import type { StorageCode } from '../storage/errors.ts'
import type {
  CheckpointRule,
  ExecutedTrie,
  NewCheckpoint,
  PagePiece,
  TrieFailure,
  TriePath,
  TrieTop,
} from '../trie/index.ts'

/** What the thread starts with: of the store as it is once `takeUpTrie` has seen to it. */
export interface TrieThreadData {
  readonly role: typeof trieThreadRole
  /** Of the files of pages. */
  readonly directory: string
  readonly checkpoint: Uint8Array | undefined
  readonly pastMax: number
  readonly cachedBytesMax: number | undefined
  readonly rule: CheckpointRule | undefined
}

/** Told to a thread that runs trie-worker.ts, for it to know that it is this one. */
export const trieThreadRole = 'diseq-trie'

/** The thread has opened the trie. */
export interface Opened {
  readonly height: number
  readonly top: TrieTop
}

/** What `append` answers. Pages are asked for piece by piece. */
export interface Appended {
  readonly top: TrieTop
  readonly checkpoint: NewCheckpoint | undefined
  /** The first piece, if there is any. */
  readonly piece: PagePiece | undefined
}

/** By name: what is asked, and what comes back. */
export interface TrieCalls {
  execute(base: number, data: PackedData): ExecutedTrie | undefined
  append(executed: ExecutedTrie): Appended | undefined
  /** The next piece of the last `append`; undefined after the last. */
  nextPiece(): PagePiece | undefined
  path(key: Uint8Array, height: number): TriePath | undefined
}

export type CallName = keyof TrieCalls

export interface Call<K extends CallName = CallName> {
  readonly id: number
  readonly name: K
  readonly args: Parameters<TrieCalls[K]>
}

export type Answer =
  | { readonly id: number; readonly value: ReturnType<TrieCalls[CallName]> }
  | { readonly id: number; readonly failure: Failure }

/** An error on its way from one thread to the other, which keeps neither class nor code of it. */
export type Failure =
  | { readonly kind: 'trie'; readonly failure: TrieFailure }
  | { readonly kind: 'storage'; readonly code: StorageCode; readonly message: string }
  | { readonly kind: 'other'; readonly message: string; readonly stack: string | undefined }

/** Messages' data, one behind the other: handed over whole, not copied one by one. */
export interface PackedData {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Where each ends. */
  readonly ends: Uint32Array<ArrayBuffer>
}

/** Copies. At most 4 GiB, which no block has. */
export function pack(data: readonly Uint8Array[]): PackedData {
  const ends = new Uint32Array(data.length)
  let size = 0
  for (const [at, { length }] of data.entries()) {
    size += length
    ends[at] = size
  }
  const bytes = new Uint8Array(size)
  for (const [at, each] of data.entries()) bytes.set(each, (ends[at] ?? 0) - each.length)
  return { bytes, ends }
}

/** As views. */
export function unpack({ bytes, ends }: PackedData): Uint8Array[] {
  return Array.from(ends, (end, at) => bytes.subarray(at === 0 ? 0 : ends[at - 1], end))
}
