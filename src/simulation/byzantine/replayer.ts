// Sends again what it heard long ago, its own and others': votes, proposals and certificates of heights that are over.
import type { Frame } from '../../codec/index.ts'
import type { MakeBehaviour } from '../behaviour.ts'

const keptMax = 2_000

export const replayer: MakeBehaviour = ({ random, others, sendFrame }) => {
  const heard: Frame[] = []
  return {
    onReceive: (frame) => {
      if (heard.length < keptMax) heard.push(frame)
      else heard[random.between(0, keptMax - 1)] = frame
      return true
    },
    onTick: () => {
      for (let sent = 0; sent < 5 && heard.length > 0; sent++) {
        const frame = random.pick(heard)
        if (frame.kind !== 'block') sendFrame(random.pick(others), frame)
      }
    },
  }
}
