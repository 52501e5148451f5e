// A chain of headers from a trusted block on, and two that contradict each other.
import type { ValidatorIndex } from '../types/index.ts'
import {
  demandRange,
  type FinalBlockHeader,
  finalised,
  type ProvenHeader,
  type RangeClaim,
  readFinalHeader,
  readHeaders,
} from './final-header.ts'
import { proofTypes } from './formats.ts'
import { fieldsOf, jsonOf } from './json.ts'
import { demand, type Verdict, verdictOf } from './refusals.ts'
import type { Trust } from './trust.ts'

export interface ProvenHeaders {
  readonly kind: 'headers'
  /** Of consecutive heights; all final with the last. */
  readonly headers: readonly ProvenHeader[]
  readonly block: FinalBlockHeader
}

export interface ProvenFork {
  readonly kind: 'fork'
  readonly first: FinalBlockHeader
  readonly second: FinalBlockHeader
  /** Who signed both; where the views differ, others may have lied in between. */
  readonly signersOfBoth: readonly ValidatorIndex[]
}

/** Whether `proof` (text or parsed) shows consecutive final headers; where they are given, of exactly these heights,
 *  and going on from `trusted`. */
export function verifyHeaders({
  trust,
  proof,
  ...range
}: RangeClaim & {
  readonly trust: Trust
  readonly proof: unknown
}): Verdict<ProvenHeaders> {
  return verdictOf(() => {
    const proven = readHeaderChain(trust, jsonOf(proof))
    demandRange(proven.headers, range)
    return proven
  })
}

/** Whether `proof` (text or parsed) shows two final blocks of one height. */
export function verifyFork({
  trust,
  proof,
}: {
  readonly trust: Trust
  readonly proof: unknown
}): Verdict<ProvenFork> {
  return verdictOf(() => readFork(trust, jsonOf(proof)))
}

export function readHeaderChain(trust: Trust, value: unknown): ProvenHeaders {
  const fields = fieldsOf(value, ['type', 'headers', 'finalization'], 'the proof')
  demand(fields.type === proofTypes.headers, 'other-type')
  const headers = readHeaders(trust, fields.headers)
  const last = headers.at(-1) ?? headers[0]
  return { kind: 'headers', headers, block: finalised(trust, last, fields.finalization) }
}

export function readFork(trust: Trust, value: unknown): ProvenFork {
  const fields = fieldsOf(value, ['type', 'first', 'second'], 'the proof')
  demand(fields.type === proofTypes.fork, 'other-type')
  const first = readFinalHeader(trust, fields.first, 'first')
  const second = readFinalHeader(trust, fields.second, 'second')
  demand(first.header.height === second.header.height, 'two-heights')
  demand(first.id !== second.id, 'same-block')
  const signers = new Set(second.finality.signers)
  return {
    kind: 'fork',
    first,
    second,
    signersOfBoth: first.finality.signers.filter((validator) => signers.has(validator)),
  }
}
