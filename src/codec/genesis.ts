// Genesis: the JSON file that operators share, its canonical bytes, and its hash, which is part of every signature.
import type {
  FaultModel,
  Genesis,
  Hash,
  PeerId,
  ProtocolLimits,
  PublicKey,
  Validator,
  VrfPublicKey,
} from '../types/index.ts'
import { bytesToHex, hexToBytes, isHexOf } from './hex.ts'
import { parseStrictJson } from './json-text.ts'
import {
  batchOverheadBytes,
  defaultLimits,
  maxChainIdBytes,
  maxConfigurableBytes,
  maxValidators,
} from './limits.ts'
import type { Sha256 } from './message.ts'
import { type Decoded, DecodeError, unwrap } from './reader.ts'
import { ByteWriter } from './writer.ts'

const faultModels: readonly FaultModel[] = ['byzantine', 'crash']
const base58Digits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** Who judges whether keys are usable; the codec knows only their form. */
export interface KeyRules {
  readonly isValidPublicKey: (key: Uint8Array) => boolean
  readonly isValidVrfKey: (key: Uint8Array) => boolean
}

/** Bounds of each limit in genesis: [lowest, highest]. */
const limitBounds: Record<keyof ProtocolLimits, readonly [number, number]> = {
  maxMessageBytes: [64, maxConfigurableBytes],
  maxBatchBytes: [128, maxConfigurableBytes],
  maxBatchMessages: [1, 100_000],
  maxBlockBatches: [1, 10_000],
  maxBlockBytes: [128, maxConfigurableBytes],
  // One entry could not be halved between the line and the rest (protocol K2).
  maxCommitmentEntries: [2, 26_214],
}

/** The libp2p peer id of an Ed25519 key: base58 of the identity multihash of its protobuf form. */
export function peerIdOf(nodeKey: PublicKey): PeerId {
  const bytes = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20, ...hexToBytes(nodeKey))
  let value = BigInt(`0x${bytesToHex(bytes)}`)
  let text = ''
  for (; value > 0n; value /= 58n) text = base58Digits.charAt(Number(value % 58n)) + text
  return `1${text}` as PeerId
}

/** Genesis from its JSON text. Strict: no unknown field, none twice, nothing coerced; the reason names the field.
 *  `synchronous` is refused: it is a fault model to come. */
export function parseGenesis(text: string, context: { sha256: Sha256; keys: KeyRules }): Decoded<Genesis> {
  try {
    const fields = objectOf(unwrap(parseStrictJson(text)), 'genesis', [
      'chainId',
      'time',
      'faultModel',
      'limits',
      'validators',
    ])
    const validators = readValidators(fields.validators, context.keys)
    const limits = readLimits(fields.limits)
    const genesis = {
      chainId: readChainId(fields.chainId),
      time: readInteger(fields.time, 'time', 0, Number.MAX_SAFE_INTEGER),
      faultModel: readFaultModel(fields.faultModel),
      limits,
      validators,
    }
    return { ok: true, value: withHashes(genesis, context.sha256) }
  } catch (error) {
    if (error instanceof DecodeError) return { ok: false, reason: error.message }
    throw error
  }
}

/** The JSON file of a genesis, for people to read and share. */
export function genesisToJson(genesis: Omit<Genesis, 'hash' | 'validatorsHash'>): string {
  const { chainId, time, faultModel, limits, validators } = genesis
  return `${JSON.stringify({ chainId, time, faultModel, limits, validators }, null, 2)}\n`
}

/** Canonical bytes of genesis; their SHA-256 is the genesis hash, whatever the blanks of the file. */
export function encodeGenesis(genesis: Omit<Genesis, 'hash' | 'validatorsHash'>): Uint8Array {
  const { limits } = genesis
  const writer = new ByteWriter(1024).text('diseq/1/genesis').text(genesis.chainId).u64(genesis.time)
  writer.u8(faultModels.indexOf(genesis.faultModel) + 1)
  writer.u32(limits.maxMessageBytes).u32(limits.maxBatchBytes).u32(limits.maxBatchMessages)
  writer.u32(limits.maxBlockBatches).u32(limits.maxBlockBytes).u32(limits.maxCommitmentEntries)
  return writer.raw(encodeValidators(genesis.validators)).finish()
}

/** Canonical bytes of a validator set; their SHA-256 is a header's `validatorsHash`. */
export function encodeValidators(validators: readonly Validator[]): Uint8Array {
  const writer = new ByteWriter(1024).u16(validators.length)
  for (const { name, votingKey, vrfKey, nodeKey, power } of validators) {
    writer.text(name).hex(votingKey, 32).hex(vrfKey, 32).hex(nodeKey, 32).u32(power)
  }
  return writer.finish()
}

