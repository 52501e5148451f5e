// What a hostile run needs of the place where its nodes run. Two places offer it: network namespaces of this machine
// (namespaces.ts), and containers (compose.ts).
import type { Genesis } from '../../src/types/index.ts'
import type { NodeHttp } from '../support/node-http.ts'
import type { CommandEnd } from './command.ts'
import type { FaultKind, Link, Manifest } from './manifest.ts'

export interface LinkRule extends Link {
  /** Of the packets; 100 cuts the link. */
  readonly lossPercent: number
}

export interface GroundNode extends NodeHttp {
  /** Its home, as a folder of this machine. */
  readonly home: string
  /** Of its process, as this process sees it; undefined while it does not run. */
  readonly pid: number | undefined
  readonly isRunning: boolean
  /** How its last run ended: exit code or signal. Undefined while it runs. */
  readonly ending: number | string | undefined
  /** Resolves when it serves. @throws with the end of its log where it ends instead. */
  start(): Promise<void>
  /** As an operator ends it. @throws unless it ends by itself, without an error. */
  stop(): Promise<void>
  kill(): Promise<void>
  pause(): Promise<void>
  resume(): Promise<void>
  /** Its cable, HTTP included. */
  setPlugged(isPlugged: boolean): Promise<void>
  /** Undefined: as fast as it goes. */
  setRate(kbitPerSecond: number | undefined): Promise<void>
  /** Until nothing can be written to it. Only of the node with the small disk. */
  fillDisk(): Promise<void>
  freeDisk(): Promise<void>
  /** How far its clock is from this machine's. Only of the node with a clock of its own. */
  setClock(offsetMs: number): Promise<void>
  /** A `diseq` command on its home, while it does not run. */
  diseq(command: string): Promise<CommandEnd>
  /** The end of its log, of all runs. */
  tail(lines: number): string
  /** What it said since it was last started. */
  logOfLastRun(): string
}

export interface Ground {
  readonly genesis: Genesis
  /** Of the validators, in the order of genesis. */
  readonly nodes: readonly GroundNode[]
  /** Where a stranger on this machine finds them. */
  readonly p2pAddresses: readonly string[]
  /** Faults that cannot be made here, and why. */
  readonly missing: ReadonlyMap<FaultKind, string>
  /** What is cut or lossy from now on, all else being whole. While anything is, strangers reach no node as peers: what
   *  they hear on one side they would tell on the other. */
  setLinks(rules: readonly LinkRule[]): Promise<void>
  /** Packets that rules have dropped so far. */
  droppedPackets(): Promise<number>
  /** Ends all that was started here and removes all that was made. */
  close(): Promise<void>
}

/** Makes the place and homes for a manifest; nothing runs yet.
 *  @param folder that is empty, for homes and logs. */
export type MakeGround = (options: {
  manifest: Manifest
  folder: string
  /** Planted into every node (plant.ts); not in containers, which run what was built. */
  bug?: string | undefined
}) => Promise<Ground>
