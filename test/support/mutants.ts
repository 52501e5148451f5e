// Cores with one rule broken each, to show that the search and the schedules find what they look for. They are the
// real core, whose state or outputs are tampered with from outside.
import { type CoreState, type Input, type Output, step } from '../../src/consensus/index.ts'
import { verified } from './consensus.ts'
import type { CoreStep } from './voting-node.ts'

/** Finalizes on N(v,B) even where it has nullified v. */
export const finalizesAfterNullify: CoreStep = (state, input) => {
  const outputs = step(state, input)
  const { height } = state.context
  for (const [view, { own, notarization }] of state.views) {
    if (own.nullify === undefined || own.finalize !== undefined || notarization === undefined) continue
    const { blockId } = notarization
    own.finalize = blockId
    outputs.push({ kind: 'sign-vote', body: { kind: 'finalize', height, view, blockId } })
  }
  return outputs
}

/** Nullifies a view when its timer ends, though it has finalized it. */
export const nullifiesAfterFinalize: CoreStep = (state, input) => {
  const outputs = step(state, input)
  if (input.kind !== 'timer' || input.timer.kind !== 'view') return outputs
  const { view, height } = input.timer
  const own = state.views.get(view)?.own
  if (own === undefined || own.nullify || own.finalize === undefined) return outputs
  own.nullify = true
  return [...outputs, { kind: 'sign-vote', body: { kind: 'nullify', height, view } }]
}

/** Notarizes whatever the leader of the current view proposes, be it justified or not. */
export const ignoresJustification: CoreStep = (state, input) => {
  const outputs = step(state, input)
  if (input.kind !== 'proposal' || state.finalization !== undefined) return outputs
  const { height, view, blockId, block } = input.proposal
  const own = state.views.get(view)?.own
  if (view !== state.view || own === undefined || own.notarize !== undefined) return outputs
  own.notarize = blockId
  const save: Output[] = block === undefined ? [] : [{ kind: 'save-block', block }]
  return [...outputs, ...save, { kind: 'sign-vote', body: { kind: 'notarize', height, view, blockId } }]
}

/** Takes what was signed before a restart for unsigned. */
export const forgetsWhatItSigned: CoreStep = (state, input) =>
  step(state, input.kind === 'start-height' ? withoutVotes(input) : input)

function withoutVotes(input: Extract<Input, { kind: 'start-height' }>): Input {
  return input.restored === undefined ? input : { ...input, restored: { ...input.restored, votes: [] } }
}

/** Notarizes every proposal of a view, and not only the first. */
export const notarizesTwice: CoreStep = (state, input) => {
  if (input.kind === 'proposal') forgetVoteOf(state, input.proposal.view)
  return step(state, input)
}

function forgetVoteOf(state: CoreState, number: number): void {
  const view = state.views.get(number)
  if (view === undefined) return
  delete view.own.notarize
  delete view.proposal
}

/** Skips to the next view as soon as its timer ends, with no certificate. */
export const movesOnWithoutCertificate: CoreStep = (state, input) => {
  const outputs = step(state, input)
  if (input.kind !== 'timer' || input.timer.kind !== 'view' || input.timer.view !== state.view) return outputs
  const { view, height } = input.timer
  const certificate = verified({ kind: 'nullification' as const, height, view, signatures: [] })
  return [...outputs, ...step(state, { kind: 'certificate', certificate })]
}
