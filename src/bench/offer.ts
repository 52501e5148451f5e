// Offers messages: at a rate, each due at its moment whether or not the system keeps up (so that a stall counts for
// everything that was due in it), or as fast as they are accepted. Requests under way are bounded in both.
import type { Tally } from './tally.ts'
import type { SubmitResult, Target } from './target.ts'
import type { Workload } from './workload.ts'

export interface OfferOptions {
  readonly target: Target
  readonly workload: Workload
  readonly tally: Tally
  /** Messages a second; `max`: as fast as they are accepted. */
  readonly rate: number | 'max'
  /** Messages of one request, at most. */
  readonly groupSize: number
  /** Requests under way, over all entrances. */
  readonly inFlight: number
  /** With `max`: messages accepted and not final; more wait. */
  readonly pendingMax: number
  readonly nowMs: () => number
  readonly onError: (error: unknown) => void
}

/** How often what is due is looked at. */
const tickMs = 1
/** After an entrance failed. */
const failurePauseMs = 200

export class Offer {
  readonly #options: OfferOptions
  #timer: NodeJS.Timeout | undefined
  #underWay = 0
  #entrance = 0
  #startedMs = 0
  #dueCount = 0
  #isStopped = false
  #pausedUntilMs = 0

  constructor(options: OfferOptions) {
    this.#options = options
  }

  start(): void {
    this.#startedMs = this.#options.nowMs()
    this.#timer = setInterval(() => this.#tick(), tickMs)
  }

  /** No new request; resolves when those under way are answered. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearInterval(this.#timer)
    while (this.#underWay > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  #tick(): void {
    const { inFlight, nowMs } = this.#options
    while (!this.#isStopped && this.#underWay < inFlight && nowMs() >= this.#pausedUntilMs) {
      const group = this.#takeGroup()
      if (group.length === 0) return
      void this.#send(group)
    }
  }

  #takeGroup(): { number: number; data: Uint8Array }[] {
    const { rate, groupSize, workload, tally, pendingMax, nowMs } = this.#options
    const now = nowMs()
    const isMax = rate === 'max'
    const due = isMax
      ? pendingMax - (tally.count - tally.finalCount - tally.refusedCount)
      : Math.floor(((now - this.#startedMs) * rate) / 1000) - this.#dueCount
    // As fast as possible means full requests.
    if (isMax && due < groupSize) return []
    const group: { number: number; data: Uint8Array }[] = []
    while (group.length < Math.min(due, groupSize)) {
      const dueMs = isMax ? now : this.#startedMs + (1000 * (this.#dueCount + 1)) / rate
      this.#dueCount += 1
      group.push({ number: tally.sent(dueMs), data: workload.next() })
    }
    return group
  }

  async #send(group: readonly { number: number; data: Uint8Array }[]): Promise<void> {
    const { target, tally, onError, rate, nowMs } = this.#options
    const entrance = this.#entrance
    this.#entrance = (entrance + 1) % target.entranceCount
    this.#underWay += 1
    try {
      const result = await target.submit(
        entrance,
        group.map(({ data }) => data),
      )
      for (const [place, { number }] of group.entries()) tally.answered(number, outcomeOf(result, place))
      // At a fixed rate what is due is offered all the same: overload is then what is measured.
      if (result.kind !== 'accepted' && rate === 'max') this.#pausedUntilMs = nowMs() + result.retryAfterMs
    } catch (error) {
      // Neither accepted nor refused: not counted as missing.
      onError(error)
      this.#pausedUntilMs = nowMs() + failurePauseMs
    } finally {
      this.#underWay -= 1
      if (rate === 'max') this.#tick()
    }
  }
}

function outcomeOf(result: SubmitResult, place: number): 'accepted' | 'refused' {
  if (result.kind === 'partly') return result.refused.has(place) ? 'refused' : 'accepted'
  return result.kind
}
