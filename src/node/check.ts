// `diseq check`: whether everything in the home of a stopped node is what it has to be. The chain is replayed from
// genesis into a second database beside the first, and both are compared key by key; what a node stores that does not
// follow from the chain is held against its checksum and its signatures. Reads the home's own files only.
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { checkEvidence } from '../sequencing/index.ts'
import {
  type AuditOptions,
  auditStore,
  ChainStore,
  checkFormat,
  defaultPartMessages,
  type HeightFrame,
  type KeyValueStore,
  LevelStore,
  lastStoredHeight,
  readSigningNumber,
  StorageError,
} from '../storage/index.ts'
import type { Block, Genesis } from '../types/index.ts'
import { faultOfBatch, type Network, networkOf, Replay } from './check-chain.ts'
import { checkSigningRecord } from './check-signing.ts'
import { checkTrie } from './check-trie.ts'
import { homePaths, readIdentity } from './home.ts'
import { publicKeysOf } from './keys.ts'

/** Called now and then: the height that was replayed, and the last that is stored. */
export type OnProgress = (height: number, total: number) => void

export interface CheckResult {
  /** A sentence each, naming the kind and the place of what is wrong; at most `problemsMax`, and one that counts the
   *  rest. Empty where all is right. */
  readonly problems: readonly string[]
  /** Of the last block that was replayed. */
  readonly height: number
}

/** Enough to see what happened: a database that was cut in two has a problem in every key. */
export const problemsMax = 100
const progressEveryBlocks = 100

/** Checks a home. Needs as much room on its disk as its database takes, and memory for one block.
 *  @throws HomeError for a home without genesis or keys; StorageError `home-locked` while its node runs, and where the
 *  disk fails, or its database is of an older format. What is damaged is a problem, not an error. */
export async function checkHome({
  home,
  onProgress = () => undefined,
}: {
  home: string
  onProgress?: OnProgress
}): Promise<CheckResult> {
  const { genesis, keys } = readIdentity(home)
  const paths = homePaths(home)
  const network = networkOf(genesis)
  const found = new Problems()
  let height = 0
  let databaseNumber: number | undefined
  // Opening would make one.
  if (existsSync(paths.database)) {
    await found.guard(async () => {
      const stored = await LevelStore.open(paths.database)
      try {
        const rebuild = () => openScratch(`${paths.database}.check`)
        height = (await checkStores({ network, stored, rebuild, onProgress, found })).height
        databaseNumber = signingNumberOf(stored)
      } finally {
        await stored.close()
      }
    })
  }
  const { votingKey } = publicKeysOf(keys)
  const problems = await checkSigningRecord({ network, path: paths.signingRecord, votingKey, databaseNumber })
  for (const problem of problems) found.add(problem)
  return { problems: found.list(), height }
}

/** The database's part of `checkHome`, over any stores.
 *  @param rebuild makes an empty store, which is closed at the end. */
export async function checkDatabase(options: {
  genesis: Genesis
  stored: KeyValueStore
  rebuild: () => Promise<KeyValueStore>
  onProgress?: OnProgress
  /** As of `ChainStore.open`. */
  partMessages?: number
}): Promise<CheckResult> {
  const { genesis, onProgress = () => undefined, ...stores } = options
  const found = new Problems()
  let height = 0
  await found.guard(async () => {
    height = (await checkStores({ ...stores, network: networkOf(genesis), onProgress, found })).height
  })
  return { problems: found.list(), height }
}

/** What was found, in order. */
class Problems {
  readonly #problems: string[] = []
  #count = 0

  add(problem: string): void {
    this.#count += 1
    if (this.#count <= problemsMax) this.#problems.push(problem)
  }

  list(): string[] {
    const rest = this.#count - this.#problems.length
    return rest === 0 ? this.#problems : [...this.#problems, `and ${rest} problems more`]
  }

  /** Damage that LevelDB itself finds is a problem like others, though nothing after it can be read. */
  async guard(action: () => Promise<void>): Promise<void> {
    try {
      await action()
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== 'corrupted') throw error
      this.add(error.message)
    }
  }
}

