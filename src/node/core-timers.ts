// The timers of the height under way (protocol V9): how long each takes, and that none of them outlives its height. The
// core says which to arm and what follows when one fires; a first view's time is view-pace.ts.
import type { Timer } from '../consensus/index.ts'
import type { Clock } from './ports.ts'
import { ViewPace } from './view-pace.ts'

/** Times in milliseconds; they come from the node's configuration. */
export interface Pace {
  /** Of a first view at most. */
  readonly viewTimeoutMs: number
  /** Of a first view at least, where the views measured take less. */
  readonly viewTimeoutMinMs: number
  readonly viewTimeoutCapMs: number
  readonly finalizeTimeoutMs: number
  readonly proposalGraceMs: number
  /** 0: an idle chain makes no blocks. */
  readonly emptyBlockIntervalMs: number
}

export interface CoreTimersOptions {
  readonly pace: Pace
  readonly clock: Clock
  readonly onTimer: (timer: Timer) => void
}

export class CoreTimers {
  readonly #options: CoreTimersOptions
  readonly #viewPace: ViewPace
  readonly #cancels = new Set<() => void>()

  constructor(options: CoreTimersOptions) {
    this.#options = options
    const { viewTimeoutMs, viewTimeoutMinMs } = options.pace
    this.#viewPace = new ViewPace({ minMs: viewTimeoutMinMs, maxMs: viewTimeoutMs })
  }

  /** How long a first view has now, in milliseconds. */
  get firstViewMs(): number {
    return this.#viewPace.timeoutMs
  }

  /** V9: timers grow exponentially with the view, to a cap. */
  arm(timer: Timer, growth: number): void {
    const { pace, clock, onTimer } = this.#options
    const nowMs = clock.nowMs()
    if (timer.kind === 'finalize') this.#viewPace.onNotarized({ ...timer, nowMs })
    const firstViewMs =
      timer.kind === 'view' ? this.#viewPace.onViewTimer({ ...timer, nowMs }) : this.firstViewMs
    const delayMs = {
      view: Math.min(pace.viewTimeoutCapMs, firstViewMs * 2 ** growth),
      finalize: Math.min(pace.viewTimeoutCapMs, pace.finalizeTimeoutMs * 2 ** growth),
      grace: pace.proposalGraceMs,
      'empty-block': pace.emptyBlockIntervalMs,
    }[timer.kind]
    if (timer.kind === 'empty-block' && delayMs === 0) return
    const cancel = clock.schedule(delayMs, () => {
      this.#cancels.delete(cancel)
      onTimer(timer)
    })
    this.#cancels.add(cancel)
  }

  cancelAll(): void {
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
  }
}
