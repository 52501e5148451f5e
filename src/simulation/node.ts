// One simulated node: the real replica over a simulated disk, clock and wire. It starts, crashes anywhere, and starts
// again from what its disk kept. A crash leaves the old process hanging in the air: nothing it waited for ever comes.
import type { Frame } from '../codec/index.ts'
import { signingInput } from '../crypto/native/index.ts'
import type { FinalEvent } from '../node/chain-head.ts'
import type { ConnectedPeer, Keys, Log } from '../node/ports.ts'
import { Replica, type ReplicaSettings } from '../node/replica.ts'
import { Signing } from '../node/signing.ts'
import type { Submission } from '../node/submission.ts'
import { ChainStore, checkAgainstDatabase, SigningRecord, StorageError } from '../storage/index.ts'
import type { Genesis, Message, PeerId, SignedKind, ValidatorIndex } from '../types/index.ts'
import type { Behaviour } from './behaviour.ts'
import { SimulatedDisk } from './disk.ts'
import type { Random } from './random.ts'
import { SimulatedRecordFile } from './record-disk.ts'
import type { Scheduler } from './scheduler.ts'
import type { Identity, SimulatedSchemes } from './schemes.ts'
import type { SharedVerifier } from './verifier.ts'
import { answerTo, type CarriedRequest, type RequestKind, Wire } from './wire.ts'

/** What is the same for all nodes of a run. */
export interface Common {
  readonly genesis: Genesis
  readonly verifier: SharedVerifier
  readonly settings: ReplicaSettings
  readonly schemes: SimulatedSchemes
  readonly scheduler: Scheduler
}

/** What a node tells the run it is part of. */
export interface NodeEvents {
  /** A frame leaves for one other node, or all (`undefined`). */
  readonly onBroadcast: (frame: Frame) => void
  readonly peers: () => readonly ConnectedPeer[]
  readonly carry: (request: CarriedRequest) => void
  readonly onSeen: (frame: Frame) => void
  readonly onBadFrame: (from: PeerId, reason: string) => void
  readonly onReport: (peer: PeerId, reason: string) => void
  /** The height up to which the run knows the chain. */
  readonly toldHeight: () => number
  readonly onFinal: (event: FinalEvent) => void
  readonly onStarted: () => void
  readonly onFatal: (error: unknown) => void
  readonly onCrashed: () => void
  readonly onLog: (level: string, text: string, fields: object) => void
}

export interface NodeOptions {
  readonly number: number
  readonly validator: ValidatorIndex | undefined
  readonly peerId: PeerId
  readonly identity: Identity
  readonly common: Common
  readonly random: Random
  readonly events: NodeEvents
}

interface Process {
  isAlive: boolean
  replica: Replica | undefined
}

/** Heights above the final one whose frames gossip takes, as network/admission.ts has it. */
const heightsAhead = 2
/** So small that runs of a few dozen blocks have checkpoints begun, cut off, made whole and gone on from, and pages
 *  that were let go. */
const trieSettings = {
  cachedBytesMax: 30_000,
  rule: { dirtyBytesMax: 20_000, leavesMax: 40, blocksMax: 6, pieceBytes: 3_000 },
}

export class SimulatedNode {
  readonly number: number
  readonly validator: ValidatorIndex | undefined
  readonly peerId: PeerId
  readonly disk: SimulatedDisk
  readonly record: SimulatedRecordFile
  /** Ways of lying; none: it is honest. */
  behaviours: readonly Behaviour[] = []
  /** Wall time minus true time. */
  clockOffsetMs = 0
  /** Added to all it waits for. */
  lagMs = 0
  /** A crash at one of the next writes. */
  crashAtWrite: { moment: 'before' | 'after'; skip: number; losesPower: boolean } | undefined
  /** It refuses to sign: its record is older than its database. */
  isMute = false
  readonly #options: NodeOptions
  #process: Process | undefined

