// Claims a chain longer than there is, and answers block sync with blocks that are bent, cut short, or not the ones.
import type { MakeBehaviour } from '../behaviour.ts'
import { forgedFinals } from './forged-final.ts'
import { bent } from './garbage-sender.ts'

export const syncLiar: MakeBehaviour = (tools) => {
  const { random } = tools
  const manner = random.pick(['forged', 'forged', 'bent', 'short', 'reversed', 'silent'] as const)
  return {
    answerStatus: (status) => ({ ...status, finalHeight: status.finalHeight + random.between(1, 50) }),
    answerBlocks: (blocks) => {
      switch (manner) {
        case 'bent':
          return blocks.map((block) => bent(block, random))
        case 'forged':
          return forgedFinals(tools, blocks)
        case 'short':
          return blocks.slice(0, 1)
        case 'reversed':
          return blocks.toReversed()
        case 'silent':
          return undefined
      }
    },
  }
}
