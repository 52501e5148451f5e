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
  /** Absent where a new member does not fetch a chain. */
  readonly syncing?: Syncing
  /** Ends its processes and deletes what they wrote. */
  stop(): Promise<void>
}

export interface Syncing {
  /** What its nodes have final. */
  chain(): Promise<{ readonly height: number; readonly messages: number }>
  /** Starts a node that has nothing beside the others; it ends with them. */
  join(): Promise<JoiningNode>
}

export interface JoiningNode {
  /** Of `performance.now()`, when its process was started. */
  readonly startedMs: number
  readonly pid: number
  /** Of its chain. Rejects while it does not answer. */
  height(): Promise<number>
}

/** A contender, or the sentence that says why there is none. */
export type Found = { readonly contender: Contender } | { readonly absent: string }
