// Every change of the layout since version 1, in order. To change the layout: raise `formatVersion` in keys.ts, and add
// here what brings a database of the version before to it.
import { metaKeys } from '../keys.ts'
import { defaultPartMessages } from '../message-index.ts'
import { messagesInParts, withoutOldPlaces } from './message-parts.ts'
import type { Migration } from './migrate.ts'
import { deletions, pieces } from './pieces.ts'

/** Keys of the trie's nodes up to version 1, and of those that a block replaced. */
const nodeKinds = { gte: Uint8Array.of(0x20), lt: Uint8Array.of(0x22) }
/** Of its pages, in version 2. */
const pageKind = { gte: Uint8Array.of(0x22), lt: Uint8Array.of(0x23) }

export const migrations: readonly Migration[] = [
  {
    from: 1,
    name: 'trie in pages',
    // The pages are made of the blocks at the next start, which finds no checkpoint.
    run: (store) => pieces(deletions(store, nodeKinds)),
  },
  {
    from: 2,
    name: 'pages in a log',
    // Made of the blocks again, for the same reason.
    run: async function* (store) {
      yield [{ type: 'del', key: metaKeys.trieCheckpoint }]
      yield* pieces(deletions(store, pageKind))
    },
  },
  messagesInParts(defaultPartMessages),
  withoutOldPlaces(),
]
