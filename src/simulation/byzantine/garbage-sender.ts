// Sends noise, and frames with a bit turned over; answers requests with the same.
import { encodeFrame } from '../../codec/index.ts'
import type { MakeBehaviour } from '../behaviour.ts'
import type { Random } from '../random.ts'

export const garbageSender: MakeBehaviour = ({ random, others, send }) => {
  let last: Uint8Array = new Uint8Array()
  return {
    onReceive: (frame) => {
      if (random.chance(0.1)) last = encodeFrame(frame)
      return true
    },
    onTick: () => {
      send(random.pick(others), random.bytes(random.between(0, 300)))
      if (last.length > 0) send(random.pick(others), bent(last, random))
    },
    answerView: (frames) => frames.map((frame) => (random.chance(0.5) ? bent(frame, random) : frame)),
    answerBatches: (frames) => frames.map((frame) => bent(frame, random)),
  }
}

/** A copy with one bit turned over, or cut short. */
export function bent(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length === 0 || random.chance(0.2)) return bytes.slice(0, random.between(0, bytes.length))
  const copy = bytes.slice()
  const at = random.between(0, copy.length - 1)
  copy[at] = (copy[at] ?? 0) ^ (1 << random.between(0, 7))
  return copy
}
