// The leader's part: when it proposes, and what (P1, P2).
import { isQuorum, powerOf } from '../quorum/index.ts'
import type { BlockId, Certificate, View } from '../types/index.ts'
import type { Input } from './input.ts'
import { leaderOf } from './leader.ts'
import type { Output } from './output.ts'
import { type CoreState, viewOf } from './state.ts'
import { nullify } from './voting.ts'

/** Certificates that one proposal carries: the latest. Whoever lacks older ones asks for them. */
const justificationMax = 64

/** P2: the leader of the current view repeats the highest notarized block it can justify, else makes a fresh one. */
export function considerPropose(state: CoreState, outputs: Output[]): void {
  if (state.config.self !== leaderOf(state.context.leaders, state.view) || state.finalization !== undefined)
    return
  const { own, building } = viewOf(state, state.view)
  if (own.proposed !== undefined || own.nullify || building) return
  const base = baseOf(state)
  if (base === 'unknown') outputs.push({ kind: 'fetch-view' })
  else if (base.repeat === undefined) considerFresh(state, outputs)
  else propose(state, { blockId: base.repeat, justification: base.justification }, outputs)
}

/** P1: commitments of a quorum, and a short grace for the others that are not demoted. */
function considerFresh(state: CoreState, outputs: Output[]): void {
  const { config, context, commitments } = state
  if (!isQuorum(config.thresholds, powerOf(config.powers, commitments.keys()))) return
  const isComplete = config.powers.every(
    (_, validator) => commitments.has(validator) || context.demoted.has(validator),
  )
  if (!isComplete && !state.graceOver && state.view === 0) {
    if (!state.graceArmed)
      outputs.push({ kind: 'arm-timer', timer: { kind: 'grace', height: context.height }, growth: 0 })
    state.graceArmed = true
    return
  }
  viewOf(state, state.view).building = true
  const attached = [...commitments.values()].sort((a, b) => a.validator - b.validator)
  outputs.push({ kind: 'build-block', height: context.height, view: state.view, commitments: attached })
}

export function onBlockBuilt(
  state: CoreState,
  input: Extract<Input, { kind: 'block-built' }>,
  outputs: Output[],
): void {
  const { block, view } = input
  if (view !== state.view) return
  const current = viewOf(state, view)
  const { own } = current
  current.building = false
  // A notarization of a lower view that came meanwhile is repeated instead (P2), by whoever called this.
  const base = baseOf(state)
  if (own.proposed !== undefined || own.nullify || base === 'unknown' || base.repeat !== undefined) return
  // The node made it, so it has every batch and knows it is right.
  state.blocks.set(block.id, { block, verdict: 'valid' })
  outputs.push({ kind: 'save-block', block })
  propose(state, { blockId: block.id, block, justification: base.justification }, outputs)
}

/** V4: a leader that knows it will not propose gives its view up at once. Not so one that has something to repeat by
 *  now: the caller lets it. */
export function onBlockUnbuildable(state: CoreState, view: View, outputs: Output[]): void {
  if (view !== state.view) return
  const current = viewOf(state, view)
  const { own } = current
  current.building = false
  const base = baseOf(state)
  if (base !== 'unknown' && base.repeat !== undefined) return
  if (own.nullify || own.finalize !== undefined || own.proposed !== undefined) return
  nullify(state, outputs)
}

function propose(
  state: CoreState,
  proposed: {
    blockId: BlockId
    block?: Extract<Input, { kind: 'block-built' }>['block']
    justification: Certificate[]
  },
  outputs: Output[],
): void {
  viewOf(state, state.view).own.proposed = proposed.blockId
  const proposal = { height: state.context.height, view: state.view, ...proposed }
  outputs.push({ kind: 'sign-proposal', proposal })
}

/** What a proposal of the current view can stand on: N(v',B) of the highest v' with U of every view between, or
 *  U of every view below; unknown while a certificate is missing. */
function baseOf(state: CoreState): 'unknown' | { repeat?: BlockId; justification: Certificate[] } {
  const justification: Certificate[] = []
  for (let below = state.view - 1; below >= 0; below--) {
    const view = state.views.get(below)
    const certificate = view?.notarization ?? view?.nullification
    if (certificate === undefined) return 'unknown'
    justification.unshift(certificate)
    if (certificate.kind === 'notarization') {
      return {
        repeat: certificate.blockId,
        justification: justification.slice(0, 1).concat(justification.slice(1).slice(1 - justificationMax)),
      }
    }
  }
  return { justification: justification.slice(-justificationMax) }
}
