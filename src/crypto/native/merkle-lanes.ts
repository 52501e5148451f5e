// The root of an RFC 9162 tree over leaves of 32 bytes each, four hashes at a time (sha256-lanes.ts). The same answer as
// `merkleRoot` of sequencing/merkle.ts, which has the paths and their check, and runs anywhere.
import { sha256 } from './hash.ts'
import { blocksOf, createSha256Lanes, LANES, padInto, type Sha256Lanes } from './sha256-lanes.ts'

const hashBytes = 32
const leafTag = 0
const nodeTag = 1

/** Ids of 64 hex digits as leaves, in order; 32 bytes. SHA-256 of nothing for none. @throws RangeError for other texts. */
export function merkleRootOfIds(ids: readonly string[]): Uint8Array {
  if (ids.length === 0) return sha256(new Uint8Array())
  const level = Buffer.allocUnsafeSlow(ids.length * hashBytes)
  let end = 0
  for (const id of ids) {
    if (id.length !== 2 * hashBytes || level.write(id, end, 'hex') !== hashBytes)
      throw new RangeError('an id has 64 hex digits')
    end += hashBytes
  }
  hashRows(leaves, level, { count: ids.length, rowBytes: hashBytes })
  // Neighbours are paired on every level; an odd last node moves up as it is.
  for (let count = ids.length; count > 1; ) {
    const pairs = count >> 1
    hashRows(nodes, level, { count: pairs, rowBytes: 2 * hashBytes })
    if (count % 2 === 1) level.copyWithin(pairs * hashBytes, (count - 1) * hashBytes, count * hashBytes)
    count = pairs + (count % 2)
  }
  return new Uint8Array(level.subarray(0, hashBytes))
}

const leaves = lanesFor(leafTag, hashBytes)
const nodes = lanesFor(nodeTag, 2 * hashBytes)

/** Lanes for a tag and that many bytes. */
function lanesFor(tag: number, rowBytes: number): Sha256Lanes {
  const lanes = createSha256Lanes(blocksOf(1 + rowBytes))
  for (const input of lanes.inputs) {
    input[0] = tag
    padInto(input, 1 + rowBytes)
  }
  return lanes
}

/** Hashes rows of `bytes`, and writes the hashes over them from the beginning on: never over a row still to come. */
function hashRows(
  { inputs, digests, run }: Sha256Lanes,
  bytes: Uint8Array,
  { count, rowBytes }: { readonly count: number; readonly rowBytes: number },
): void {
  for (let first = 0; first < count; first += LANES) {
    const rows = Math.min(LANES, count - first)
    for (let lane = 0; lane < rows; lane += 1) {
      const start = (first + lane) * rowBytes
      inputs[lane]?.set(bytes.subarray(start, start + rowBytes), 1)
    }
    run()
    bytes.set(digests.subarray(0, rows * hashBytes), first * hashBytes)
  }
}
