// Every change of the layout since version 1, in order. To change the layout: raise `formatVersion` in keys.ts, and add
// here what brings a database of the version before to it.
import type { WriteOperation } from '../key-value.ts'
import type { Migration } from './migrate.ts'

/** Keys of the trie's nodes up to version 1, and of those that a block replaced. */
const nodeKinds = { gte: Uint8Array.of(0x20), lt: Uint8Array.of(0x22) }
const pieceOperations = 10_000

export const migrations: readonly Migration[] = [
  {
    from: 1,
    name: 'trie in pages',
    // The pages are made of the blocks at the next start, which finds no checkpoint.
    run: async function* (store) {
      let piece: WriteOperation[] = []
      for await (const [key] of store.iterate(nodeKinds)) {
        piece.push({ type: 'del', key })
        if (piece.length < pieceOperations) continue
        yield piece
        piece = []
      }
      yield piece
    },
  },
]
