// Which batches the attached commitments put in a block, and in what order (protocol §3.3): a function of the
// commitments and the beacon alone, so a leader has no say in it. Called by leaders, voters and block sync.
import { bytesToHex, hexToBytes, type Sha256 } from '../codec/index.ts'
import { exceedsFaulty, type Thresholds } from '../quorum/index.ts'
import type { BatchId, Hash, PoolCommitment, TimeMs } from '../types/index.ts'

export interface OrderedBatch {
  readonly batchId: BatchId
  /** Where listers of power > f had it; the order uses it as it is, whatever the header's time. */
  readonly fairTime: TimeMs
}

interface Reception {
  readonly receivedAt: TimeMs
  readonly power: number
}

/** The batches that attached commitments of power > f list, oldest fair time first; ties by
 *  SHA-256(beacon(h) ‖ batchId) as unsigned bytes, which nobody knows before the leader's VRF output is out.
 *  @param commitments as `checkAttached` accepts them; their order does not matter.
 *  @param beacon beacon(h), of the block under way.
 *  @throws Error where a validator stands there twice: it would count twice. */
export function orderBatches({
  commitments,
  powers,
  thresholds,
  beacon,
  sha256,
}: {
  readonly commitments: readonly PoolCommitment[]
  readonly powers: readonly number[]
  readonly thresholds: Thresholds
  readonly beacon: Hash
  readonly sha256: Sha256
}): OrderedBatch[] {
  const ordered: OrderedBatch[] = []
  for (const [batchId, receptions] of receptionsOf(commitments, powers)) {
    const fairTime = fairTimeOf(receptions, thresholds)
    if (fairTime !== undefined) ordered.push({ batchId, fairTime })
  }
  const tieOf = tieBreaker(beacon, sha256)
  return ordered.sort((a, b) => a.fairTime - b.fairTime || (tieOf(a.batchId) < tieOf(b.batchId) ? -1 : 1))
}

/** The first time at which listers of power > f had the batch; undefined where no more than f list it. At least one
 *  of any such listers is honest, so this is not before the first honest reception. */
function fairTimeOf(receptions: Reception[], thresholds: Thresholds): TimeMs | undefined {
  receptions.sort((a, b) => a.receivedAt - b.receivedAt)
  let power = 0
  for (const reception of receptions) {
    power += reception.power
    if (exceedsFaulty(thresholds, power)) return reception.receivedAt
  }
  return undefined
}

function receptionsOf(
  commitments: readonly PoolCommitment[],
  powers: readonly number[],
): Map<BatchId, Reception[]> {
  const byBatch = new Map<BatchId, Reception[]>()
  const seen = new Set<number>()
  for (const { validator, entries } of commitments) {
    if (seen.has(validator)) throw new Error(`two commitments of validator ${validator}`)
    seen.add(validator)
    const power = powers[validator] ?? 0
    for (const { batchId, receivedAt } of entries) {
      const known = byBatch.get(batchId)
      if (known === undefined) byBatch.set(batchId, [{ receivedAt, power }])
      else known.push({ receivedAt, power })
    }
  }
  return byBatch
}

/** Hashes of batches that tie, made when first compared: most batches never tie. As lower-case hex they compare like
 *  the bytes. */
function tieBreaker(beacon: Hash, sha256: Sha256): (batchId: BatchId) => string {
  const input = new Uint8Array(64)
  input.set(hexToBytes(beacon))
  const ties = new Map<BatchId, string>()
  return (batchId) => {
    const known = ties.get(batchId)
    if (known !== undefined) return known
    input.set(hexToBytes(batchId), 32)
    const tie = bytesToHex(sha256(input))
    ties.set(batchId, tie)
    return tie
  }
}
