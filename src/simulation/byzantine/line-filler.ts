// Makes batches of its own without end, lists nothing else, and so fills the line: whoever lists only what stands in
// line never comes to list an honest batch again.
import { commitmentEntriesMax } from '../../codec/index.ts'
import type { MakeBehaviour } from '../behaviour.ts'
import { commitmentWith } from './forged.ts'

/** After the healing it goes on for so long: what was accepted before has to be final by then all the same. */
const fillMs = 40_000
/** Large enough that few of them share a batch. */
const messageBytes = 900

export const lineFiller: MakeBehaviour = (tools) => {
  const { self, genesis, random, replica, elapsedMs, healMs } = tools
  const nodeKey = genesis.validators[self]?.nodeKey
  const entriesMax = commitmentEntriesMax(genesis.limits, genesis.validators.length)
  let made = 0
  return {
    onSend: (frame) => {
      const own = replica()
      if (frame.kind !== 'pool-commitment' || own === undefined) return [frame]
      const entries = own.mempool
        .oldest(10 * entriesMax)
        .filter(({ batch }) => batch.author === nodeKey)
        .slice(-entriesMax)
        .map(({ batch, receivedAt }) => ({ batchId: batch.id, receivedAt }))
      return [commitmentWith(tools, { ...frame.commitment, entries })]
    },
    onTick: () => {
      const own = replica()
      if (own === undefined || elapsedMs() > healMs + fillMs) return
      const messages = Array.from({ length: Math.min(6, entriesMax) }, () => {
        const data = new Uint8Array(messageBytes)
        data.set(random.bytes(8))
        return { data, timestamp: made++ }
      })
      // A full pool, or a process that is just ending: then it fills the line another time.
      own.submit(messages).catch(() => undefined)
    },
  }
}
