// What a coalition of leaders gains by silence: the beacon of a block is its leader's VRF output, which nobody can choose,
// but a leader may keep a block back when the beacon would not suit it. Chains of blocks by the real draw of leaders.
import { leaderOrder } from '../../src/consensus/index.ts'
import { beaconOf, sha256 } from '../../src/crypto/native/index.ts'
import type { Hash } from '../../src/types/index.ts'

export interface BiasPoint {
  /** Of the power of all. */
  readonly power: number
  /** Share of the blocks that the coalition led. */
  readonly share: number
  /** Views that a height took on average: what the others see of it. */
  readonly views: number
}

/** The members of the coalition that lead the first views of a height know each other's outputs beforehand. They let
 *  that one of them propose whose beacon gives them the most of the next height's first views in a row, and are silent
 *  in the views before; a block of an honest leader is the worst for them, so they never leave a height to one.
 *  Who is silent still commits and votes, so nothing moves it to the end of the order (protocol L2). */
export function leaderBias(options: { validators: number; members: number; heights: number }): BiasPoint {
  const { validators, members, heights } = options
  const powers = Array.from({ length: validators }, () => 1)
  const orderAfter = (beacon: Hash) => leaderOrder({ beacon, powers, demoted: new Set() })
  const firstOf = (order: readonly number[]) => {
    const honest = order.findIndex((validator) => validator >= members)
    return honest < 0 ? order.length : honest
  }
  let order = orderAfter(outputOf(0, 0))
  let [led, views] = [0, 0]
  for (let height = 1; height <= heights; height++) {
    const own = firstOf(order)
    const choices = order.slice(0, Math.max(1, own)).map((leader, view) => {
      const next = orderAfter(outputOf(height, leader))
      return { view, next, first: firstOf(next) }
    })
    const best = choices.reduce((one, other) => (other.first > one.first ? other : one))
    order = best.next
    views += best.view + 1
    if (own > 0) led += 1
  }
  return { power: members / validators, share: led / heights, views: views / heights }
}

/** In place of a VRF output: as unpredictable, and one for each leader and height. */
function outputOf(height: number, leader: number): Hash {
  const half = sha256(Buffer.from(`scale ${height} ${leader}`))
  return beaconOf(Buffer.concat([half, sha256(half)]))
}
