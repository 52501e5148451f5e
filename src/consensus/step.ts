// The voting core: Simplex (Chan & Pass, ePrint 2023/463), one height at a time. Pure and deterministic: it is
// told of verified things and of timers, changes only the state it is given, and returns what it wants done.
// Called by node/driver.ts and by the simulator, one input at a time. Rule numbers are those of docs/protocol.md.
import { exceedsLying, isQuorum, powerOf } from '../quorum/index.ts'
import type { BlockId, Proposal, Verified } from '../types/index.ts'
import { actOnCertificate } from './certificates.ts'
import { considerCommitment, noteOwnCommitment, onPool, onPoolCommitment } from './collecting.ts'
import type { HeightContext, Input, RestoredHeight, Timer } from './input.ts'
import { leaderOf } from './leader.ts'
import { deferToNextHeight } from './next-height.ts'
import type { Output } from './output.ts'
import { considerPropose, onBlockBuilt, onBlockUnbuildable } from './proposing.ts'
import { type CoreState, viewOf, viewsAhead } from './state.ts'
import { considerNotarize, considerNullify, enterView, onVote } from './voting.ts'

/** Takes one input; changes `state` in place. The outputs are in the order in which they came to be wanted.
 *  Throws (assert) only where more power lies than the fault model allows, or the code is wrong. */
export function step(state: CoreState, input: Input): Output[] {
  const outputs: Output[] = []
  dispatch(state, input, outputs)
  return outputs
}

function dispatch(state: CoreState, input: Input, outputs: Output[]): void {
  if (input.kind === 'start-height') {
    startHeight(state, input.context, input.restored, outputs)
    return
  }
  if (input.kind === 'pool') {
    onPool(state, input.hasWork, outputs)
    return
  }
  const height = heightOf(state, input)
  if (height === state.context.height + 1) {
    deferToNextHeight(state, input)
    return
  }
  // A final height is over: what comes after F changes nothing.
  if (height !== state.context.height || state.finalization !== undefined) return
  switch (input.kind) {
    case 'pool-commitment':
      onPoolCommitment(state, input.commitment, outputs)
      break
    case 'proposal':
      onProposal(state, input.proposal, outputs)
      break
    case 'vote':
      onVote(state, input.vote, outputs)
      break
    case 'certificate':
      actOnCertificate(state, input.certificate, outputs)
      break
    case 'block':
      addBlock(state, input.block, outputs)
      break
    case 'block-checked':
      onBlockChecked(state, input, outputs)
      break
    case 'block-built':
      onBlockBuilt(state, input, outputs)
      break
    case 'block-unbuildable':
      onBlockUnbuildable(state, input.view, outputs)
      break
    case 'timer':
      onTimer(state, input.timer, outputs)
      break
  }
  if (state.finalization !== undefined) return
  considerCommitment(state, outputs)
  considerViewTimer(state, outputs)
  considerPropose(state, outputs)
}

function heightOf(state: CoreState, input: Exclude<Input, { kind: 'start-height' | 'pool' }>): number {
  switch (input.kind) {
    case 'pool-commitment':
      return input.commitment.height
    case 'proposal':
      return input.proposal.height
    case 'vote':
      return input.vote.height
    case 'certificate':
      return input.certificate.height
    case 'block':
      return input.block.header.height
    case 'timer':
      return input.timer.height
    case 'block-built':
    case 'block-unbuildable':
      return input.height
    case 'block-checked':
      return state.context.height
  }
}

function startHeight(
  state: CoreState,
  context: HeightContext,
  restored: RestoredHeight | undefined,
  outputs: Output[],
): void {
  state.context = context
  state.view = 0
  state.viewTimerArmed = false
  state.graceOver = false
  state.graceArmed = false
  state.emptyBlockDue = false
  state.commitmentIsTentative = false
  delete state.finalization
  for (const part of [state.views, state.commitments, state.blocks, state.heardOf, state.votersSeen])
    part.clear()
  if (restored !== undefined) restore(state, restored, outputs)
  if (state.finalization !== undefined) return
  outputs.push({ kind: 'arm-timer', timer: { kind: 'empty-block', height: context.height }, growth: 0 })
  const deferred = [...state.next.values()].flat()
  state.next.clear()
  for (const input of deferred) dispatch(state, input, outputs)
  if (state.finalization !== undefined) return
  considerCommitment(state, outputs)
  considerViewTimer(state, outputs)
  considerPropose(state, outputs)
}

