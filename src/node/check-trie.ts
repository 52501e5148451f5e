// Holds the stored pages of the trie against the trie that `diseq check` made again from the blocks.
import { sha256 } from '../crypto/native/index.ts'
import { ChainReader, type KeyValueStore, StorageError } from '../storage/index.ts'
import { auditTrie, decodeCheckpoint, type StoredTrie, TrieError, TriePages } from '../trie/index.ts'
import type { Genesis } from '../types/index.ts'

/** A damaged checkpoint is reported by who looks at every key; here it is as good as missing. */
export async function checkTrie({
  stored,
  genesis,
  rebuilt,
  onProblem,
}: {
  stored: KeyValueStore
  genesis: Genesis
  /** Of all blocks that could be replayed. */
  rebuilt: StoredTrie
  onProblem: (problem: string) => void
}): Promise<void> {
  const reader = new ChainReader(stored, genesis)
  const bytes = unlessDamaged(() => reader.readTrieCheckpoint())
  if (bytes === undefined) return
  let isDamaged = false
  const source = {
    get: (id: number) =>
      unlessDamaged(
        () => reader.triePages.get(id),
        () => {
          isDamaged = true
          onProblem(`trie page (number ${id}): it is damaged`)
        },
      ),
    from: () => [],
  }
  const pages = new TriePages({ source, hash: sha256 })
  const checkpoint = decoded(bytes, pages)
  if (checkpoint === undefined) {
    onProblem('meta (trie-checkpoint): it cannot be read')
    return
  }
  const { root, height, firstId, nextId } = checkpoint
  // Where the replay halted below, there is nothing to hold it against.
  if (height > rebuilt.height) return
  const problems: string[] = []
  const ids = auditTrie({
    stored: { root, pages },
    rebuilt,
    height,
    onProblem: (problem) => problems.push(problem),
  })
  // What follows from a damaged page is not reported once more.
  if (!isDamaged) for (const problem of problems) onProblem(problem)
  if (isDamaged || problems.length > 0) return
  for (const id of ids)
    if (id < firstId || id >= nextId) onProblem(`trie page (number ${id}): it is not one of the checkpoint's`)
}

function decoded(bytes: Uint8Array, pages: TriePages): ReturnType<typeof decodeCheckpoint> | undefined {
  try {
    return decodeCheckpoint(bytes, pages)
  } catch (error) {
    if (error instanceof TrieError) return undefined
    throw error
  }
}

function unlessDamaged<T>(read: () => T, onDamage = () => {}): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof StorageError && error.code === 'corrupted') {
      onDamage()
      return undefined
    }
    throw error
  }
}
