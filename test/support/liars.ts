// What lying validators say in random schedules.
import type { Block, Height, ValidatorIndex, View } from '../../src/types/index.ts'
import { aPoolCommitment, aProposal, aVote, nameOf } from './consensus.ts'
import type { Random } from './random.ts'
import type { Message } from './voting-node.ts'
import type { VotingWorld } from './voting-world.ts'

interface Occasion {
  readonly liar: ValidatorIndex
  readonly height: Height
  /** About where those who are to hear it are. */
  readonly view: View
  readonly random: Random
}

/** Something that suits a liar, to be said to whom it likes: any vote, a proposal where it leads, a certificate that
 *  it can assemble, a second pool commitment. Undefined where there is nothing of the kind that was drawn. */
export function lieOf(world: VotingWorld, details: Occasion): Message | undefined {
  const { liar, height, view, random } = details
  const known = [...world.blocks.values()].filter(({ block }) => block.header.height === height)
  const block = random.pick(known)?.block
  switch (random.below(6)) {
    case 0:
      return { kind: 'vote', vote: aVote({ kind: 'nullify', height, view, validator: liar }) }
    case 1:
    case 2: {
      if (block === undefined) return undefined
      const kind = random.chance(0.5) ? 'notarize' : 'finalize'
      const vote = aVote({ kind, height, view, validator: liar, block: nameOf(block.id) })
      return { kind: 'vote', vote }
    }
    case 3: {
      const certificate = random.pick(world.ledger.certificates(height))
      return certificate && { kind: 'certificate', certificate }
    }
    case 4: {
      const content = random.below(3)
      return { kind: 'pool-commitment', commitment: aPoolCommitment({ validator: liar, height, content }) }
    }
    default:
      return lyingProposal(world, { ...details, block })
  }
}

function lyingProposal(
  world: VotingWorld,
  details: Occasion & { readonly block: Block | undefined },
): Message | undefined {
  const { liar, height, random } = details
  const { leaders } = world.contextOf(height)
  const led = [0, 1, 2, 3].map((ahead) => details.view + ahead)
  const view = led.find((candidate) => leaders[candidate % leaders.length] === liar)
  if (view === undefined) return undefined
  const isValid = random.chance(0.85)
  const block =
    details.block !== undefined && random.chance(0.5)
      ? details.block
      : world.makeBlock({ height, view, leader: liar, isValid })
  const certificates = world.ledger.certificates(height)
  const justification = certificates.filter((certificate) => certificate.view < view && random.chance(0.8))
  return {
    kind: 'proposal',
    proposal: aProposal({ height, view, leader: liar, block, justification, byId: random.chance(0.2) }),
  }
}
