// One life of a simulated node, from a start to a crash: the real replica over what its machine keeps, and over a wire.
// Once it is dead it hangs in the air: nothing it waited for ever comes, and it hears nothing more.
import type { Frame } from '../codec/index.ts'
import { signingInput } from '../crypto/native/index.ts'
import type { FinalEvent } from '../node/chain-head.ts'
import type { ConnectedPeer, Keys, Log } from '../node/ports.ts'
import { Replica, type ReplicaSettings } from '../node/replica.ts'
import { openStateTrie } from '../node/restart.ts'
import { Signing } from '../node/signing.ts'
import { ChainStore, checkAgainstDatabase, messagesOf, SigningRecord } from '../storage/index.ts'
import type { Genesis, PeerId, SignedKind, ValidatorIndex } from '../types/index.ts'
import type { SimulatedDisk } from './disk.ts'
import { LateTrie } from './late-trie.ts'
import type { Random } from './random.ts'
import type { SimulatedRecordFile } from './record-disk.ts'
import type { Scheduler } from './scheduler.ts'
import type { Identity, SimulatedSchemes } from './schemes.ts'
import type { SharedVerifier } from './verifier.ts'
import { type CarriedRequest, Wire } from './wire.ts'

/** What is the same for all nodes of a run. */
export interface Common {
  readonly genesis: Genesis
  readonly verifier: SharedVerifier
  readonly settings: ReplicaSettings
  readonly schemes: SimulatedSchemes
  readonly scheduler: Scheduler
}

/** What a process has to do with the run it is part of. */
export interface ProcessEvents {
  /** A frame leaves for all others. */
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
  readonly onLog: (level: string, text: string, fields: object) => void
}

/** What outlives a process. */
export interface Machine {
  readonly disk: SimulatedDisk
  readonly record: SimulatedRecordFile
  /** Wall time. */
  nowMs(): number
  /** Added to all that it waits for. */
  readonly lagMs: number
}

export interface ProcessOptions {
  readonly machine: Machine
  readonly validator: ValidatorIndex | undefined
  readonly identity: Identity
  readonly common: Common
  readonly trieRandom: Random
  readonly events: ProcessEvents
  /** With the voting key. */
  readonly sign: (kind: SignedKind, bytes: Uint8Array) => Uint8Array
  /** The signing record was read; mute: it is older than the database, and nothing is signed. */
  readonly onRecordRead: (isMute: boolean) => void
  /** The replica cannot go on. */
  readonly onFailed: (error: unknown) => void
}

/** So small that runs of a few dozen blocks have checkpoints begun, cut off, made whole and gone on from, and pages
 *  that were let go. */
const trieSettings = {
  cachedBytesMax: 30_000,
  rule: { dirtyBytesMax: 20_000, leavesMax: 40, blocksMax: 6, pieceBytes: 3_000, slackBytes: 5_000 },
}

export class SimulatedProcess {
  readonly #options: ProcessOptions
  #isAlive = true
  #replica: Replica | undefined

  constructor(options: ProcessOptions) {
    this.#options = options
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  /** Undefined while it still starts. */
  get replica(): Replica | undefined {
    return this.#replica
  }

  /** Once. What goes wrong is told to `onFailed`. */
  start(): void {
    this.#run().catch((error: unknown) => this.#fail(error))
  }

  kill(): void {
    this.#isAlive = false
  }

  async #run(): Promise<void> {
    const { machine, common, events } = this.#options
    const { genesis, settings, schemes, verifier } = common
    const log = this.#log()
    const store = await ChainStore.open({ store: machine.disk.open(), genesis })
    const signing = await this.#openSigning(store, log)
    const replica = await Replica.open({
      genesis,
      settings,
      store,
      trieSettings,
      ...(this.#options.trieRandom.chance(0.5) ? { openTrie: this.#openLateTrie } : {}),
      keys: this.#keys(),
      signing,
      transport: this.#wire(),
      verifier,
      schemes,
      clock: {
        nowMs: () => machine.nowMs(),
        schedule: (delayMs, action) => this.#after(delayMs, action),
      },
      log,
      onFatal: (error) => this.#fail(error),
    })
    replica.onFinal((event) => {
      if (this.#isAlive) events.onFinal(event)
    })
    await this.#tellUntold(store)
    await replica.start()
    if (!this.#isAlive) return
    this.#replica = replica
    events.onStarted()
  }

  readonly #openLateTrie: typeof openStateTrie = async (...given) => {
    const { common, trieRandom } = this.#options
    const { scheduler } = common
    return new LateTrie(await openStateTrie(...given), {
      random: trieRandom,
      nowMs: () => scheduler.nowMs,
      after: (delayMs, action) => {
        scheduler.after(delayMs, () => {
          if (this.#isAlive) action()
        })
      },
    })
  }

  /** A crash right after a block was written: it is final, and nobody heard of it yet. */
  async #tellUntold(store: ChainStore): Promise<void> {
    const { events } = this.#options
    for (let height = events.toldHeight() + 1; height <= store.tip.height; height++) {
      const final = await store.readFinal(height)
      if (final === undefined) return
      const messages = messagesOf(final)
      const messageIds = messages.map(({ id }) => id)
      events.onFinal({ height, final, messages, messageIds, expired: [], refused: [], removedBatches: [] })
    }
  }

  async #openSigning(store: ChainStore, log: Log): Promise<Signing | undefined> {
    const { machine, validator, common, sign, onRecordRead } = this.#options
    const { genesis } = common
    if (validator === undefined) return undefined
    const votingKey = genesis.validators[validator]?.votingKey
    if (votingKey === undefined) throw new Error('a validator that genesis does not have')
    const file = machine.record.open()
    const record = await SigningRecord.open({ file, genesisHash: genesis.hash, votingKey, sign })
    const problem = checkAgainstDatabase({ recordNumber: record.number, databaseNumber: store.signingNumber })
    onRecordRead(problem !== undefined)
    return problem === undefined ? new Signing({ record, validator, log }) : undefined
  }

  #keys(): Keys {
    const { identity, validator, common } = this.#options
    const { genesis, schemes } = common
    const node = schemes.secretsOf(identity, 'node')
    return {
      validator,
      nodeKey: identity.nodeKey,
      signBatch: (bytes) => node.sign(signingInput({ kind: 'batch', genesisHash: genesis.hash, bytes })),
      proveVrf: (alpha) => node.prove(alpha),
    }
  }

  #wire(): Wire {
    const { common, events } = this.#options
    return new Wire({
      ...events,
      verifier: common.verifier,
      isAlive: () => this.#isAlive,
      broadcast: events.onBroadcast,
      after: (delayMs, action) => {
        this.#after(delayMs, action)
      },
    })
  }

  #after(delayMs: number, action: () => void): () => void {
    const { machine, common } = this.#options
    return common.scheduler.after(delayMs + machine.lagMs, () => {
      if (this.#isAlive) action()
    })
  }

  #fail(error: unknown): void {
    if (this.#isAlive) this.#options.onFailed(error)
  }

  #log(): Log {
    const { events } = this.#options
    const at = (level: string) => (fields: object, text: string) => {
      if (this.#isAlive) events.onLog(level, text, fields)
    }
    return { debug: () => undefined, info: at('info'), warn: at('warn'), error: at('error') }
  }
}
