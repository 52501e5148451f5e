// Hashes branches four at a time (crypto/native/sha256-lanes.ts). Not portable: for nodes, not for browsers.

import { blocksOf, createSha256Lanes, LANES, padInto } from '../crypto/native/index.ts'
import { BRANCH_LEFT_AT, BRANCH_RIGHT_AT, HASH_BYTES, newBranchBytes, setBranchBit } from './encoding.ts'
import { copyHash } from './page.ts'
import type { BranchHasher } from './ports.ts'

/** One after another, whatever the number: a group of fewer than four costs as much as four. */
export function createBranchHasher(): BranchHasher {
  const empty = newBranchBytes()
  const lanes = createSha256Lanes(blocksOf(empty.length))
  const { inputs, digests } = lanes
  for (const input of inputs) {
    input.set(empty)
    padInto(input, empty.length)
  }
  return ({ count, bits, leftIn, leftAt, rightIn, rightAt, outIn, outAt }) => {
    for (let first = 0; first < count; first += LANES) {
      const end = Math.min(LANES, count - first)
      for (let lane = 0; lane < end; lane += 1) {
        const at = first + lane
        const [input, left, right] = [inputs[lane], leftIn[at], rightIn[at]]
        if (input === undefined || left === undefined || right === undefined) continue
        setBranchBit(input, bits[at] ?? 0)
        copyHash(left, leftAt[at] ?? 0, input, BRANCH_LEFT_AT)
        copyHash(right, rightAt[at] ?? 0, input, BRANCH_RIGHT_AT)
      }
      lanes.run()
      for (let lane = 0; lane < end; lane += 1) {
        const out = outIn[first + lane]
        if (out !== undefined) copyHash(digests, lane * HASH_BYTES, out, outAt[first + lane] ?? 0)
      }
    }
  }
}
