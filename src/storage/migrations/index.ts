// Every change of the layout since version 1, in order. To change the layout: raise `formatVersion` in keys.ts, and add
// here what brings a database of the version before to it.
import type { Migration } from './migrate.ts'

export const migrations: readonly Migration[] = []
