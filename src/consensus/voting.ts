// Votes: which ones this validator casts (V1 to V5), and how those of others are counted.
import { exceedsFaulty, powerOf } from '../quorum/index.ts'
import type { BlockId, Verified, View, Vote } from '../types/index.ts'
import { actOnCertificate, certificateOf } from './certificates.ts'
import { leaderOf } from './leader.ts'
import type { Output } from './output.ts'
import { considerPropose } from './proposing.ts'
import { type CoreState, type ViewState, viewOf, viewsAhead, viewsBehind } from './state.ts'

/** Counts a vote; a certificate that it completes is acted on at once. */
export function onVote(state: CoreState, vote: Verified<Vote>, outputs: Output[]): void {
  state.heardOf.add(vote.validator)
  state.votersSeen.add(vote.validator)
  if (vote.view > state.view + viewsAhead || vote.view < state.view - viewsBehind) return
  const view = viewOf(state, vote.view)
  const conflicting = conflictingVote(view, vote)
  if (conflicting !== undefined) {
    outputs.push({
      kind: 'evidence',
      pair: [
        { kind: 'vote', vote: conflicting },
        { kind: 'vote', vote },
      ],
    })
    return
  }
  const tally = tallyOf(view, vote.kind) as Map<number, Verified<Vote>>
  if (tally.has(vote.validator)) return
  tally.set(vote.validator, vote)
  const certificate = certificateOf(state, tally, vote)
  if (certificate !== undefined) actOnCertificate(state, certificate, outputs)
  if (state.finalization === undefined && vote.kind === 'nullify') considerNullify(state, outputs)
}

/** V6: moves on to a higher view; its timer starts (V9), and what is known of it already is acted on. */
export function enterView(state: CoreState, view: View, outputs: Output[]): void {
  if (view <= state.view) return
  state.view = view
  forgetOldViews(state)
  const timer = { kind: 'view' as const, height: state.context.height, view }
  outputs.push({ kind: 'arm-timer', timer, growth: view })
  considerPropose(state, outputs)
  considerNotarize(state, outputs)
  considerNullify(state, outputs)
}

/** V1: notarize, once a view, the leader's proposal: justified, recomputed equal, every batch in hand. */
export function considerNotarize(state: CoreState, outputs: Output[]): void {
  const view = viewOf(state, state.view)
  const { proposal, own } = view
  if (proposal === undefined || own.notarize !== undefined || state.finalization !== undefined) return
  const known = state.blocks.get(proposal.blockId)
  if (known === undefined) {
    outputs.push({ kind: 'fetch-block', blockId: proposal.blockId, holders: [proposal.leader] })
    return
  }
  if (known.verdict === 'invalid' || known.verdict === 'checking') return
  if (!isJustified(state, { view: state.view, madeIn: known.block.header.view, blockId: known.block.id })) {
    outputs.push({ kind: 'fetch-view' })
    return
  }
  if (known.verdict === 'unchecked') {
    known.verdict = 'checking'
    outputs.push({ kind: 'check-block', block: known.block })
    return
  }
  if (state.config.self === undefined) return
  own.notarize = known.block.id
  outputs.push({ kind: 'save-block', block: known.block })
  sign(state, { kind: 'notarize', view: state.view, blockId: known.block.id }, outputs)
}

/** V2: finalize on N(v,B), unless nullify(v) was sent; of a lower view too. With it goes the commitment for the
 *  next height (K3), so that while there is work the collecting costs no time. */
export function afterNotarization(state: CoreState, viewNumber: View, outputs: Output[]): void {
  const view = viewOf(state, viewNumber)
  const { notarization, own } = view
  if (notarization === undefined) return
  const { height } = state.context
  if (viewNumber === state.view) {
    outputs.push({
      kind: 'arm-timer',
      timer: { kind: 'finalize', height, view: viewNumber },
      growth: viewNumber,
    })
  }
  if (state.config.self === undefined || own.nullify || own.finalize !== undefined) return
  own.finalize = notarization.blockId
  sign(state, { kind: 'finalize', view: viewNumber, blockId: notarization.blockId }, outputs)
  if (state.commitmentAskedFor <= height && state.blocks.has(notarization.blockId)) {
    const assuming = notarization.blockId
    outputs.push({ kind: 'make-commitment', height: height + 1, assuming, evenIfEmpty: false })
  }
}

/** V3, V4: nullify the current view when its timer ended without N, when its leader gave it up, or when an
 *  honest validator must have; never after finalize. */
export function considerNullify(state: CoreState, outputs: Output[]): void {
  const view = viewOf(state, state.view)
  if (state.config.self === undefined || view.own.finalize !== undefined || view.own.nullify) return
  const { powers, thresholds } = state.config
  const isOver = view.timedOut && view.notarization === undefined
  const isGivenUp = view.nullifies.has(leaderOf(state.context.leaders, state.view))
  if (!isOver && !isGivenUp && !exceedsFaulty(thresholds, powerOf(powers, view.nullifies.keys()))) return
  nullify(state, outputs)
}

/** Casts nullify of the current view. The caller has checked that it may. */
export function nullify(state: CoreState, outputs: Output[]): void {
  viewOf(state, state.view).own.nullify = true
  sign(state, { kind: 'nullify', view: state.view }, outputs)
}

/** P4, P5: a fresh block needs U(0) … U(view−1); a repeated one N(v',B), v' < view, and U(v'+1) … U(view−1). */
function isJustified(state: CoreState, proposed: { view: View; madeIn: View; blockId: BlockId }): boolean {
  for (let below = proposed.view - 1; below >= 0; below--) {
    const view = state.views.get(below)
    if (proposed.madeIn < proposed.view && view?.notarization?.blockId === proposed.blockId) return true
    if (view?.nullification === undefined) return false
  }
  return proposed.madeIn === proposed.view
}

function sign(
  state: CoreState,
  vote: { kind: 'notarize' | 'finalize'; view: View; blockId: BlockId } | { kind: 'nullify'; view: View },
  outputs: Output[],
): void {
  outputs.push({ kind: 'sign-vote', body: { ...vote, height: state.context.height } })
}

function tallyOf(view: ViewState, kind: Vote['kind']): ReadonlyMap<number, Verified<Vote>> {
  if (kind === 'nullify') return view.nullifies
  return kind === 'notarize' ? view.notarizes : view.finalizes
}

/** E1: a vote that contradicts one already counted. Notarize and nullify of one view do not. */
function conflictingVote(view: ViewState, vote: Vote): Vote | undefined {
  const { validator } = vote
  if (vote.kind === 'nullify') return view.finalizes.get(validator)
  const same = vote.kind === 'notarize' ? view.notarizes.get(validator) : view.finalizes.get(validator)
  if (same !== undefined && same.blockId !== vote.blockId) return same
  return vote.kind === 'finalize' ? view.nullifies.get(validator) : undefined
}

/** Bounds a long height: far below the current view only certificates and own votes stay; a block stays while
 *  it is near, notarized, or signed for (it is on disk then and can be read again). */
function forgetOldViews(state: CoreState): void {
  for (const [number, view] of state.views) {
    if (number < state.view - viewsBehind) {
      for (const tally of [view.notarizes, view.nullifies, view.finalizes]) tally.clear()
    }
    if (number >= state.view - viewsAhead || view.proposal === undefined) continue
    const { blockId } = view.proposal
    delete view.proposal
    const isNeeded = [...state.views.values()].some(
      (other) => other.notarization?.blockId === blockId || other.proposal?.blockId === blockId,
    )
    if (!isNeeded) state.blocks.delete(blockId)
  }
}
