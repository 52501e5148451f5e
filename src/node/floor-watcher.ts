// After an import of a signing record nobody here knows what the key signed last, so nothing is signed until it is clear
// that all of it lies below: until others of a quorum's power told which height they work on. From three above the
// highest of them on it is safe (protocol §3): what the key signed last was at most two above what a quorum worked on.
import { isQuorum, powerOf, type Thresholds } from '../quorum/index.ts'
import type { Height, ValidatorIndex } from '../types/index.ts'
import type { Log } from './ports.ts'

/** Above the highest height that others work on. */
export const floorAbove = 3

export interface FloorWatcherOptions {
  readonly powers: readonly number[]
  readonly thresholds: Thresholds
  readonly self: ValidatorIndex
  /** The height that this node works on. */
  readonly workingHeight: () => Height
  /** Signs from this height on; durable when it resolves. */
  readonly setSignFrom: (height: Height) => Promise<void>
  readonly log: Log
  readonly onFatal: (error: unknown) => void
}

export class FloorWatcher {
  readonly #options: FloorWatcherOptions
  /** The highest height that each other validator said it works on. */
  readonly #heights = new Map<ValidatorIndex, Height>()
  #isSettled = false

  constructor(options: FloorWatcherOptions) {
    this.#options = options
  }

  get isSettled(): boolean {
    return this.#isSettled
  }

  /** What a validator said since this process began. */
  onStatus(validator: ValidatorIndex, height: Height): void {
    if (this.#isSettled || validator === this.#options.self) return
    this.#heights.set(validator, Math.max(height, this.#heights.get(validator) ?? 0))
    this.check()
  }

  /** Also to be called when this node has come to another height: what is far above it does not count yet, or a liar's
   *  invented height would keep the key from signing for ever. */
  check(): void {
    const { powers, thresholds, workingHeight, log, setSignFrom, onFatal } = this.#options
    if (this.#isSettled) return
    const own = workingHeight()
    const reached = [...this.#heights].filter(([, height]) => height <= own + 1)
    const power = powerOf(
      powers,
      reached.map(([validator]) => validator),
    )
    if (!isQuorum(thresholds, power)) return
    this.#isSettled = true
    const height = Math.max(own, ...reached.map(([, reported]) => reported)) + floorAbove
    log.info({ height, power }, 'others told how far they are: signs from this height on')
    setSignFrom(height).catch(onFatal)
  }
}
