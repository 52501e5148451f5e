// What every check is told and may say. A check holds the run to one invariant of the protocol (§6) by what leaves
// honest nodes and what they call final, never by what they think.
import type { Frame } from '../../codec/index.ts'
import type { FinalEvent } from '../../node/chain-head.ts'
import type { FaultModel, Genesis, ValidatorIndex } from '../../types/index.ts'
import type { SimulatedSchemes } from '../schemes.ts'

export interface Violation {
  readonly check: string
  readonly text: string
  readonly atMs: number
}

/** Says that an invariant is broken. The run ends with the first. */
export type Report = (check: string, text: string) => void

export interface CheckContext {
  readonly genesis: Genesis
  readonly schemes: SimulatedSchemes
  readonly isHonest: (validator: ValidatorIndex) => boolean
  readonly report: Report
}

/** Thresholds counted apart from the code under test. */
export function thresholdsOfModel(
  powers: readonly number[],
  model: FaultModel,
): { faulty: number; lying: number; quorum: number } {
  const total = powers.reduce((sum, power) => sum + power, 0)
  const faulty = Math.floor((total - 1) / (model === 'byzantine' ? 3 : 2))
  return { faulty, lying: model === 'byzantine' ? faulty : 0, quorum: total - faulty }
}

export type { FinalEvent, Frame }
