// The genesis file that a command's user trusts.
import { readFileSync } from 'node:fs'
import { type Trust, trustGenesis } from '../proofs/index.ts'
import { UsageError } from './errors.ts'

/** @throws UsageError where the file is no genesis, and what reading it throws. */
export function readTrust(path: string): Trust {
  const trust = trustGenesis(readFileSync(path, 'utf8'))
  if (!trust.ok) throw new UsageError(`${path}: ${trust.reason}`)
  return trust.value
}