/** D2: what was signed before a restart binds; what was held is acted on again; own frames go out again. */
function restore(state: CoreState, restored: RestoredHeight, outputs: Output[]): void {
  for (const block of restored.blocks) state.blocks.set(block.id, { block, verdict: 'unchecked' })
  for (const proposal of restored.proposals) {
    const view = viewOf(state, proposal.view)
    view.own.proposed = proposal.blockId
    view.proposal = proposal
  }
  for (const vote of restored.votes) {
    const { own } = viewOf(state, vote.view)
    if (vote.kind === 'nullify') own.nullify = true
    else own[vote.kind] = vote.blockId
  }
  for (const commitment of restored.commitments) {
    state.commitments.set(commitment.validator, commitment)
    state.heardOf.add(commitment.validator)
    if (commitment.validator === state.config.self) noteOwnCommitment(state, commitment)
  }
  for (const certificate of restored.certificates) {
    if (state.finalization === undefined) actOnCertificate(state, certificate, outputs)
  }
  for (const vote of restored.votes) {
    if (state.finalization === undefined) onVote(state, vote, outputs)
  }
  if (state.finalization !== undefined) return
  enterSignedView(state, outputs)
  outputs.push({ kind: 'resend-own' })
  considerNotarize(state, outputs)
}

/** V6: votes are cast in the current view only, so it is not to be a lower one than before the restart. N(v,·) leads
 *  to v+1 by a timer that has ended already, where anything was signed in v+1. */
function enterSignedView(state: CoreState, outputs: Output[]): void {
  const signed = [...state.views].filter(([, { own }]) => Object.keys(own).length > 0).map(([view]) => view)
  const highest = Math.max(0, ...signed)
  if (state.views.get(highest - 1)?.notarization !== undefined) enterView(state, highest, outputs)
}

/** P3, P4, P5: kept until it can be voted on; at most one a leader a view. */
function onProposal(state: CoreState, proposal: Verified<Proposal>, outputs: Output[]): void {
  if (proposal.leader !== leaderOf(state.context.leaders, proposal.view)) return
  state.heardOf.add(proposal.leader)
  for (const certificate of proposal.justification) {
    // Verified with the proposal that carries them.
    if (state.finalization === undefined)
      actOnCertificate(state, certificate as Verified<typeof certificate>, outputs)
  }
  if (state.finalization !== undefined || proposal.view > state.view + viewsAhead) return
  const view = viewOf(state, proposal.view)
  const isWanted = view.notarization?.blockId === proposal.blockId
  if (proposal.view < state.view && !isWanted) return
  if (view.proposal === undefined) {
    view.proposal = proposal
  } else if (view.proposal.blockId !== proposal.blockId) {
    const first = { kind: 'proposal' as const, proposal: view.proposal }
    outputs.push({ kind: 'evidence', pair: [first, { kind: 'proposal', proposal }] })
    if (!isWanted) return
  }
  if (proposal.block !== undefined) addBlock(state, proposal.block, outputs)
  else considerNotarize(state, outputs)
}

function addBlock(state: CoreState, block: Verified<Proposal>['block'] & object, outputs: Output[]): void {
  // V1: whoever made it led the view in which it was made.
  const isByLeader = block.header.leader === leaderOf(state.context.leaders, block.header.view)
  if (!state.blocks.has(block.id) && isWantedBlock(state, block.id)) {
    state.blocks.set(block.id, { block, verdict: isByLeader ? 'unchecked' : 'invalid' })
  }
  considerNotarize(state, outputs)
}

/** Only what a proposal or a notarization names is kept, so that strangers cannot fill the memory. */
function isWantedBlock(state: CoreState, blockId: BlockId): boolean {
  for (const view of state.views.values()) {
    if (view.proposal?.blockId === blockId || view.notarization?.blockId === blockId) return true
  }
  return false
}

function onBlockChecked(
  state: CoreState,
  input: Extract<Input, { kind: 'block-checked' }>,
  outputs: Output[],
): void {
  const known = state.blocks.get(input.blockId)
  if (known === undefined || known.verdict === 'invalid') return
  known.verdict = input.valid ? 'valid' : 'invalid'
  considerNotarize(state, outputs)
}

/** V9: view 0's timer starts with commitments of a quorum, or votes of power > l. */
function considerViewTimer(state: CoreState, outputs: Output[]): void {
  if (state.viewTimerArmed || state.view !== 0) return
  const { powers, thresholds } = state.config
  const isCollected = isQuorum(thresholds, powerOf(powers, state.commitments.keys()))
  if (!isCollected && !exceedsLying(thresholds, powerOf(powers, state.votersSeen))) return
  state.viewTimerArmed = true
  outputs.push({
    kind: 'arm-timer',
    timer: { kind: 'view', height: state.context.height, view: 0 },
    growth: 0,
  })
}

function onTimer(state: CoreState, timer: Timer, outputs: Output[]): void {
  switch (timer.kind) {
    case 'view':
      if (timer.view !== state.view) return
      viewOf(state, timer.view).timedOut = true
      considerNullify(state, outputs)
      return
    case 'finalize':
      // V6: N(v,·) leads on to v+1 when no finalization came of it in time.
      if (timer.view === state.view && viewOf(state, timer.view).notarization !== undefined) {
        enterView(state, timer.view + 1, outputs)
      }
      return
    case 'grace':
      state.graceOver = true
      return
    case 'empty-block':
      state.emptyBlockDue = true
  }
}
