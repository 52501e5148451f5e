// What a liar may do that a replica would not. A liar runs the real replica, signs without a record, and bends what
// goes in and out of it; each way of lying is one file of byzantine/, and a liar may have several.
import type { Frame, PeerStatus } from '../codec/index.ts'
import type { Replica } from '../node/replica.ts'
import type { Genesis, SignedKind, TimeMs, ValidatorIndex } from '../types/index.ts'
import type { Random } from './random.ts'
import type { RequestKind } from './wire.ts'

/** What a liar has at hand. */
export interface LiarTools {
  readonly self: ValidatorIndex
  /** 1 for the second of two twins, 0 otherwise. */
  readonly side: number
  readonly genesis: Genesis
  /** Milliseconds since the start of the run. */
  readonly elapsedMs: () => number
  /** When the network heals. */
  readonly healMs: number
  readonly random: Random
  /** Other nodes that may be sent something, by number. */
  readonly others: readonly number[]
  /** Its own replica; undefined while it is down. */
  replica(): Replica | undefined
  nowMs(): TimeMs
  /** With the voting key, whatever was signed before. */
  sign(kind: SignedKind, bytes: Uint8Array): Uint8Array
  /** Sends bytes, a frame or not, to one node as gossip. */
  send(to: number, bytes: Uint8Array): void
  sendFrame(to: number, frame: Frame): void
  after(delayMs: number, action: () => void): void
}

/** All members are optional: what is absent is done as an honest node does it. */
export interface Behaviour {
  /** What goes to one node in place of a frame of the replica. */
  onSend?(frame: Frame, to: number): readonly Frame[]
  /** False where its own replica shall not see a verified frame. */
  onReceive?(frame: Frame, from: number): boolean
  /** False where a request of its replica, and what it pushes with it, goes to nobody. */
  asks?(kind: RequestKind): boolean
  answerStatus?(status: PeerStatus): PeerStatus
  /** What answers in place of these frames; undefined: nothing, ever. */
  answerView?(frames: readonly Uint8Array[]): readonly Uint8Array[] | undefined
  answerBatches?(frames: readonly Uint8Array[]): readonly Uint8Array[] | undefined
  /** Encoded final blocks. */
  answerBlocks?(blocks: readonly Uint8Array[]): readonly Uint8Array[] | undefined
  /** Added to the time that an answer takes. */
  answerDelayMs?(): number
  /** Called every 100 ms. */
  onTick?(): void
}

export type MakeBehaviour = (tools: LiarTools) => Behaviour
