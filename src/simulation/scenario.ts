// What a run is made of: plain data that a seed decides, so that it can be printed, cut down and run again.
import type { ReplicaSettings } from '../node/replica.ts'
import type { FaultModel, Message, ProtocolLimits } from '../types/index.ts'
import type { Distance } from './weather.ts'

/** Names of the ways of lying, one file of byzantine/ each. */
export type LieName = string

export type Fault =
  /** Milliseconds since the start of the run. */
  { readonly atMs: number } & (
    | {
        readonly kind: 'crash'
        readonly node: number
        /** Now, or around the next write but `skip`. */
        readonly moment: 'now' | 'before-write' | 'after-write'
        readonly skip: number
        readonly losesPower: boolean
        readonly forMs: number
      }
    /** Each group hears only itself. */
    | { readonly kind: 'partition'; readonly groups: readonly (readonly number[])[]; readonly forMs: number }
    | {
        readonly kind: 'one-way-cut'
        readonly from: readonly number[]
        readonly to: readonly number[]
        readonly forMs: number
      }
    | { readonly kind: 'loss'; readonly rate: number; readonly forMs: number }
    | { readonly kind: 'duplication'; readonly rate: number; readonly forMs: number }
    | { readonly kind: 'reordering'; readonly rate: number; readonly maxMs: number; readonly forMs: number }
    | { readonly kind: 'slow-node'; readonly node: number; readonly lagMs: number; readonly forMs: number }
    | { readonly kind: 'clock-jump'; readonly node: number; readonly byMs: number }
    | { readonly kind: 'disk-full'; readonly node: number; readonly forMs: number }
    /** The database notices a flipped byte; its operator deletes it and starts again with the record intact. */
    | { readonly kind: 'flipped-byte'; readonly node: number; readonly forMs: number }
    /** A byte of the signing record flips: the node must refuse to run or to sign. */
    | { readonly kind: 'flipped-record-byte'; readonly node: number; readonly forMs: number }
    /** The database of `agoMs` before is put back; with `withRecord` the signing record too. */
    | {
        readonly kind: 'stale-database'
        readonly node: number
        readonly agoMs: number
        readonly withRecord: boolean
        readonly forMs: number
      }
    /** The signing record of `agoMs` before is put back, the database stays: it must sign nothing. */
    | { readonly kind: 'stale-record'; readonly node: number; readonly agoMs: number; readonly forMs: number }
    /** Down from then on. */
    | { readonly kind: 'gone'; readonly node: number }
  )

export interface Submission {
  readonly atMs: number
  readonly node: number
  readonly messages: readonly Message[]
}

export interface Liar {
  readonly node: number
  readonly lies: readonly LieName[]
}

export interface Scenario {
  readonly seed: number
  readonly powers: readonly number[]
  readonly faultModel: FaultModel
  readonly limits: ProtocolLimits
  readonly settings: ReplicaSettings
  readonly hasRealCrypto: boolean
  readonly distance: Distance
  /** Wall time minus true time of each node at the start. */
  readonly clockOffsetsMs: readonly number[]
  /** Nodes that are no validators. */
  readonly observers: number
  readonly liars: readonly Liar[]
  /** In order of time; all end before `healMs` but those that stay for good. */
  readonly faults: readonly Fault[]
  readonly submissions: readonly Submission[]
  /** From then on the network is timely and who is not gone is up. */
  readonly healMs: number
  /** After healing all has to be final within so many milliseconds. */
  readonly settleMs: number
}

export type FaultKind = Fault['kind']
