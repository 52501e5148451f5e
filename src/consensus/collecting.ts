// Collecting: whose pool commitments are held, and when this validator makes its own (K1, K3).
import { exceedsLying, powerOf } from '../quorum/index.ts'
import type { PoolCommitment, Verified } from '../types/index.ts'
import type { Output } from './output.ts'
import type { CoreState } from './state.ts'

/** K1: the first commitment of a validator counts; another one is evidence. */
export function onPoolCommitment(
  state: CoreState,
  commitment: Verified<PoolCommitment>,
  outputs: Output[],
): void {
  const known = state.commitments.get(commitment.validator)
  state.heardOf.add(commitment.validator)
  if (commitment.validator === state.config.self) noteOwnCommitment(state, commitment)
  if (known === undefined) {
    state.commitments.set(commitment.validator, commitment)
  } else if (!equalBytes(known.bytes, commitment.bytes)) {
    const pair = [known, commitment].map((item) => ({ kind: 'pool-commitment' as const, commitment: item }))
    if (pair[0] && pair[1]) outputs.push({ kind: 'evidence', pair: [pair[0], pair[1]] })
  }
}

/** K3: when a pool commitment is made, at most once a height. */
export function considerCommitment(state: CoreState, outputs: Output[]): void {
  const { self, powers, thresholds } = state.config
  const { height } = state.context
  if (self === undefined || state.commitmentAskedFor >= height || state.finalization !== undefined) return
  const evenIfEmpty = state.emptyBlockDue || exceedsLying(thresholds, powerOf(powers, state.heardOf))
  if (!state.hasWork && !evenIfEmpty) return
  state.commitmentAskedFor = height
  state.commitmentIsTentative = !evenIfEmpty
  outputs.push({ kind: 'make-commitment', height, evenIfEmpty })
}

/** K3: a pool that emptied may have made nothing of what was asked because of it (it still held the last block's
 *  batches, say), so that must be asked again when there is a reason; or a height could wait for ever. */
export function onPool(state: CoreState, hasWork: boolean, outputs: Output[]): void {
  state.hasWork = hasWork
  if (!hasWork && state.commitmentIsTentative) {
    state.commitmentAskedFor = state.context.height - 1
    state.commitmentIsTentative = false
  }
  considerCommitment(state, outputs)
}

/** What is made already is not asked for again; it may be of the next height. */
export function noteOwnCommitment(state: CoreState, commitment: PoolCommitment): void {
  state.commitmentAskedFor = Math.max(state.commitmentAskedFor, commitment.height)
  state.commitmentIsTentative = false
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}