interface StoresCheck {
  readonly network: Network
  readonly stored: KeyValueStore
  readonly rebuild: () => Promise<KeyValueStore>
  readonly onProgress: OnProgress
  readonly found: Problems
  readonly partMessages?: number
}

async function checkStores(check: StoresCheck): Promise<{ height: number }> {
  const { network, stored, rebuild, onProgress, found, partMessages = defaultPartMessages } = check
  checkFormat(stored)
  const scratch = await rebuild()
  try {
    const rebuilt = await ChainStore.open({ store: scratch, genesis: network.genesis, partMessages })
    const total = await lastStoredHeight(stored)
    const replay = new Replay({ network, stored, rebuilt })
    let step = await replay.next()
    for (; step.kind === 'taken'; step = await replay.next()) {
      const { height } = replay
      if (height % progressEveryBlocks === 0 || height === total) onProgress(height, total)
    }
    const { height } = replay
    const halted = step.kind === 'halted' ? { haltedAt: height + 1 } : {}
    if (step.kind === 'halted') {
      for (const problem of step.problems) found.add(problem)
      found.add(`the chain could be replayed up to block ${height}; what follows was not compared`)
    }
    const onProblem = (problem: string) => found.add(problem)
    const { context } = network
    await auditStore({
      stored,
      rebuilt: scratch,
      ...halted,
      context,
      signatures: signaturesOf(network),
      onProblem,
    })
    await checkTrie({ stored, genesis: network.genesis, rebuilt: replay.trie, onProblem })
    return { height }
  } finally {
    await scratch.close()
  }
}

function signaturesOf(network: Network): AuditOptions['signatures'] {
  const { genesis, verifier, verifySigned } = network
  const faultOfFrame = (frame: HeightFrame): string | undefined => {
    if (frame.kind === 'block' && isUnsigned(frame.block)) {
      return firstFault(frame.block.commitments, (commitment) =>
        faultOfFrame({ kind: 'pool-commitment', commitment }),
      )
    }
    const verified = verifier.verifyFrame(frame)
    return verified.ok ? undefined : `${verified.rejected}: ${verified.detail}`
  }
  return {
    faultOfBatch: (batch) => faultOfBatch(network, batch),
    faultOfFrame,
    faultOfEvidence: (evidence) => {
      const checked = checkEvidence({ evidence, genesis, verify: verifySigned })
      return checked.ok ? undefined : checked.rejected
    },
  }
}

/** An own block is saved before it is signed (protocol §3); its signature is in the record. */
function isUnsigned({ signature }: Block): boolean {
  return signature.every((byte) => byte === 0)
}

function firstFault<T>(items: readonly T[], faultOf: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const fault = faultOf(item)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Undefined where it is damaged, which the comparison reports. */
function signingNumberOf(stored: KeyValueStore): number | undefined {
  try {
    return readSigningNumber(stored)
  } catch (error) {
    if (error instanceof StorageError && error.code === 'corrupted') return undefined
    throw error
  }
}

/** An empty database in `directory`, deleted when it is closed. One that an interrupted check left is deleted first:
 *  whoever has the home's lock is alone. */
async function openScratch(directory: string): Promise<KeyValueStore> {
  await rm(directory, { recursive: true, force: true })
  const store = await LevelStore.open(directory)
  const { pages } = store
  return {
    pages: {
      get: (id) => pages.get(id),
      from: (id) => pages.from(id),
      append: (piece) => pages.append(piece),
      sync: async () => {},
      release: (first) => pages.release(first),
      cut: (range) => pages.cut(range),
    },
    get: (key) => store.get(key),
    getMany: (keys) => store.getMany(keys),
    // Nobody needs it after a crash, and a sync for each block would be most of the time.
    write: (operations) => store.write(operations, { sync: false }),
    iterate: (range) => store.iterate(range),
    close: async () => {
      await store.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
