// One honest validator of the exhaustive search: its core, what it has signed, and what it can do next. Two such
// states are one if nothing that can still happen tells them apart; what is left out of the key, and why that loses
// nothing, is said at `keyOf`.
import assert from 'node:assert/strict'
import {
  type CoreConfig,
  type CoreState,
  createState,
  type Input,
  type RestoredHeight,
  type Timer,
  type ViewState,
} from '../../src/consensus/index.ts'
import type { BlockId, Certificate, ValidatorIndex, View } from '../../src/types/index.ts'
import { aPoolCommitment, aProposal, aVote, nameOf, verified } from './consensus.ts'
import type { Universe } from './search-universe.ts'
import type { CoreStep } from './voting-node.ts'

export interface CoreNode {
  readonly core: CoreState
  /** Votes and proposals signed so far, as bits of the universe. */
  readonly votes: number
  readonly proposals: number
  readonly timers: readonly Timer[]
  /** The view for which a block is being made. */
  readonly building: View | undefined
  readonly finalBlock: BlockId | undefined
}

interface Draft {
  core: CoreState
  votes: number
  proposals: number
  timers: Timer[]
  building: View | undefined
  finalBlock: BlockId | undefined
}

/** Everyone has committed and the grace is over: the search is about voting. */
export function startNode(config: CoreConfig, universe: Universe, coreStep: CoreStep): CoreNode {
  const draft: Draft = {
    core: createState(config),
    votes: 0,
    proposals: 0,
    timers: [],
    building: undefined,
    finalBlock: undefined,
  }
  const context = { height: 1, leaders: universe.leaders, demoted: new Set<ValidatorIndex>() }
  give(draft, { kind: 'start-height', context }, universe, coreStep)
  commit(draft, universe, coreStep)
  return draft
}

function commit(draft: Draft, universe: Universe, coreStep: CoreStep): void {
  give(draft, { kind: 'timer', timer: { kind: 'grace', height: 1 } }, universe, coreStep)
  for (const validator of universe.leaders) {
    const commitment = aPoolCommitment({ validator })
    give(draft, { kind: 'pool-commitment', commitment }, universe, coreStep)
  }
}

/** The state after an input, and after what the driver answers at once: own votes are fed back, blocks are checked
 *  and fetched. That loses no schedule: until such an answer the core does with a vote, proposal or notarization
 *  nothing that it would not do if that had come later. A leader's block is different, since another one may be
 *  notarized while it is made: that answer is a move of its own. */
export function stepNode(
  node: CoreNode,
  inputs: readonly Input[],
  universe: Universe,
  coreStep: CoreStep,
): CoreNode {
  const draft: Draft = { ...node, core: cloneCore(node.core), timers: [...node.timers] }
  for (const input of inputs) {
    if (input.kind === 'timer') draft.timers = draft.timers.filter(({ kind }) => kind !== input.timer.kind)
    if (input.kind === 'block-built' || input.kind === 'block-unbuildable') draft.building = undefined
    give(draft, input, universe, coreStep)
  }
  if (universe.isReduced) forgetTallies(draft)
  return draft
}

/** Makes states equal that `keyOf` calls equal: the one that is gone on with must not hold more than the others. */
function forgetTallies({ core }: Draft): void {
  for (const { notarizes, nullifies, finalizes } of core.views.values())
    for (const tally of [notarizes, nullifies, finalizes]) tally.clear()
}

export function isDecided({ own }: ViewState): boolean {
  return own.nullify === true || own.finalize !== undefined
}

/** The state after a crash and a restart: what was signed, and what was saved for it, is all that is left. */
export function restartNode(node: CoreNode, universe: Universe, coreStep: CoreStep): CoreNode {
  const { config, context } = node.core
  const draft: Draft = { ...node, core: createState(config), timers: [], building: undefined }
  const restored = {
    ...savedOf(node, universe),
    commitments: [aPoolCommitment({ validator: config.self ?? 0 })],
  }
  give(draft, { kind: 'start-height', context, restored }, universe, coreStep)
  commit(draft, universe, coreStep)
  if (universe.isReduced) forgetTallies(draft)
  return draft
}

export function savedOf(node: CoreNode, universe: Universe): Omit<RestoredHeight, 'commitments'> {
  const { core } = node
  const validator = core.config.self ?? 0
  const certificates: Certificate[] = [...core.views.values()].flatMap(({ notarization, nullification }) =>
    [notarization, nullification].filter((certificate) => certificate !== undefined),
  )
  const proposals = universe.proposals.filter((_, at) => (node.proposals & (1 << at)) !== 0)
  const votes = universe.votes.filter((_, at) => (node.votes & (1 << at)) !== 0)
  const signed = new Set([
    ...proposals.map(({ block }) => block.id),
    ...votes.map((vote) => (vote.kind === 'notarize' ? vote.block?.id : undefined)),
  ])
  return {
    certificates: certificates.map((certificate) => verified(certificate)),
    blocks: universe.blocks.filter(({ id }) => signed.has(id)),
    votes: votes.map(({ kind, view, block }) =>
      aVote({ kind, view, validator, ...(block === undefined ? {} : { block: nameOf(block.id) }) }),
    ),
    proposals: proposals.map(({ view, block }) => aProposal({ view, block, leader: validator })),
  }
}