/** Genesis with the two hashes that follow from it. */
export function withHashes(genesis: Omit<Genesis, 'hash' | 'validatorsHash'>, sha256: Sha256): Genesis {
  const hash = bytesToHex(sha256(encodeGenesis(genesis))) as Hash
  const validatorsHash = bytesToHex(sha256(encodeValidators(genesis.validators))) as Hash
  return { ...genesis, hash, validatorsHash }
}

function readValidators(value: unknown, keys: KeyRules): Validator[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > maxValidators) {
    throw new DecodeError(`validators: a list of 1 to ${maxValidators} is needed`)
  }
  const validators = value.map((item, index) => readValidator(item, `validators[${index}]`, keys))
  for (const field of ['votingKey', 'vrfKey', 'nodeKey'] as const) {
    const distinct = new Set(validators.map((validator) => validator[field]))
    if (distinct.size !== validators.length)
      throw new DecodeError(`validators: two of them have the same ${field}`)
  }
  return validators
}

function readValidator(value: unknown, at: string, keys: KeyRules): Validator {
  const fields = objectOf(value, at, ['name', 'votingKey', 'vrfKey', 'peerId', 'nodeKey', 'power'])
  const key = (name: 'votingKey' | 'vrfKey' | 'nodeKey', isValid: (bytes: Uint8Array) => boolean) => {
    const text = fields[name]
    if (!isHexOf(text, 32)) throw new DecodeError(`${at}.${name}: 64 lower-case hex digits are needed`)
    if (!isValid(hexToBytes(text))) throw new DecodeError(`${at}.${name}: not a valid key`)
    return text
  }
  const { name, peerId } = fields
  if (typeof name !== 'string' || !name.isWellFormed() || new TextEncoder().encode(name).length > 64) {
    throw new DecodeError(`${at}.name: a text of at most 64 bytes is needed`)
  }
  const nodeKey = key('nodeKey', keys.isValidPublicKey) as PublicKey
  if (peerId !== peerIdOf(nodeKey)) throw new DecodeError(`${at}.peerId: not the peer id of its nodeKey`)
  return {
    name,
    votingKey: key('votingKey', keys.isValidPublicKey) as PublicKey,
    vrfKey: key('vrfKey', keys.isValidVrfKey) as VrfPublicKey,
    peerId: peerId as PeerId,
    nodeKey,
    power: readInteger(fields.power, `${at}.power`, 1, 0xffff_ffff),
  }
}

function readLimits(value: unknown): ProtocolLimits {
  const names = Object.keys(defaultLimits) as (keyof ProtocolLimits)[]
  const fields = objectOf(value, 'limits', names)
  const limits = { ...defaultLimits } as Record<keyof ProtocolLimits, number>
  for (const name of names) limits[name] = readInteger(fields[name], `limits.${name}`, ...limitBounds[name])
  if (limits.maxMessageBytes + batchOverheadBytes > limits.maxBatchBytes) {
    throw new DecodeError(
      `limits.maxBatchBytes: a message always fits a batch: at least maxMessageBytes + ${batchOverheadBytes}`,
    )
  }
  if (limits.maxBatchBytes > limits.maxBlockBytes) {
    throw new DecodeError('limits.maxBlockBytes: a batch always fits a block: at least maxBatchBytes')
  }
  return limits
}

function readChainId(value: unknown): string {
  if (typeof value === 'string' && value.length <= maxChainIdBytes && /^[a-z0-9-]+$/.test(value)) return value
  throw new DecodeError(`chainId: 1 to ${maxChainIdBytes} of a-z, 0-9 and - are needed`)
}

function readFaultModel(value: unknown): FaultModel {
  if (value === 'synchronous')
    throw new DecodeError('faultModel: synchronous does not exist yet; use byzantine or crash')
  const model = faultModels.find((known) => known === value)
  if (model === undefined) throw new DecodeError('faultModel: byzantine or crash is needed')
  return model
}

function readInteger(value: unknown, at: string, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  throw new DecodeError(`${at}: an integer from ${min} to ${max} is needed`)
}

function objectOf<K extends string>(value: unknown, at: string, names: readonly K[]): Record<K, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new DecodeError(`${at}: an object is needed`)
  for (const name of Object.keys(value)) {
    if (!(names as readonly string[]).includes(name)) throw new DecodeError(`${at}.${name}: unknown field`)
  }
  for (const name of names) {
    if (!Object.hasOwn(value, name)) throw new DecodeError(`${at}.${name}: missing`)
  }
  return value as Record<K, unknown>
}
