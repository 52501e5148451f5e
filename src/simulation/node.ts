// One simulated node: the machine that outlives its processes, with disk, record and clock, and the process that runs on it
// now. It starts, crashes anywhere, and starts again from what its disk kept.
import { type Frame, heightOf } from '../codec/index.ts'
import { signingInput } from '../crypto/native/index.ts'
import type { Replica } from '../node/replica.ts'
import type { Submission } from '../node/submission.ts'
import { StorageError } from '../storage/index.ts'
import type { Message, PeerId, SignedKind, ValidatorIndex } from '../types/index.ts'
import { Behaviours } from './behaviours.ts'
import { SimulatedDisk } from './disk.ts'
import { type Common, type Machine, type ProcessEvents, SimulatedProcess } from './process.ts'
import type { Random } from './random.ts'
import { SimulatedRecordFile } from './record-disk.ts'
import type { Identity } from './schemes.ts'
import { answerTo, type RequestKind } from './wire.ts'

/** What a node tells the run it is part of. */
export interface NodeEvents extends ProcessEvents {
  readonly onFatal: (error: unknown) => void
  readonly onCrashed: () => void
}

export interface NodeOptions {
  readonly number: number
  readonly validator: ValidatorIndex | undefined
  readonly peerId: PeerId
  readonly identity: Identity
  readonly common: Common
  readonly random: Random
  /** Of what its disk loses of the log of pages. */
  readonly pageRandom: Random
  /** Of whether and when the trie answers late. */
  readonly trieRandom: Random
  readonly events: NodeEvents
}

/** Heights above the final one whose frames gossip takes, as network/admission.ts has it. */
const heightsAhead = 2

export class SimulatedNode implements Machine {
  readonly number: number
  readonly validator: ValidatorIndex | undefined
  readonly peerId: PeerId
  readonly disk: SimulatedDisk
  readonly record: SimulatedRecordFile
  /** Ways of lying; none: it is honest. */
  behaviours = new Behaviours()
  /** Wall time minus true time. */
  clockOffsetMs = 0
  /** Added to all it waits for. */
  lagMs = 0
  /** A crash at one of the next writes. */
  crashAtWrite: { moment: 'before' | 'after'; skip: number; losesPower: boolean } | undefined
  /** It refuses to sign: its record is older than its database. */
  isMute = false
  readonly #options: NodeOptions
  #process: SimulatedProcess | undefined

  constructor(options: NodeOptions) {
    const { number, validator, peerId, common, random, pageRandom } = options
    this.number = number
    this.validator = validator
    this.peerId = peerId
    this.#options = options
    const disk = {
      scheduler: common.scheduler,
      random,
      pageRandom,
      lagMs: () => this.lagMs,
      onWrite: (moment: 'before' | 'after') => this.#onWrite(moment),
    }
    this.disk = new SimulatedDisk(disk)
    this.record = new SimulatedRecordFile(disk)
  }

  get isUp(): boolean {
    return this.#process !== undefined
  }

  get isLiar(): boolean {
    return !this.behaviours.areNone
  }

  /** Undefined while the node is down or still starts. */
  get replica(): Replica | undefined {
    return this.#process?.replica
  }

  nowMs(): number {
    const { scheduler, genesis } = this.#options.common
    return Math.max(0, Math.floor(genesis.time + scheduler.nowMs + this.clockOffsetMs))
  }

  start(): void {
    if (this.#process !== undefined) return
    this.#process = new SimulatedProcess({
      ...this.#options,
      machine: this,
      sign: (kind, bytes) => this.signAnything(kind, bytes),
      onRecordRead: (isMute) => {
        this.isMute = isMute
      },
      onFailed: (error) => this.#fail(error),
    })
    this.#process.start()
  }

  /** Ends the process at once, wherever it is. */
  crash({ losesPower }: { losesPower: boolean }): void {
    const process = this.#process
    if (process === undefined) return
    process.kill()
    this.#process = undefined
    this.crashAtWrite = undefined
    this.disk.crash({ losesPower })
    this.record.crash()
    this.#options.events.onCrashed()
  }

  /** Frames of gossip, as bytes from another node. */
  receive(bytes: Uint8Array, from: SimulatedNode): void {
    const process = this.#process
    const replica = process?.replica
    if (process === undefined || replica === undefined) return
    const { events } = this.#options
    const verified = this.#options.common.verifier.verify(bytes)
    if (!verified.ok) {
      events.onBadFrame(from.peerId, `${verified.rejected}: ${verified.detail}`)
      return
    }
    const frame = verified.value
    events.onSeen(frame)
    const height = heightOf(frame)
    const finalHeight = replica.head.state.height
    if (height !== undefined && height > finalHeight + heightsAhead) replica.onAhead()
    else if (height === undefined || height > finalHeight || frame.kind === 'evidence')
      this.#take(replica, [frame], from)
  }

  /** The answer to a request; undefined: none comes. */
  async answer(kind: RequestKind, body: Uint8Array, from: SimulatedNode): Promise<Uint8Array | undefined> {
    const process = this.#process
    const replica = process?.replica
    if (process === undefined || replica === undefined) return undefined
    const { common, events } = this.#options
    const answer = await answerTo(kind, body, {
      ...this.behaviours.answersOf(replica.answers),
      verifier: common.verifier,
      take: (frames) => {
        for (const frame of frames) events.onSeen(frame)
        this.#take(replica, frames, from)
      },
      onBadFrame: (reason) => events.onBadFrame(from.peerId, reason),
    })
    return process.isAlive ? answer : undefined
  }

  /** @throws Error while the node is down. */
  async submit(messages: readonly Message[]): Promise<Submission> {
    const replica = this.replica
    if (replica === undefined) throw new Error('the node is down')
    return replica.submit(messages)
  }

  /** Signs with the voting key whatever it is. For liars. */
  signAnything(kind: SignedKind, bytes: Uint8Array): Uint8Array {
    const { common, identity } = this.#options
    return common.schemes
      .secretsOf(identity, 'voting')
      .sign(signingInput({ kind, genesisHash: common.genesis.hash, bytes }))
  }

  #take(replica: Replica, frames: readonly Frame[], from: SimulatedNode): void {
    const peer = { peerId: from.peerId, validator: from.validator ?? null }
    for (const frame of frames) {
      if (this.behaviours.takes(frame, from.number)) replica.onFrame(frame, peer)
    }
  }

  #onWrite(moment: 'before' | 'after'): boolean {
    const armed = this.crashAtWrite
    if (armed === undefined || armed.moment !== moment) return false
    if (armed.skip > 0) {
      armed.skip -= 1
      return false
    }
    this.crash({ losesPower: armed.losesPower })
    return true
  }

  /** The process stops: its disk failed, or something that must not happen did. */
  #fail(error: unknown): void {
    this.#options.events.onLog('fatal', error instanceof Error ? error.message : String(error), {})
    const isDisk =
      error instanceof StorageError &&
      (this.disk.isFull || this.record.isFull || this.disk.isDamaged || error.code === 'record-corrupted')
    this.crash({ losesPower: false })
    if (!isDisk) this.#options.events.onFatal(error)
  }
}
