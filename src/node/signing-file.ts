// The signing record of a stopped node, for the operator who moves or repairs a validator. The database is opened first:
// it holds the home's lock, so no node runs meanwhile, and it knows the least number that the record must have.
import { existsSync } from 'node:fs'
import { publicKeyOf } from '../crypto/native/index.ts'
import { LevelStore, NodeRecordFile, readSigningNumber, SigningRecord } from '../storage/index.ts'
import { readIdentity } from './home.ts'
import { HomeError } from './home-error.ts'
import { homePaths } from './home-paths.ts'

export interface OpenedRecord {
  readonly record: SigningRecord
  /** 0 where there is no database. */
  readonly databaseNumber: number
}

/** Runs `action` on the record of a validator's home.
 *  @throws HomeError for a home of no validator; StorageError `home-locked` while its node runs. */
export async function withSigningRecord<T>(
  home: string,
  action: (opened: OpenedRecord) => Promise<T>,
): Promise<T> {
  const { genesis, keys, validatorIndex } = readIdentity(home)
  if (validatorIndex === undefined) {
    throw new HomeError('wrong-keys', `${home}: no validator of "${genesis.chainId}", so it signs nothing`)
  }
  const paths = homePaths(home)
  const database = existsSync(paths.database) ? await LevelStore.open(paths.database) : undefined
  try {
    const record = await SigningRecord.open({
      file: new NodeRecordFile(paths.signingRecord),
      genesisHash: genesis.hash,
      votingKey: publicKeyOf(keys.votingSeed),
      sign: () => {
        throw new Error('nothing is signed here')
      },
    })
    return await action({ record, databaseNumber: database === undefined ? 0 : readSigningNumber(database) })
  } finally {
    await database?.close()
  }
}
