// Fills its commitments with batches that do not exist, as old as can be, so that they stand first in every line.
import { commitmentEntriesMax } from '../../codec/index.ts'
import type { MakeBehaviour } from '../behaviour.ts'
import { commitmentWith, phantoms } from './forged.ts'

export const phantomSpammer: MakeBehaviour = (tools) => {
  const { genesis, random } = tools
  const entriesMax = commitmentEntriesMax(genesis.limits, genesis.validators.length)
  const keepsReal = random.chance(0.5)
  // The same ones to all and for ever, or new ones each time.
  const lasting = phantoms(tools, { count: entriesMax, receivedAt: 1 })
  const isLasting = random.chance(0.5)
  return {
    onSend: (frame) => {
      if (frame.kind !== 'pool-commitment') return [frame]
      const real = keepsReal ? frame.commitment.entries.slice(0, Math.floor(entriesMax / 2)) : []
      const count = entriesMax - real.length
      const unreal = isLasting ? lasting.slice(0, count) : phantoms(tools, { count, receivedAt: 1 })
      return [commitmentWith(tools, { ...frame.commitment, entries: [...real, ...unreal] })]
    },
  }
}
