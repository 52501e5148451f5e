// One process for each home: two would sign with one key. The lock is LevelDB's own, on the file LOCK in the database
// folder. It is the operating system's (fcntl), so it ends with the process however that ends, and is never left behind.
// Whoever changes anything else in a home (the signing record, say) opens the database first, and so holds this lock.
import { StorageError } from './errors.ts'

/** The code that `classic-level` gives where another process, or this one, has the folder open. */
const lockedCode = 'LEVEL_LOCKED'

/** The error to show if `cause` says that the home is open elsewhere; undefined for any other failure. */
export function lockFailure(cause: unknown, directory: string): StorageError | undefined {
  if (!(cause instanceof Error) || !('code' in cause) || cause.code !== lockedCode) return undefined
  const message = `${directory} is in use by another diseq process; stop that one first`
  return new StorageError('home-locked', message, { cause })
}
