// Votes for everything: two blocks of a view, nullify together with finalize, to each node something else.
import type { Frame } from '../../codec/index.ts'
import { encodeVoteBody } from '../../codec/index.ts'
import type { BlockId, VoteBody } from '../../types/index.ts'
import type { MakeBehaviour } from '../behaviour.ts'

export const equivocatingVoter: MakeBehaviour = ({ self, random, sign }) => {
  const blocks: BlockId[] = []
  const voteFor = (body: VoteBody): Frame => ({
    kind: 'vote',
    vote: { ...body, validator: self, signature: sign(body.kind, encodeVoteBody(body)) },
  })
  return {
    onReceive: (frame) => {
      if (frame.kind === 'proposal') blocks.unshift(frame.proposal.blockId)
      blocks.length = Math.min(blocks.length, 8)
      return true
    },
    onSend: (frame) => {
      if (frame.kind !== 'vote' || frame.vote.validator !== self) return [frame]
      const { height, view } = frame.vote
      const blockId = frame.vote.kind === 'nullify' ? undefined : frame.vote.blockId
      const other = random.chance(0.5) && blocks.length > 0 ? random.pick(blocks) : blockId
      const bodies: VoteBody[] = [{ kind: 'nullify', height, view }]
      for (const id of [blockId, other]) {
        if (id === undefined) continue
        bodies.push(
          { kind: 'notarize', height, view, blockId: id },
          { kind: 'finalize', height, view, blockId: id },
        )
      }
      return [
        ...random.shuffle(bodies).slice(0, random.between(0, 3)).map(voteFor),
        ...(random.chance(0.7) ? [frame] : []),
      ]
    },
  }
}