function give(draft: Draft, input: Input, universe: Universe, coreStep: CoreStep): void {
  for (const output of coreStep(draft.core, input)) {
    switch (output.kind) {
      case 'sign-vote': {
        const { body } = output
        addVote(
          draft,
          universe.voteBit(body.kind, body.view, body.kind === 'nullify' ? undefined : body.blockId),
        )
        const validator = draft.core.config.self ?? 0
        const vote = verified({ ...body, validator, signature: new Uint8Array() })
        give(draft, { kind: 'vote', vote }, universe, coreStep)
        break
      }
      case 'sign-proposal': {
        const { view, blockId } = output.proposal
        if (view >= universe.viewsMax) break
        const bit = universe.proposalBit(view, blockId)
        assert.equal(draft.proposals & universe.proposalsOfView(view), 0, `two proposals in view ${view}`)
        draft.proposals |= 1 << bit
        break
      }
      case 'arm-timer': {
        const { timer } = output
        if ('view' in timer && timer.view < universe.viewsMax) draft.timers.push(timer)
        break
      }
      case 'build-block':
        if (output.view < universe.viewsMax) draft.building = output.view
        break
      case 'check-block':
        give(draft, { kind: 'block-checked', blockId: output.block.id, valid: true }, universe, coreStep)
        break
      case 'fetch-block': {
        const block = universe.blocks.find(({ id }) => id === output.blockId)
        if (block !== undefined) give(draft, { kind: 'block', block }, universe, coreStep)
        break
      }
      case 'finalise':
        draft.finalBlock = output.finalization.blockId
        break
      default:
    }
  }
  // A timer or a block of a view that is left does nothing any more.
  draft.timers = draft.timers.filter((timer) => 'view' in timer && timer.view === draft.core.view)
  if (draft.building !== draft.core.view) draft.building = undefined

  function addVote(to: Draft, bit: number): void {
    const { kind, view } = universe.votes[bit] ?? {}
    const contradicting = universe.votes.reduce((mask, other, at) => {
      const isOther = other.view === view && at !== bit
      const isSame = other.kind === kind
      const isBoth = other.kind !== 'notarize' && kind !== 'notarize'
      return isOther && (isSame || isBoth) ? mask | (1 << at) : mask
    }, 0)
    assert.equal(to.votes & contradicting, 0, `contradicting votes in view ${view}`)
    assert.equal(to.votes & (1 << bit), 0, `one vote twice in view ${view}`)
    to.votes |= 1 << bit
  }
}

/** What tells two states apart. Left out: everything after a finalization, which ends the height; signatures; who was
 *  heard of, since all have committed; a timer that has nothing left to end. In a reduced search also what cannot
 *  matter there: blocks, which are fetched at once, and proposals of views that are over or voted on. */
export function keyOf(node: CoreNode, { isReduced }: Universe): string {
  const signed = `${node.votes}/${node.proposals}`
  if (node.finalBlock !== undefined) return `${signed}/final ${node.finalBlock}`
  const { core } = node
  const views = [...core.views].sort(([a], [b]) => a - b)
  const parts = views.map(([number, view]) => {
    const { own, notarization, nullification } = view
    const isOver = number < core.view || own.notarize !== undefined
    const proposal = isReduced && isOver ? '' : view.proposal?.blockId
    const tallies = isReduced
      ? ''
      : [view.notarizes, view.finalizes]
          .map((tally) => [...tally.values()].map((vote) => `${vote.validator}${vote.blockId}`).sort())
          .concat([[...view.nullifies.keys()].sort().map(String)])
          .join(':')
    const isTimedOut = view.timedOut && !isDecided(view) && number >= core.view
    const flags = `${nullification === undefined ? '' : 'U'}${isTimedOut ? 'T' : ''}`
    return `${number}${flags},${proposal ?? ''},${notarization?.blockId ?? ''},${tallies}`
  })
  const current = core.views.get(core.view)
  const timers = node.timers
    .map(({ kind }) => kind)
    .filter((kind) => kind !== 'view' || current === undefined || !isDecided(current))
    .sort()
  const blocks = isReduced ? '' : [...core.blocks.keys()].sort()
  return `${signed}/${core.view}/${node.building ?? ''}/${timers}/${parts.join(';')}/${blocks}`
}

/** `structuredClone`, as far as a step changes anything, and much sooner done. */
export function cloneCore(core: CoreState): CoreState {
  const views = [...core.views].map(([number, view]) => {
    const { own, notarizes, nullifies, finalizes } = view
    const copy = {
      ...view,
      own: { ...own },
      notarizes: new Map(notarizes),
      nullifies: new Map(nullifies),
      finalizes: new Map(finalizes),
    }
    return [number, copy] as const
  })
  return {
    ...core,
    views: new Map(views),
    commitments: new Map(core.commitments),
    blocks: new Map([...core.blocks].map(([id, known]) => [id, { ...known }])),
    heardOf: new Set(core.heardOf),
    votersSeen: new Set(core.votersSeen),
    next: new Map(core.next),
  }
}
