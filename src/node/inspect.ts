// What is in the home of a stopped node, for people: how far it is, what waits, what it signed. Reads only.
import { existsSync } from 'node:fs'
import type { FinalBlock } from '../codec/index.ts'
import { publicKeyOf } from '../crypto/native/index.ts'
import {
  ChainStore,
  checkFormat,
  LevelStore,
  messagesOf,
  NodeRecordFile,
  SigningRecord,
} from '../storage/index.ts'
import type { Genesis, Height, SequencedMessage, ValidatorIndex } from '../types/index.ts'
import { readIdentity } from './home.ts'
import { HomeError } from './home-error.ts'
import { homePaths } from './home-paths.ts'

export interface HomeView {
  readonly genesis: Genesis
  readonly validator: ValidatorIndex | undefined
  readonly tip: {
    readonly height: Height
    readonly id: string
    readonly time: number
    readonly stateRoot: string
  }
  readonly pool: { readonly batchCount: number; readonly messageCount: number; readonly sizeBytes: number }
  /** Validators that were caught. */
  readonly caught: readonly ValidatorIndex[]
  readonly peers: readonly { readonly peerId: string; readonly addresses: readonly string[] }[]
  /** Running number of the last signature that the database depends on. */
  readonly databaseSigningNumber: number
  /** Undefined for a node that is no validator. */
  readonly record:
    | {
        readonly isMissing: boolean
        readonly number: number
        readonly signFrom: Height
        readonly awaitsFloor: boolean
        readonly last: readonly { readonly number: number; readonly kind: string; readonly height: Height }[]
      }
    | undefined
}

export interface StoredBlockView {
  readonly final: FinalBlock
  readonly messages: readonly SequencedMessage[]
}

/** @throws HomeError for a home without genesis, keys or database; StorageError `home-locked` while its node runs,
 *  `format-too-old` where that has not run since diseq keeps another format. */
export function inspectHome(home: string): Promise<HomeView> {
  return withStore(home, async (store, identity) => {
    const { genesis, validatorIndex } = identity
    const final = await store.readFinal(store.tip.height)
    const header = final?.block.header
    const pool = await store.loadPool()
    return {
      genesis,
      validator: validatorIndex,
      tip: {
        height: store.tip.height,
        id: store.tip.blockId,
        time: header?.time ?? genesis.time,
        stateRoot: header?.stateRoot ?? '',
      },
      pool: {
        batchCount: pool.length,
        messageCount: pool.reduce((total, { batch }) => total + batch.messages.length, 0),
        sizeBytes: pool.reduce((total, { batch }) => total + batch.bytes.length, 0),
      },
      caught: [...new Set((await store.loadEvidence()).map(({ validator }) => validator))],
      peers: store.loadPeers(),
      databaseSigningNumber: store.signingNumber,
      record: validatorIndex === undefined ? undefined : await recordView(home, identity),
    }
  })
}

/** A stored block; undefined where there is none of this height. @throws as `inspectHome`. */
export function inspectBlock(home: string, height: Height): Promise<StoredBlockView | undefined> {
  return withStore(home, async (store) => {
    const final = await store.readFinal(height)
    return final === undefined ? undefined : { final, messages: messagesOf(final) }
  })
}

type Identity = ReturnType<typeof readIdentity>

async function withStore<T>(
  home: string,
  look: (store: ChainStore, identity: Identity) => Promise<T>,
): Promise<T> {
  const identity = readIdentity(home)
  const { database } = homePaths(home)
  // Opening would make one.
  if (!existsSync(database)) {
    throw new HomeError('missing', `${database}: no database yet; the node has never run`)
  }
  const level = await LevelStore.open(database)
  try {
    checkFormat(level)
    return await look(await ChainStore.open({ store: level, genesis: identity.genesis }), identity)
  } finally {
    await level.close()
  }
}

async function recordView(
  home: string,
  { genesis, keys }: Identity,
): Promise<NonNullable<HomeView['record']>> {
  const record = await SigningRecord.open({
    file: new NodeRecordFile(homePaths(home).signingRecord),
    genesisHash: genesis.hash,
    votingKey: publicKeyOf(keys.votingSeed),
    sign: () => {
      throw new Error('nothing is signed here')
    },
  })
  const { isMissing, number, signFrom, imported } = record
  const last = record
    .entries()
    .map(({ number, subject }) => ({ number, kind: subject.kind, height: subject.height }))
  return { isMissing, number, signFrom, awaitsFloor: imported, last }
}
