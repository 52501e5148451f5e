// What an operator is told while a node runs, at level info or above: that it reaches its validators or lost them, that
// it is ready or why not, that a height does not get on and who is missed, and once a minute how much became final. It
// looks on, once a second; it changes nothing, and says nothing while nothing changes.
import type { Height, ValidatorIndex, View } from '../types/index.ts'
import type { Clock, Log } from './ports.ts'

/** The node as it is now. */
export interface NodeGlance {
  readonly readiness: { readonly isReady: true } | { readonly isReady: false; readonly reason: string }
  /** Other validators that it is connected to. */
  readonly connected: readonly ValidatorIndex[]
  readonly finalHeight: Height
  /** Of the height under way. */
  readonly view: View
  /** Somebody has something for the height under way. */
  readonly isUnderWay: boolean
  /** Validators of whom nothing of the height under way was heard. */
  readonly unheard: readonly ValidatorIndex[]
}

export interface OperatorLogOptions {
  readonly log: Log
  readonly clock: Clock
  readonly glance: () => NodeGlance
  /** Of the validators, in the order of genesis. */
  readonly names: readonly string[]
}

const glanceMs = 1_000
/** Nodes start one after another, and a block that is being made puts a node behind for a moment: what lasts no longer
 *  than this is not told. */
const unreadyAfterGlances = 10
/** Well above the first views' timers with their growth. */
const stuckAfterMs = 15_000
const summaryMs = 60_000

export class OperatorLog {
  readonly #options: OperatorLogOptions
  #cancel: (() => void) | undefined
  #isReady: boolean | undefined
  #differsFor = 0
  #connected: ReadonlySet<ValidatorIndex> = new Set()
  #height: Height = -1
  #sinceMs = 0
  #warnAfterMs = stuckAfterMs
  #summaryAtMs = 0
  #blocks = 0
  #messages = 0
  #failedViews = 0

  constructor(options: OperatorLogOptions) {
    this.#options = options
  }

  start(): void {
    this.#summaryAtMs = this.#options.clock.nowMs() + summaryMs
    this.#look()
  }

  stop(): void {
    this.#cancel?.()
    this.#tellSummary()
  }

  /** A block became final. @param failedViews views that ended without it. */
  onFinal({ messageCount, failedViews }: { messageCount: number; failedViews: number }): void {
    this.#blocks += 1
    this.#messages += messageCount
    this.#failedViews += failedViews
  }

  #look(): void {
    const { clock, glance } = this.#options
    const nowMs = clock.nowMs()
    const now = glance()
    this.#tellPeers(now)
    this.#tellReadiness(now)
    this.#tellProgress(now, nowMs)
    // Also where the clock was set back.
    if (nowMs >= this.#summaryAtMs || nowMs < this.#summaryAtMs - summaryMs) {
      this.#summaryAtMs = nowMs + summaryMs
      this.#tellSummary()
    }
    this.#cancel = clock.schedule(glanceMs, () => this.#look())
  }

  #tellPeers({ connected }: NodeGlance): void {
    const { log } = this.#options
    const before = this.#connected
    this.#connected = new Set(connected)
    for (const validator of connected) {
      if (!before.has(validator)) log.info({ validator: this.#name(validator) }, 'connected to a validator')
    }
    for (const validator of before) {
      if (!this.#connected.has(validator)) log.info({ validator: this.#name(validator) }, 'lost a validator')
    }
  }

  #tellReadiness({ readiness, finalHeight }: NodeGlance): void {
    const { log } = this.#options
    const { isReady } = readiness
    this.#differsFor = isReady === this.#isReady ? 0 : this.#differsFor + 1
    if (this.#differsFor === 0 || (!isReady && this.#differsFor < unreadyAfterGlances)) return
    this.#isReady = isReady
    this.#differsFor = 0
    if (readiness.isReady) log.info({ height: finalHeight }, 'ready')
    else log.warn({ height: finalHeight }, `not ready: ${readiness.reason}`)
  }

  #tellProgress({ finalHeight, view, isUnderWay, unheard }: NodeGlance, nowMs: number): void {
    const { log } = this.#options
    const wasStuck = this.#warnAfterMs > stuckAfterMs
    const hasMoved = finalHeight !== this.#height
    if (hasMoved && wasStuck) log.info({ height: finalHeight }, 'blocks are made again')
    if (hasMoved || !isUnderWay || nowMs < this.#sinceMs) {
      this.#height = finalHeight
      this.#sinceMs = nowMs
      this.#warnAfterMs = stuckAfterMs
      return
    }
    const waitedMs = nowMs - this.#sinceMs
    if (waitedMs < this.#warnAfterMs) return
    this.#warnAfterMs = 4 * this.#warnAfterMs
    const seconds = Math.round(waitedMs / 1_000)
    const about = {
      height: finalHeight + 1,
      view,
      seconds,
      unheard: unheard.map((index) => this.#name(index)),
    }
    log.warn(about, 'the height under way does not get on')
  }

  #tellSummary(): void {
    const { log } = this.#options
    if (this.#blocks === 0) return
    log.info(
      {
        height: this.#options.glance().finalHeight,
        blocks: this.#blocks,
        messages: this.#messages,
        failedViews: this.#failedViews,
      },
      'blocks became final',
    )
    this.#blocks = 0
    this.#messages = 0
    this.#failedViews = 0
  }

  #name(validator: ValidatorIndex): string {
    const name = this.#options.names[validator] ?? ''
    return name === '' ? String(validator) : `${validator} ${name}`
  }
}