  constructor(options: NodeOptions) {
    const { number, validator, peerId, common, random } = options
    this.number = number
    this.validator = validator
    this.peerId = peerId
    this.#options = options
    const disk = {
      scheduler: common.scheduler,
      random,
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
    return this.behaviours.length > 0
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
    const process: Process = { isAlive: true, replica: undefined }
    this.#process = process
    this.#run(process).catch((error: unknown) => this.#fail(process, error))
  }

  /** Ends the process at once, wherever it is. */
  crash({ losesPower }: { losesPower: boolean }): void {
    const process = this.#process
    if (process === undefined) return
    process.isAlive = false
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
    const { behaviours } = this
    const { events } = this.#options
    const bend = <T>(value: T, by: (behaviour: Behaviour, value: T) => T | undefined): T | undefined => {
      let bent: T | undefined = value
      for (const behaviour of behaviours) if (bent !== undefined) bent = by(behaviour, bent)
      return bent
    }
    const answer = await answerTo(kind, body, {
      verifier: this.#options.common.verifier,
      take: (frames) => {
        for (const frame of frames) events.onSeen(frame)
        this.#take(replica, frames, from)
      },
      onBadFrame: (reason) => events.onBadFrame(from.peerId, reason),
      status: () =>
        bend(replica.answers.status(), (behaviour, status) => behaviour.answerStatus?.(status) ?? status) ??
        replica.answers.status(),
      view: (request) =>
        bend<readonly Uint8Array[]>(replica.answers.view(request), (behaviour, frames) =>
          behaviour.answerView === undefined ? frames : behaviour.answerView(frames),
        ),
      batches: async (request) =>
        bend<readonly Uint8Array[]>(await replica.answers.batches(request), (behaviour, frames) =>
          behaviour.answerBatches === undefined ? frames : behaviour.answerBatches(frames),
        ),
      blocks: async (request) => {
        const blocks: Uint8Array[] = []
        for await (const block of replica.answers.blocks(request)) blocks.push(block)
        return bend<readonly Uint8Array[]>(blocks, (behaviour, sent) =>
          behaviour.answerBlocks === undefined ? sent : behaviour.answerBlocks(sent),
        )
      },
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

  async #run(process: Process): Promise<void> {
    const { common, events } = this.#options
    const { genesis, settings, schemes, verifier } = common
    const log = this.#log(process)
    const store = await ChainStore.open({ store: this.disk.open(), genesis })
    const signing = await this.#openSigning(store, log)
    const replica = await Replica.open({
      genesis,
      settings,
      store,
      trieSettings,
      keys: this.#keys(),
      signing,
      transport: this.#wire(process),
      verifier,
      schemes,
      clock: {
        nowMs: () => this.nowMs(),
        schedule: (delayMs, action) => this.#after(process, delayMs, action),
      },
      log,
      onFatal: (error) => this.#fail(process, error),
    })
    replica.onFinal((event) => {
      if (process.isAlive) events.onFinal(event)
    })
    await this.#tellUntold(store)
    await replica.start()
    if (!process.isAlive) return
    process.replica = replica
    events.onStarted()
  }

  /** A crash right after a block was written: it is final, and nobody heard of it yet. */
  async #tellUntold(store: ChainStore): Promise<void> {
    const { events } = this.#options
    for (let height = events.toldHeight() + 1; height <= store.tip.height; height++) {
      const final = await store.readFinal(height)
      const messages = await store.readMessages(height)
      if (final === undefined || messages === undefined) return
      const messageIds = messages.map(({ id }) => id)
      events.onFinal({ height, final, messageIds, expired: [], refused: [], removedBatches: [] })
    }
  }

  async #openSigning(store: ChainStore, log: Log): Promise<Signing | undefined> {
    const { validator } = this
    const { genesis } = this.#options.common
    if (validator === undefined) return undefined
    const sign = (kind: SignedKind, bytes: Uint8Array) => this.signAnything(kind, bytes)
    const votingKey = genesis.validators[validator]?.votingKey
    if (votingKey === undefined) throw new Error('a validator that genesis does not have')
    const file = this.record.open()
    const record = await SigningRecord.open({ file, genesisHash: genesis.hash, votingKey, sign })
    const problem = checkAgainstDatabase({ recordNumber: record.number, databaseNumber: store.signingNumber })
    this.isMute = problem !== undefined
    return problem === undefined ? new Signing({ record, validator, log }) : undefined
  }

  #keys(): Keys {
    const { identity, common } = this.#options
    const { genesis, schemes } = common
    const node = schemes.secretsOf(identity, 'node')
    return {
      validator: this.validator,
      nodeKey: identity.nodeKey,
      signBatch: (bytes) => node.sign(signingInput({ kind: 'batch', genesisHash: genesis.hash, bytes })),
      proveVrf: (alpha) => node.prove(alpha),
    }
  }

  #wire(process: Process): Wire {
    const { events } = this.#options
    return new Wire({
      verifier: this.#options.common.verifier,
      isAlive: () => process.isAlive,
      peers: events.peers,
      broadcast: events.onBroadcast,
      carry: events.carry,
      after: (delayMs, action) => {
        this.#after(process, delayMs, action)
      },
      onSeen: events.onSeen,
      onBadFrame: events.onBadFrame,
      onReport: events.onReport,
    })
  }

  #after(process: Process, delayMs: number, action: () => void): () => void {
    return this.#options.common.scheduler.after(delayMs + this.lagMs, () => {
      if (process.isAlive) action()
    })
  }

  #take(replica: Replica, frames: readonly Frame[], from: SimulatedNode): void {
    const peer = { peerId: from.peerId, validator: from.validator ?? null }
    for (const frame of frames) {
      const isTaken = this.behaviours.every((behaviour) => behaviour.onReceive?.(frame, from.number) ?? true)
      if (isTaken) replica.onFrame(frame, peer)
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
  #fail(process: Process, error: unknown): void {
    if (!process.isAlive) return
    this.#options.events.onLog('fatal', error instanceof Error ? error.message : String(error), {})
    const isDisk =
      error instanceof StorageError &&
      (this.disk.isFull || this.record.isFull || this.disk.isDamaged || error.code === 'record-corrupted')
    this.crash({ losesPower: false })
    if (!isDisk) this.#options.events.onFatal(error)
  }

  #log(process: Process): Log {
    const { events } = this.#options
    const at = (level: string) => (fields: object, text: string) => {
      if (process.isAlive) events.onLog(level, text, fields)
    }
    return { debug: () => undefined, info: at('info'), warn: at('warn'), error: at('error') }
  }
}

function heightOf(frame: Frame): number | undefined {
  switch (frame.kind) {
    case 'batch':
      return undefined
    case 'proposal':
      return frame.proposal.height
    case 'pool-commitment':
      return frame.commitment.height
    case 'vote':
      return frame.vote.height
    case 'certificate':
      return frame.certificate.height
    case 'evidence':
      return frame.evidence.height
    case 'block':
      return frame.block.header.height
  }
}
