// Who is taken to be away (protocol §3.2): such a validator comes last in the leader order, and no leader waits for its
// commitment. A function of the chain alone; one attached commitment brings a validator back.
import type { Height, ValidatorIndex } from '../types/index.ts'

/** Blocks that absence is judged by. */
export const absenceWindowBlocks = 16

/** Validators none of whose commitments is attached to the last 16 blocks before `height`; none up to height 16.
 *  @param recentAttached validators attached to each of the last blocks, newest last; more than 16 are not looked at.
 *  @throws RangeError where fewer are given from height 17 on. */
export function absentValidators({
  height,
  recentAttached,
  validatorCount,
}: {
  readonly height: Height
  readonly recentAttached: readonly ReadonlySet<ValidatorIndex>[]
  readonly validatorCount: number
}): Set<ValidatorIndex> {
  const absent = new Set<ValidatorIndex>()
  if (height <= absenceWindowBlocks) return absent
  const window = recentAttached.slice(-absenceWindowBlocks)
  if (window.length < absenceWindowBlocks)
    throw new RangeError(`absence at height ${height} needs the last ${absenceWindowBlocks} blocks`)
  for (let validator = 0; validator < validatorCount; validator++) {
    if (!window.some((attached) => attached.has(validator))) absent.add(validator)
  }
  return absent
}
