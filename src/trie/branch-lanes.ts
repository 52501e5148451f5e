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
  return (tasks) => {
    for (let first = 0; first < tasks.length; first += LANES) {
      const count = Math.min(LANES, tasks.length - first)
      for (let lane = 0; lane < count; lane += 1) {
        const [task, input] = [tasks[first + lane], inputs[lane]]
        if (task === undefined || input === undefined) continue
        setBranchBit(input, task.bit)
        copyHash(task.leftIn, task.leftAt, input, BRANCH_LEFT_AT)
        copyHash(task.rightIn, task.rightAt, input, BRANCH_RIGHT_AT)
      }
      lanes.run()
      for (let lane = 0; lane < count; lane += 1) {
        const task = tasks[first + lane]
        if (task !== undefined) copyHash(digests, lane * HASH_BYTES, task.outIn, task.outAt)
      }
    }
  }
}
