// What is compared: each system is started afresh for its turn, with nothing of it left after.
import type { Target } from '../../src/bench/index.ts'

export type Form = 'single' | 'array'

export interface Contender {
  readonly name: string
  /** For people: release and settings. */
  readonly description: string
  /** A new network of it on free ports of this machine. */
  start(): Promise<RunningContender>
}

export interface RunningContender {
  readonly target: Target
  /** Ends its processes and deletes what they wrote. */
  stop(): Promise<void>
}

/** A contender, or the sentence that says why there is none. */
export type Found = { readonly contender: Contender } | { readonly absent: string }
