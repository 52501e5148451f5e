// What is wrong with a home, its config, its keys or a genesis: the operator's to mend, so each is one sentence that
// says what was wrong, where, and what to do.

export type HomeErrorCode =
  /** An unknown or bad option in the file, the environment or a flag. */
  | 'wrong-config'
  /** A genesis that cannot be read, or does not fit the keys of this home. */
  | 'wrong-genesis'
  | 'wrong-keys'
  /** A validator's record that is malformed, does not prove its keys, or is there twice. */
  | 'wrong-record'
  /** A file or folder that is needed and not there. */
  | 'missing'
  /** Something is there already that would have to be overwritten. */
  | 'exists'
  /** Options that contradict an existing folder. */
  | 'contradiction'

export class HomeError extends Error {
  readonly code: HomeErrorCode

  constructor(code: HomeErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'HomeError'
    this.code = code
  }
}
