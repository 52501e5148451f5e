// What can go wrong with the disk. Callers branch on `code`; the sentence is for people.

export type StorageCode =
  /** Another process has this home open. */
  | 'home-locked'
  /** What is stored cannot be what was written. */
  | 'corrupted'
  /** The folder cannot be made, read or written: permissions, a full disk, a missing mount. */
  | 'open-failed'
  /** Whether the write is on disk is unknown; nothing that depends on it may be sent, and the node has to stop. */
  | 'write-failed'
  | 'read-failed'
  | 'closed'
  /** Written by a later version of this program. */
  | 'format-too-new'
  /** Written by an earlier version, and only looked at: nothing brings it to this one's layout. */
  | 'format-too-old'
  /** The home belongs to another network. */
  | 'other-genesis'
  /** The signing record belongs to another network or another voting key. */
  | 'record-of-another'
  /** The signing record is damaged in a way that a crash cannot explain. */
  | 'record-corrupted'
  /** A text given as an exported signing record is none. */
  | 'record-unreadable'

export class StorageError extends Error {
  override readonly name = 'StorageError'
  readonly code: StorageCode

  constructor(code: StorageCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The error of a stored value that does not decode: disks lie seldom, but they do. */
export function corrupted(what: string, reason: string): StorageError {
  return new StorageError('corrupted', `the database holds a damaged ${what}: ${reason}`)
}
