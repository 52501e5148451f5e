// Who leads: a function of the chain alone (protocol L1, L2), the same on every node.
import { sha256 } from '../crypto/portable/hash.ts'
import { fromHex } from '../crypto/portable/hex.ts'
import type { Hash, ValidatorIndex, View } from '../types/index.ts'

/** L1, L2: the order in which validators lead the views of a height.
 *  Drawn without replacement, weighted by power, from SHA-256(beacon(h−1) ‖ k); then those in `demoted`
 *  (absent, or convicted by evidence in the chain) go to the end, both parts keeping the drawn order. */
export function leaderOrder(options: {
  beacon: Hash
  powers: readonly number[]
  demoted: ReadonlySet<ValidatorIndex>
}): ValidatorIndex[] {
  const { beacon, powers, demoted } = options
  const input = new Uint8Array(36)
  input.set(fromHex(beacon))
  const counter = new DataView(input.buffer, 32)
  const candidates = powers.map((power, validator) => ({ power: BigInt(power), validator }))
  let remaining = candidates.reduce((sum, { power }) => sum + power, 0n)
  const drawn: ValidatorIndex[] = []
  for (let k = 0; candidates.length > 0; k++) {
    counter.setUint32(0, k)
    let target = integerOf(sha256(input)) % remaining
    let at = 0
    for (
      let candidate = candidates[at];
      candidate !== undefined && target >= candidate.power;
      candidate = candidates[at]
    ) {
      target -= candidate.power
      at++
    }
    const [chosen] = candidates.splice(at, 1)
    if (chosen === undefined) throw new Error('a draw fell outside the remaining power')
    remaining -= chosen.power
    drawn.push(chosen.validator)
  }
  return [
    ...drawn.filter((validator) => !demoted.has(validator)),
    ...drawn.filter((validator) => demoted.has(validator)),
  ]
}

/** The leader of a view: entry `view mod n` of the order. */
export function leaderOf(order: readonly ValidatorIndex[], view: View): ValidatorIndex {
  const leader = order[view % order.length]
  if (leader === undefined) throw new RangeError('no validators')
  return leader
}

function integerOf(digest: Uint8Array): bigint {
  let value = 0n
  for (const byte of digest) value = (value << 8n) | BigInt(byte)
  return value
}
