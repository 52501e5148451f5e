// The thread of the trie: answers what trie-thread.ts asks, in the order in which it is asked. It reads the log of pages
// and writes nothing. Of the node it loads no more than this takes.
import { type MessagePort, parentPort, type Transferable, workerData } from 'node:worker_threads'
import { sha256 } from '../crypto/native/hash.ts'
import { StorageError } from '../storage/errors.ts'
import { PageFileReader } from '../storage/page-reader.ts'
import { LocalStateTrie, openStoredTrie, type PagePiece, TrieError } from '../trie/index.ts'
import {
  type Answer,
  type Call,
  type CallName,
  type Failure,
  type Opened,
  type TrieCalls,
  type TrieThreadData,
  trieThreadRole,
  unpack,
} from './trie-calls.ts'

function serve(port: MessagePort, data: TrieThreadData): void {
  const reader = new PageFileReader(data.directory)
  const { checkpoint, pastMax, cachedBytesMax, rule } = data
  const trie = new LocalStateTrie(
    openStoredTrie({ source: reader, hash: sha256, checkpoint, pastMax, cachedBytesMax, rule }),
  )
  let pieces: Iterator<PagePiece> = [].values()
  /** Files before this page are removed once the write that it belongs to is done. */
  let releasable = 0
  const nextPiece = () => {
    const { done, value } = pieces.next()
    return done === true ? undefined : value
  }
  // Nothing here waits for anything: each is done before the next call comes in.
  const calls: { [K in CallName]: (...args: Parameters<TrieCalls[K]>) => Promise<ReturnType<TrieCalls[K]>> } =
    {
      execute: (base, packed) => trie.execute(base, unpack(packed)),
      append: async (executed) => {
        // What was written before is in the files by now, and what was removed is.
        reader.release(releasable)
        const writes = await trie.append(executed)
        if (writes === undefined) return undefined
        pieces = writes.pages[Symbol.iterator]()
        releasable = writes.checkpoint?.firstPageId ?? releasable
        return { top: trie.top, checkpoint: writes.checkpoint, piece: nextPiece() }
      },
      nextPiece: async () => nextPiece(),
      path: (key, height) => trie.path(key, height),
    }
  const answer = (reply: Answer, transferred: readonly Transferable[] = []) =>
    port.postMessage(reply, [...transferred])
  const perform = <K extends CallName>({ id, name, args }: Call<K>) =>
    calls[name](...args).then(
      (value) => answer({ id, value }, buffersOf(value)),
      (error: unknown) => answer({ id, failure: failureOf(error) }),
    )
  port.on('message', (call: Call) => void perform(call))
  const opened: Opened = { height: trie.height, top: trie.top }
  port.postMessage(opened)
}

/** Pieces are handed over, not copied: nobody here looks at them again. */
function buffersOf(value: ReturnType<TrieCalls[CallName]>): ArrayBuffer[] {
  if (value === undefined) return []
  const piece = 'firstId' in value ? value : 'piece' in value ? value.piece : undefined
  return piece === undefined ? [] : [piece.bytes.buffer as ArrayBuffer]
}

function failureOf(error: unknown): Failure {
  if (error instanceof TrieError) return { kind: 'trie', failure: error.failure }
  if (error instanceof StorageError) return { kind: 'storage', code: error.code, message: error.message }
  if (!(error instanceof Error)) return { kind: 'other', message: String(error), stack: undefined }
  return { kind: 'other', message: error.message, stack: error.stack }
}

const given: unknown = workerData
if (parentPort !== null && isTrieThread(given)) serve(parentPort, given)

function isTrieThread(data: unknown): data is TrieThreadData {
  return typeof data === 'object' && data !== null && 'role' in data && data.role === trieThreadRole
}
