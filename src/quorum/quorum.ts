// Power sums and thresholds, in integers: the one place (protocol §1). What is safe rests on
// 2Q − W > l, which `thresholdsOf` asserts.
import type { FaultModel, ValidatorIndex } from '../types/index.ts'

export interface Thresholds {
  /** W: the power of all validators. */
  readonly powerTotal: number
  /** f: the power that may be faulty. */
  readonly faultyMax: number
  /** l: the power that may lie. */
  readonly lyingMax: number
  /** Q = W − f. */
  readonly quorum: number
}

/** Thresholds of a validator set (protocol §1, table).
 *  @param powers integers ≥ 1 whose sum is below 2^52; anything else throws RangeError. */
export function thresholdsOf(powers: readonly number[], faultModel: FaultModel): Thresholds {
  const powerTotal = powers.reduce((sum, power) => sum + power, 0)
  const sound = powers.length > 0 && powers.every((power) => Number.isInteger(power) && power >= 1)
  if (!sound || !Number.isSafeInteger(2 * powerTotal))
    throw new RangeError('powers must be integers from 1 on')
  const faultyMax = Math.floor((powerTotal - 1) / (faultModel === 'byzantine' ? 3 : 2))
  const lyingMax = faultModel === 'byzantine' ? faultyMax : 0
  const quorum = powerTotal - faultyMax
  if (2 * quorum - powerTotal <= lyingMax) throw new RangeError('two quorums would share no honest validator')
  return { powerTotal, faultyMax, lyingMax, quorum }
}

/** Power of distinct validators. An unknown index has none; a repeated one counts once. */
export function powerOf(powers: readonly number[], validators: Iterable<ValidatorIndex>): number {
  let sum = 0
  for (const validator of new Set(validators)) sum += powers[validator] ?? 0
  return sum
}

export function isQuorum(thresholds: Thresholds, power: number): boolean {
  return power >= thresholds.quorum
}

/** More than f: at least one of them is alive and honest. */
export function exceedsFaulty(thresholds: Thresholds, power: number): boolean {
  return power > thresholds.faultyMax
}

/** More than l: at least one of them does not lie. */
export function exceedsLying(thresholds: Thresholds, power: number): boolean {
  return power > thresholds.lyingMax
}
