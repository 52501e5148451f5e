// What can happen to one validator in the search: everything that could be said to it, its timers, its own work.
import type { Input } from '../../src/consensus/index.ts'
import type { Block, Certificate, ValidatorIndex, View, VoteKind } from '../../src/types/index.ts'
import { aCertificate, aProposal, aVote, nameOf } from './consensus.ts'
import { type CoreNode, isDecided } from './search-core.ts'
import type { Universe } from './search-universe.ts'

export interface Move {
  /** What it needs of others: a certificate that can be assembled, a proposal or a vote that was signed. */
  readonly needs:
    | { readonly kind: 'nothing' }
    | { readonly kind: 'certificate' | 'proposal'; readonly bit: number }
    | { readonly kind: 'vote'; readonly bit: number; readonly voter: ValidatorIndex }
  /** What it needs of the validator's own state. */
  readonly isPossible: (node: CoreNode) => boolean
  readonly inputs: readonly Input[] | 'restart'
}

export function movesOf(universe: Universe, { withRestarts }: { withRestarts: boolean }): Move[] {
  const votes = universe.isReduced ? nullifyMoves(universe) : voteMoves(universe)
  const restart: Move = { needs: { kind: 'nothing' }, isPossible: () => true, inputs: 'restart' }
  return [
    ...certificateMoves(universe),
    ...proposalMoves(universe),
    ...votes,
    ...ownMoves(universe),
    ...(withRestarts ? [restart] : []),
  ]
}

function certificateMoves({ votes, isReduced }: Universe): Move[] {
  return votes.flatMap((vote, bit): Move[] => {
    const { kind, view } = vote
    if (kind === 'finalize' && isReduced) return []
    const certificate = aCertificate({ kind: certificateKind[kind], view, ...blockNameOf(vote) })
    const inputs: Input[] = [{ kind: 'certificate', certificate }]
    return [{ needs: { kind: 'certificate', bit }, isPossible: isUnderWay, inputs }]
  })
}

function proposalMoves(universe: Universe): Move[] {
  return universe.proposals.map(({ view, block }, bit) => {
    const proposal = aProposal({ view, block, leader: universe.leaderOf(view) })
    const isPossible = ({ core, finalBlock }: CoreNode) =>
      finalBlock === undefined && (!universe.isReduced || core.view === view)
    return { needs: { kind: 'proposal', bit }, isPossible, inputs: [{ kind: 'proposal', proposal }] }
  })
}

function voteMoves(universe: Universe): Move[] {
  return universe.votes.flatMap((vote, bit) =>
    universe.leaders.map((voter) => ({
      needs: { kind: 'vote' as const, bit, voter },
      isPossible: (node: CoreNode) => isUnderWay(node) && node.core.config.self !== voter,
      inputs: [voteInput(vote, voter)],
    })),
  )
}

/** Where each nullify vote counts by itself: the leader's, or an honest one with the liar's. */
function nullifyMoves(universe: Universe): Move[] {
  const { liar, leaders } = universe
  return universe.votes.flatMap((vote, bit) => {
    const { kind, view } = vote
    if (kind !== 'nullify') return []
    return leaders
      .filter((voter) => voter !== liar || voter === universe.leaderOf(view))
      .map((voter) => ({
        needs: { kind: 'vote' as const, bit, voter },
        isPossible: (node: CoreNode) => node.core.config.self !== voter && isUndecidedIn(node, view),
        inputs: voter === liar ? [voteInput(vote, voter)] : [voteInput(vote, voter), voteInput(vote, liar)],
      }))
  })
}

function ownMoves({ viewsMax, blocks }: Universe): Move[] {
  const needs = { kind: 'nothing' } as const
  return blocks
    .filter(({ header }, at) => header.view !== blocks[at - 1]?.header.view && header.view < viewsMax)
    .flatMap((block): Move[] => {
      const { view } = block.header
      const timers = (['view', 'finalize'] as const).map(
        (kind): Move => ({
          needs,
          isPossible: ({ timers }) => timers.some((timer) => timer.kind === kind && timer.view === view),
          inputs: [{ kind: 'timer', timer: { kind, height: 1, view } }],
        }),
      )
      const isPossible = ({ building }: CoreNode) => building === view
      return [
        ...timers,
        { needs, isPossible, inputs: [{ kind: 'block-built', height: 1, view, block }] },
        { needs, isPossible, inputs: [{ kind: 'block-unbuildable', height: 1, view }] },
      ]
    })
}

function isUnderWay({ finalBlock }: CoreNode): boolean {
  return finalBlock === undefined
}

function isUndecidedIn({ core }: CoreNode, view: View): boolean {
  const state = core.views.get(view)
  return core.view === view && (state === undefined || !isDecided(state))
}

interface NamedVote {
  readonly kind: VoteKind
  readonly view: View
  readonly block?: Block
}

function voteInput(vote: NamedVote, validator: ValidatorIndex): Input {
  const { kind, view } = vote
  return { kind: 'vote', vote: aVote({ kind, view, validator, ...blockNameOf(vote) }) }
}

function blockNameOf({ block }: NamedVote): { readonly block?: string } {
  return block === undefined ? {} : { block: nameOf(block.id) }
}

const certificateKind: Record<VoteKind, Certificate['kind']> = {
  notarize: 'notarization',
  nullify: 'nullification',
  finalize: 'finalization',
}
