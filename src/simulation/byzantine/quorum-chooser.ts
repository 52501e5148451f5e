// As a leader takes the commitments that suit it and no more than a quorum: those of some validators never reach it.
import type { MakeBehaviour } from '../behaviour.ts'

export const quorumChooser: MakeBehaviour = ({ random, genesis, self }) => {
  const { validators } = genesis
  const unwanted = new Set(
    random
      .shuffle([...validators.keys()].filter((index) => index !== self))
      .slice(0, Math.floor((validators.length - 1) / 3)),
  )
  return {
    onReceive: (frame) => frame.kind !== 'pool-commitment' || !unwanted.has(frame.commitment.validator),
  }
}
