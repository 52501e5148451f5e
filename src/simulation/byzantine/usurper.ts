// Proposes in views that others lead, at the height under way, out of what leaders proposed: their blocks under its own
// name, repeated without what would justify them. In its own views it does so in place of a proposal of its own.
import { encodeProposalBody } from '../../codec/index.ts'
import type { Proposal } from '../../types/index.ts'
import type { MakeBehaviour } from '../behaviour.ts'

export const usurper: MakeBehaviour = ({ self, sign, random, others, sendFrame, replica }) => {
  let seen: Proposal[] = []
  return {
    onSend: (frame) =>
      frame.kind === 'proposal' && frame.proposal.view > 0 && random.chance(0.7) ? [] : [frame],
    onReceive: (frame) => {
      if (frame.kind !== 'proposal') return true
      seen = seen.filter(({ height }) => height === frame.proposal.height)
      if (seen.length < 8) seen.push(frame.proposal)
      return true
    },
    onTick: () => {
      const core = replica()?.core
      if (core === undefined || seen.length === 0) return
      const { height, blockId, block, justification } = random.pick(seen)
      const view = core.view + random.between(0, 2)
      const signature = sign('proposal', encodeProposalBody({ height, view, blockId }))
      const below = justification.filter((certificate) => certificate.view < view && random.chance(0.5))
      const proposal = { height, view, blockId, leader: self, signature, justification: below }
      for (const to of others) {
        if (!random.chance(0.5)) continue
        const isOwn = block !== undefined && block.header.view < view
        sendFrame(to, { kind: 'proposal', proposal: isOwn ? { ...proposal, block } : proposal })
      }
    },
  }
}
