// A file that takes all room of a disk.
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'

/** Writes until the disk is full: in large pieces, then in the smallest that matter. Called again it takes what became
 *  free. @throws what is not a full disk. */
export function fill(path: string): void {
  const file = openSync(path, 'a')
  try {
    for (const size of [2 ** 20, 2 ** 12, 1]) writeWhileRoom(file, Buffer.alloc(size))
  } finally {
    closeSync(file)
  }
}

export function free(path: string): void {
  rmSync(path, { force: true })
}

function writeWhileRoom(file: number, piece: Uint8Array): void {
  for (;;) {
    try {
      if (writeSync(file, piece) < piece.length) return
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return
      throw error
    }
  }
}
