// Where the time of a height goes, as one node sees it. Watches the core's steps from outside: what it notes is for
// people, and nothing is decided by it.
import type { CoreState, Input, Output } from '../../consensus/index.ts'
import { isQuorum, powerOf } from '../../quorum/index.ts'
import type { Height } from '../../types/index.ts'

/** `collect`: from the first pool commitment of the height to a quorum of them. `propose`: to the first proposal.
 *  `notarize`: to its notarization. `finalize`: to a quorum of finalize votes. `store`: to the block on disk. */
export const phases = ['collect', 'propose', 'notarize', 'finalize', 'store'] as const
export type Phase = (typeof phases)[number]

export interface PhaseTime {
  readonly phase: Phase
  readonly ms: number
}

export class HeightClock {
  #height: Height = -1
  /** When the phase that runs began; the first begins with a commitment. */
  #startedAt: number | undefined
  #phaseIndex = 0

  /** After a step; returns the phases that it ended, in order. A node that is told of several things at once (it was
   *  away) sees phases of no length, and none where it was told by block sync. */
  onStep(step: {
    readonly input: Input
    readonly outputs: readonly Output[]
    readonly core: CoreState
    readonly nowMs: number
  }): PhaseTime[] {
    const { input, core, nowMs } = step
    const { height } = core.context
    const ended: PhaseTime[] = []
    if (height !== this.#height) {
      if (this.#running === 'store' && height === this.#height + 1) this.#end(ended, nowMs)
      this.#height = height
      this.#phaseIndex = 0
      this.#startedAt = undefined
    }
    if (input.kind === 'timer') return ended
    if (this.#startedAt === undefined && core.commitments.size > 0) this.#startedAt = nowMs
    if (this.#startedAt === undefined) return ended
    while (this.#running !== 'store' && this.#hasEnded(this.#running, step.outputs, core))
      this.#end(ended, nowMs)
    return ended
  }

  get #running(): Phase {
    return phases[this.#phaseIndex] ?? 'store'
  }

  #end(ended: PhaseTime[], nowMs: number): void {
    ended.push({ phase: this.#running, ms: nowMs - (this.#startedAt ?? nowMs) })
    this.#phaseIndex += 1
    this.#startedAt = nowMs
  }

  #hasEnded(phase: Phase, outputs: readonly Output[], core: CoreState): boolean {
    const isFinal = outputs.some(({ kind }) => kind === 'finalise')
    if (isFinal) return true
    const views = [...core.views.values()]
    const isNotarized = views.some(({ notarization }) => notarization !== undefined)
    const isProposed = isNotarized || views.some(({ proposal }) => proposal !== undefined)
    switch (phase) {
      case 'collect': {
        const { powers, thresholds } = core.config
        return isProposed || isQuorum(thresholds, powerOf(powers, core.commitments.keys()))
      }
      case 'propose':
        return isProposed
      case 'notarize':
        return isNotarized
      case 'finalize':
      case 'store':
        return false
    }
  }
}
