// Makes a genesis out of validators' records, and reads the one of a home.
import { existsSync, readFileSync } from 'node:fs'
import { defaultLimits, genesisToJson, parseGenesis } from '../codec/index.ts'
import { isValidPublicKey, isValidVrfKey, sha256 } from '../crypto/native/index.ts'
import { thresholdsOf } from '../quorum/index.ts'
import type { FaultModel, Genesis, ProtocolLimits, TimeMs, ValidatorIndex } from '../types/index.ts'
import { HomeError } from './home-error.ts'
import { type NodeKeys, publicKeysOf } from './keys.ts'
import { checkValidatorRecord } from './validator-record.ts'

export { genesisToJson } from '../codec/index.ts'

/** A record's JSON text and the file it is from. */
export interface RecordFile {
  readonly source: string
  readonly text: string
}

/** A genesis whose validators are those of the records, in their order.
 *  @throws HomeError 'wrong-record' for a record that proves nothing or repeats another's key, naming the files;
 *  'wrong-genesis' for what the chain's rules refuse. */
export function makeGenesis({
  chainId,
  records,
  faultModel = 'byzantine',
  time,
  limits = defaultLimits,
}: {
  chainId: string
  records: readonly RecordFile[]
  faultModel?: FaultModel
  time: TimeMs
  limits?: ProtocolLimits
}): Genesis {
  const validators = records.map(({ text, source }) => ({
    source,
    validator: checkValidatorRecord(text, source),
  }))
  for (const key of ['votingKey', 'vrfKey', 'nodeKey'] as const) {
    const sources = new Map<string, string>()
    for (const { source, validator } of validators) {
      const other = sources.get(validator[key])
      if (other !== undefined) {
        throw new HomeError(
          'wrong-record',
          `${source}: has the same ${key} as ${other}; each validator needs its own`,
        )
      }
      sources.set(validator[key], source)
    }
  }
  const text = genesisToJson({
    chainId,
    time,
    faultModel,
    limits,
    validators: validators.map(({ validator }) => validator),
  })
  return readGenesisText(text, 'this genesis')
}

/** Genesis from the text of its file. @throws HomeError 'wrong-genesis', naming file and field. */
export function readGenesisText(text: string, source: string): Genesis {
  const decoded = parseGenesis(text, { sha256, keys: { isValidPublicKey, isValidVrfKey } })
  if (!decoded.ok) throw new HomeError('wrong-genesis', `${source}: ${decoded.reason}`)
  try {
    thresholdsOf(
      decoded.value.validators.map(({ power }) => power),
      decoded.value.faultModel,
    )
  } catch (error) {
    throw new HomeError('wrong-genesis', `${source}: ${(error as Error).message}`, { cause: error })
  }
  return decoded.value
}

/** Genesis from a file. @throws HomeError 'missing' or 'wrong-genesis'. */
export function readGenesisFile(path: string): Genesis {
  if (!existsSync(path))
    throw new HomeError('missing', `${path}: there is no genesis; make the home with "diseq init"`)
  return readGenesisText(readFileSync(path, 'utf8'), path)
}

/** The node's place among the validators, or undefined if it is none.
 *  @throws HomeError 'wrong-keys' if genesis has one of its keys but not the others: it would vote in vain, or two
 *  nodes would share an identity. */
export function validatorIndexOf(genesis: Genesis, keys: NodeKeys): ValidatorIndex | undefined {
  const own = publicKeysOf(keys)
  const kinds = ['votingKey', 'vrfKey', 'nodeKey'] as const
  const index = genesis.validators.findIndex((validator) =>
    kinds.some((kind) => validator[kind] === own[kind]),
  )
  const validator = genesis.validators[index]
  if (validator === undefined) return undefined
  const other = kinds.find((kind) => validator[kind] !== own[kind])
  if (other === undefined) return index
  throw new HomeError(
    'wrong-keys',
    `keys: genesis has another ${other} for validator ${index} than this home; restore the key files that its record was made from`,
  )
}
