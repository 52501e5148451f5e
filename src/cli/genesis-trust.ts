// The genesis file that a command's user trusts.
import { readFileSync } from 'node:fs'
import { type Trust, trustGenesis } from '../proofs/index.ts'
import { UsageError } from './errors.ts'
import { textOfUtf8 } from './utf8.ts'

/** @throws UsageError where the file is no genesis, and what reading it throws. */
export function readTrust(path: string): Trust {
  const text = textOfUtf8(readFileSync(path))
  if (text === undefined) throw new UsageError(`${path}: not UTF-8`)
  const trust = trustGenesis(text)
  if (!trust.ok) throw new UsageError(`${path}: ${trust.reason}`)
  return trust.value
}
