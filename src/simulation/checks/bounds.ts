// Invariant 8, as far as it can be seen from outside: what a node keeps of the height under way stays bounded.
import type { Replica } from '../../node/replica.ts'
import type { CheckContext } from './judge.ts'

/** As consensus/state.ts has them; written here again, so that a bound that grows there is noticed. */
const viewsAhead = 8
const viewsBehind = 64
const nextHeightInputsPerValidator = 32

export class BoundsCheck {
  readonly #context: CheckContext
  #checkedCount = 0

  constructor(context: CheckContext) {
    this.#context = context
  }

  get checkedCount(): number {
    return this.#checkedCount
  }

  onLook(node: number, replica: Replica, limits: { poolMaxBatches: number; poolMaxBytes: number }): void {
    const { core, mempool } = replica
    const validators = this.#context.genesis.validators.length
    this.#checkedCount += 1
    const withTallies = [...core.views.values()].filter(
      ({ notarizes, nullifies, finalizes }) => notarizes.size + nullifies.size + finalizes.size > 0,
    )
    this.#demand(node, 'views with votes', withTallies.length, viewsAhead + viewsBehind + 2)
    this.#demand(node, 'blocks', core.blocks.size, 2 * (viewsAhead + viewsBehind) + 4)
    this.#demand(node, 'commitments', core.commitments.size, validators)
    for (const kept of core.next.values())
      this.#demand(node, 'inputs of the next height', kept.length, nextHeightInputsPerValidator)
    this.#demand(node, 'senders of the next height', core.next.size, validators + 1)
    this.#demand(node, 'batches of the pool', mempool.held().size, 4 * limits.poolMaxBatches)
  }

  #demand(node: number, what: string, count: number, max: number): void {
    if (count > max)
      this.#context.report('bounds', `node ${node} keeps ${count} ${what}, at most ${max} are allowed`)
  }
}
