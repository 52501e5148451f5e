// All that can be said in a bounded height: its blocks, and every vote and proposal that anyone could sign, each with
// a bit of its own. Four validators of power 1; validator v leads view v; one of them lies.
import assert from 'node:assert/strict'
import type { Block, BlockId, ValidatorIndex, View, VoteKind } from '../../src/types/index.ts'
import { aBlock } from './consensus.ts'

interface PossibleVote {
  readonly kind: VoteKind
  readonly view: View
  readonly block?: Block
}
interface PossibleProposal {
  readonly view: View
  readonly block: Block
}

export class Universe {
  readonly leaders: readonly ValidatorIndex[]
  readonly liar: ValidatorIndex
  readonly honest: readonly ValidatorIndex[]
  readonly viewsMax: number
  /** Whether moves are left out that lose nothing (see search.ts). */
  readonly isReduced: boolean
  /** One of each honest leader, two of the liar, who may show either to anyone. */
  readonly blocks: readonly Block[]
  readonly votes: readonly PossibleVote[]
  readonly proposals: readonly PossibleProposal[]
  readonly #voteBits: ReadonlyMap<string, number>
  readonly #proposalBits: ReadonlyMap<string, number>

  constructor(options: {
    liar: ValidatorIndex
    viewsMax: number
    leaders?: readonly ValidatorIndex[]
    isReduced?: boolean
  }) {
    const { liar, viewsMax, leaders = [0, 1, 2, 3] } = options
    this.leaders = leaders
    this.liar = liar
    this.viewsMax = viewsMax
    this.isReduced = options.isReduced ?? false
    this.honest = leaders.filter((validator) => validator !== liar).sort()
    const views = Array.from({ length: viewsMax }, (_, view) => view)
    this.blocks = views.flatMap((view) => {
      const leader = leaders[view % leaders.length] ?? 0
      const names = leader === liar ? [`${view}a`, `${view}b`] : [`${view}a`]
      return names.map((name) => aBlock({ name, view, leader }))
    })
    this.proposals = views.flatMap((view) =>
      this.blocks.filter(({ header }) => header.view <= view).map((block) => ({ view, block })),
    )
    this.votes = [
      ...this.proposals.map(({ view, block }) => ({ kind: 'notarize' as const, view, block })),
      ...this.proposals.map(({ view, block }) => ({ kind: 'finalize' as const, view, block })),
      ...views.map((view) => ({ kind: 'nullify' as const, view })),
    ]
    assert.ok(this.votes.length < 32, 'votes are bits of one small integer')
    this.#voteBits = new Map(
      this.votes.map(({ kind, view, block }, at) => [`${kind} ${view} ${block?.id}`, at]),
    )
    this.#proposalBits = new Map(this.proposals.map(({ view, block }, at) => [`${view} ${block.id}`, at]))
  }

  leaderOf(view: View): ValidatorIndex {
    return this.leaders[view % this.leaders.length] ?? 0
  }

  voteBit(kind: VoteKind, view: View, blockId: BlockId | undefined): number {
    return this.#bitOf(this.#voteBits, `${kind} ${view} ${blockId}`)
  }

  proposalBit(view: View, blockId: BlockId): number {
    return this.#bitOf(this.#proposalBits, `${view} ${blockId}`)
  }

  proposalsOfView(view: View): number {
    return this.proposals.reduce(
      (mask, proposal, at) => (proposal.view === view ? mask | (1 << at) : mask),
      0,
    )
  }

  /** What the liar may propose in the views it leads: any block, of its own or notarized or not. */
  get lyingProposals(): number {
    return this.proposals.reduce(
      (mask, { view }, at) => (this.leaderOf(view) === this.liar ? mask | (1 << at) : mask),
      0,
    )
  }

  /** Why these certificates must not be possible side by side; undefined where they may. */
  contradictionIn(certified: number): string | undefined {
    const possible = this.votes.filter((_, at) => (certified & (1 << at)) !== 0)
    for (const vote of possible) {
      for (const other of possible) {
        const isOneView = vote.view === other.view
        if (vote.kind === 'finalize' && other.kind === 'finalize' && vote.block !== other.block)
          return 'two blocks final'
        if (isOneView && vote.kind === 'notarize' && other.kind === 'notarize' && vote.block !== other.block)
          return `two blocks notarized in view ${vote.view}`
        if (isOneView && vote.kind === 'finalize' && other.kind === 'nullify')
          return `view ${vote.view} both finalised and nullified`
      }
    }
    return undefined
  }

  #bitOf(bits: ReadonlyMap<string, number>, name: string): number {
    const bit = bits.get(name)
    assert.ok(bit !== undefined, `something outside the bounds of the search: ${name}`)
    return bit
  }
}
