// A thread that verifies signatures and VRF proofs, beside the one that everything else runs on: the file of the thread,
// and what starts it. It holds nothing, and ends when nothing was asked of it for a while. What it cannot do (it failed,
// or may not start) is told by no answer, and done by who asked.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { vrfInput } from '../crypto/domain.ts'
import {
  beaconOf,
  type SignedBytes,
  verifySignature,
  verifyVrf,
  vrfOutputOf,
} from '../crypto/native/index.ts'
import type { Hash, Height, VrfPublicKey } from '../types/index.ts'
import type { Log } from './ports.ts'

/** The VRF proof of a block, and that of the block before, whose output is the beacon that it must be of. */
export interface VrfClaim {
  readonly publicKey: VrfPublicKey
  readonly genesisHash: Hash
  readonly height: Height
  readonly previousProof: Uint8Array
  readonly proof: Uint8Array
}

export interface Claims {
  readonly signatures: readonly SignedBytes[]
  readonly vrf?: VrfClaim
}

export interface Findings {
  /** Whether each signature holds. */
  readonly holds: readonly boolean[]
  /** What the proof proves, of which input; absent where it proves nothing. */
  readonly vrf?: { readonly alpha: Uint8Array; readonly output: Uint8Array }
}

interface Job {
  readonly id: number
  readonly claims: Claims
}

interface Answer {
  readonly id: number
  readonly findings: Findings
}

/** Told to a thread that runs this file, for it to know that it is this one. */
const role = 'diseq-verify'
/** It keeps nothing. Without a limit its young objects take what the process was started with. */
const resourceLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 }
const defaultIdleMs = 5_000

export class VerifyingThread {
  readonly #log: Log
  readonly #file: URL
  readonly #idleMs: number
  readonly #pending = new Map<number, (findings: Findings | undefined) => void>()
  #worker: Worker | undefined
  #nextId = 0
  #idle: NodeJS.Timeout | undefined
  /** It failed once, or was stopped: everything is done without it. */
  #isOver = false

  /** @param options.file what the thread runs, and
   *  @param options.idleMs after how long without work it ends; only tests give other ones. */
  constructor(log: Log, options: { readonly file?: URL; readonly idleMs?: number } = {}) {
    this.#log = log
    this.#file = options.file ?? new URL(import.meta.url)
    this.#idleMs = options.idleMs ?? defaultIdleMs
  }

  get isRunning(): boolean {
    return this.#worker !== undefined
  }

  /** What holds of these claims; undefined where it cannot tell. Never rejects. Copies what it is given. */
  find(claims: Claims): Promise<Findings | undefined> {
    if (this.#isOver) return Promise.resolve(undefined)
    const id = this.#nextId++
    clearTimeout(this.#idle)
    return new Promise((resolve) => {
      this.#pending.set(id, resolve)
      try {
        const worker = this.#worker ?? this.#start()
        const job: Job = { id, claims: copyOf(claims) }
        worker.postMessage(job)
      } catch (error) {
        // Threads may be forbidden, or too many.
        this.#failed(error)
      }
    })
  }

  /** Ends it for good; what was asked of it gets no answer. */
  async stop(): Promise<void> {
    this.#isOver = true
    clearTimeout(this.#idle)
    for (const id of [...this.#pending.keys()]) this.#settle(id, undefined)
    await this.#end()
  }

  #start(): Worker {
    const worker = new Worker(this.#file, { name: 'verify', workerData: role, resourceLimits })
    this.#worker = worker
    // It must not keep the process.
    worker.unref()
    worker.on('message', ({ id, findings }: Answer) => {
      this.#settle(id, findings)
      if (this.#pending.size > 0) return
      this.#idle = setTimeout(() => void this.#end(), this.#idleMs).unref()
    })
    worker.on('error', (error) => this.#failed(error))
    worker.on('messageerror', (error) => this.#failed(error))
    worker.on('exit', () => {
      // What is asked of the next one is no business of this one's.
      if (this.#worker === worker) this.#failed(new Error('it ended'))
    })
    return worker
  }

  #failed(error: unknown): void {
    if (!this.#isOver)
      this.#log.warn({ error }, 'the thread that verifies signatures failed; the main thread does its work')
    void this.stop()
  }

  #settle(id: number, findings: Findings | undefined): void {
    this.#pending.get(id)?.(findings)
    this.#pending.delete(id)
  }

  async #end(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }
}

/** Of exact size: of a view the whole buffer that it looks into would be copied to the thread. */
function copyOf({ signatures, vrf }: Claims): Claims {
  const exact = (bytes: Uint8Array) =>
    bytes.length === bytes.buffer.byteLength ? bytes : Uint8Array.from(bytes)
  return {
    signatures: signatures.map(({ publicKey, message, signature }) => ({
      publicKey,
      message: exact(message),
      signature: exact(signature),
    })),
    ...(vrf === undefined
      ? {}
      : { vrf: { ...vrf, previousProof: exact(vrf.previousProof), proof: exact(vrf.proof) } }),
  }
}

/** What holds of these claims; after the first signature that does not nothing else is looked at, since the block is
 *  refused for it. @throws never: nothing of what was sent is believed. */
export function findingsOf({ signatures, vrf }: Claims): Findings {
  const failed = signatures.findIndex((signed) => !verifySignature(signed))
  const holds = signatures.map((_, at) => failed === -1 || at < failed)
  const proven = vrf === undefined || failed !== -1 ? undefined : provenBy(vrf)
  return { holds, ...(proven === undefined ? {} : { vrf: proven }) }
}

function provenBy({ publicKey, genesisHash, height, previousProof, proof }: VrfClaim): Findings['vrf'] {
  const previous = vrfOutputOf(previousProof)
  if (previous === undefined) return undefined
  const alpha = vrfInput({ genesisHash, height, beacon: beaconOf(previous) })
  const output = verifyVrf({ publicKey, alpha, proof })
  return output === undefined ? undefined : { alpha, output }
}

if (!isMainThread && workerData === role) {
  parentPort?.on('message', ({ id, claims }: Job) => {
    const answer: Answer = { id, findings: findingsOf(claims) }
    parentPort?.postMessage(answer)
  })
}
