// Invariant 6, its bound: once the network is timely, a height needs few views. Counted for heights that begin after
// the healing, with a margin for what was under way then.
import type { CheckContext, FinalEvent } from './judge.ts'

/** Views beyond one for each validator that may be faulty: timers first have to outgrow the network. */
const spareViews = 8

export class ViewsCheck {
  readonly #context: CheckContext
  readonly #viewsMax: number
  #healedHeights = 0

  constructor(context: CheckContext) {
    this.#context = context
    this.#viewsMax = Math.ceil(context.genesis.validators.length / 2) + spareViews
  }

  onBlock({ height, final }: FinalEvent, { isHealed }: { isHealed: boolean }): void {
    if (!isHealed) return
    this.#healedHeights += 1
    const { view } = final.finalization
    if (this.#healedHeights > 1 && view > this.#viewsMax)
      this.#context.report('liveness', `height ${height}, begun in a timely network, took ${view + 1} views`)
  }
}
