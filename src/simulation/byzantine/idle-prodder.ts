// Keeps an idle network busy if it can: votes and commitments for the next height while there is nothing to order.
import { encodeVoteBody } from '../../codec/index.ts'
import type { MakeBehaviour } from '../behaviour.ts'
import { commitmentWith } from './forged.ts'

export const idleProdder: MakeBehaviour = (tools) => {
  const { self, random, sign, others, sendFrame, replica, nowMs } = tools
  return {
    onTick: () => {
      const chain = replica()?.head.state
      if (chain === undefined || !random.chance(0.2)) return
      const height = chain.height + 1
      const body = { kind: 'nullify' as const, height, view: 0 }
      const vote = { ...body, validator: self, signature: sign('nullify', encodeVoteBody(body)) }
      for (const to of others) {
        sendFrame(to, { kind: 'vote', vote })
        sendFrame(to, commitmentWith(tools, { height, time: nowMs(), entries: [] }))
      }
    },
  }
}
