// Brings a database of an older layout to the one this code reads, step by step. Run once, at open, before anything
// else looks at the store.
import { StorageError } from '../errors.ts'
import type { KeyValueStore, WriteOperation } from '../key-value.ts'
import { metaKeys } from '../keys.ts'

export interface Migration {
  /** The version it starts from; it leads to the next. */
  readonly from: number
  /** What it changes, in a word or two, for the log. */
  readonly name: string
  /**
   * The writes, in pieces that fit memory. Each piece is atomic but not the whole: after a crash it runs again from the
   * start over its own half-done work, and must come to the same result.
   */
  run(store: KeyValueStore): AsyncIterable<readonly WriteOperation[]>
}

export interface MigrationPlan {
  readonly store: KeyValueStore
  /** The version of what is stored. */
  readonly stored: number
  /** The version to reach. */
  readonly wanted: number
  /** Ascending by `from`, one for each version before `wanted` that anyone may still have. */
  readonly migrations: readonly Migration[]
  /** Told of each before it is run. */
  readonly onMigration: (migration: Migration) => void
}

/** Names of the migrations that ran. Throws `StorageError`: `format-too-new` for a database of a later version,
 *  `open-failed` for one so old that the way from it is gone. */
export async function migrate({
  store,
  stored,
  wanted,
  migrations,
  onMigration,
}: MigrationPlan): Promise<string[]> {
  if (stored > wanted) {
    const message = `the database has format ${stored}, this version of diseq reads up to ${wanted}; use a newer diseq`
    throw new StorageError('format-too-new', message)
  }
  const ran: string[] = []
  for (let version = stored; version < wanted; version += 1) {
    const migration = migrations.find(({ from }) => from === version)
    if (migration === undefined) {
      const message = `the database has format ${stored}, which this version of diseq no longer reads; start with an empty home`
      throw new StorageError('open-failed', message)
    }
    onMigration(migration)
    // Synced each: of later writes that a loss of power leaves, those before must not be missing.
    for await (const operations of migration.run(store)) await store.write(operations, { sync: true })
    // Synced, and with it everything written before.
    const value = encodeVersion(version + 1)
    await store.write([{ type: 'put', key: metaKeys.format, value }], { sync: true })
    ran.push(migration.name)
  }
  return ran
}

/** The value of `metaKeys.format`: u32, big-endian, whatever else changes. */
export function encodeVersion(version: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, version)
  return bytes
}

/** @throws StorageError `corrupted` unless the bytes are a version. */
export function decodeVersion(bytes: Uint8Array): number {
  if (bytes.length !== 4) throw new StorageError('corrupted', 'the format version of the database is damaged')
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
}
