// The end of a run, after the network has healed: everything that was promised becomes final everywhere, and then the
// network comes to rest and stays idle. Lets time pass until then, and says what did not happen.

import type { Height } from '../types/index.ts'
import { busyLie } from './byzantine/index.ts'
import type { Checks } from './checks/index.ts'
import type { Violation } from './checks/judge.ts'
import type { FaultInjector } from './faults.ts'
import type { SimulatedNode } from './node.ts'
import type { Scenario } from './scenario.ts'
import type { Scheduler } from './scheduler.ts'

export interface SettlingOptions {
  readonly scenario: Scenario
  readonly scheduler: Scheduler
  readonly nodes: readonly SimulatedNode[]
  readonly faults: FaultInjector
  readonly checks: Checks
  readonly violate: (check: Violation['check'], text: string) => void
  /** From then on nothing more is to be shown. */
  readonly isViolated: () => boolean
}

/** After all is final the network comes to rest within so long, and must stay idle for so long. */
const calmingMs = 5_000
const idleMs = 20_000
/** Empty blocks of a network at rest; and for each block of messages that a liar had kept back: heights pass until all
 *  list what one of them was given. */
const emptyMax = 2
const emptyPerLateMax = 5

export class Settling {
  readonly #options: SettlingOptions

  constructor(options: SettlingOptions) {
    this.#options = options
  }

  /** From the time of healing on. */
  async run(): Promise<void> {
    const { scenario, isViolated } = this.#options
    await this.#settleUntil(scenario.healMs + scenario.settleMs)
    if (!isViolated()) await this.#stayIdle()
  }

  /** Until all is final, and no longer than until then: what is not by then is a violation. */
  async #settleUntil(untilMs: number): Promise<void> {
    const { scheduler, checks, isViolated } = this.#options
    await scheduler.runUntil(untilMs, () => isViolated() || this.#isSettled())
    const { height } = checks.agreement
    // A chain that moves on is never level: who is far away comes to where it is now, and by then it is further.
    if (this.#isMoving)
      await scheduler.runUntil(scheduler.nowMs + calmingMs, () => isViolated() || this.#isLevelAt(height))
    if (!isViolated()) checks.onSettled(this.#heights(), height)
  }

  /** An idle network sends no commitments and makes no blocks, whatever liars do without messages of their own. */
  async #stayIdle(): Promise<void> {
    const { scheduler, checks, violate, isViolated } = this.#options
    await scheduler.runUntil(scheduler.nowMs + calmingMs, isViolated)
    const { height } = checks.agreement
    await scheduler.runUntil(scheduler.nowMs + idleMs, isViolated)
    if (isViolated()) return
    const blocks = checks.agreement.blocks.slice(height)
    const emptyCount = blocks.filter(({ messageIds }) => messageIds.length === 0).length
    const mostEmpty = emptyMax + emptyPerLateMax * (blocks.length - emptyCount)
    if (emptyCount > mostEmpty && !this.#isMoving)
      violate('idle', `${emptyCount} empty blocks were made within ${idleMs} ms of idleness`)
    // A message that a liar kept back may have become final just now.
    await this.#settleUntil(scheduler.nowMs + calmingMs)
  }

  /** Whether blocks are made although no one submits anything. */
  get #isMoving(): boolean {
    const { settings, liars } = this.#options.scenario
    return settings.emptyBlockIntervalMs > 0 || liars.some((liar) => liar.lies.includes(busyLie))
  }

  #isSettled(): boolean {
    const { scenario, scheduler, checks } = this.#options
    const lastMs = scenario.submissions.at(-1)?.atMs ?? 0
    if (scheduler.nowMs < lastMs + 1_000 || checks.promises.open().length > 0) return false
    return this.#isMoving || this.#isLevelAt(checks.agreement.height)
  }

  #isLevelAt(height: Height): boolean {
    return this.#heights().every((node) => node.height !== undefined && node.height >= height)
  }

  #heights(): { node: number; height: number | undefined }[] {
    const { nodes, faults } = this.#options
    return nodes
      .filter((node) => !faults.isGone(node) && !node.isLiar)
      .map((node) => ({ node: node.number, height: node.replica?.head.state.height }))
  }
}
