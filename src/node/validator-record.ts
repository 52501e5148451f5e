// The public record of a validator, which operators send each other to make a genesis. It proves that its maker holds
// every secret: a genesis with a key that is nobody's could never reach its quorum, one with a stolen key would count
// one operator twice.
import { encodeValidators, hexToBytes, isHexOf, peerIdOf } from '../codec/index.ts'
import {
  createVrfProver,
  isValidPublicKey,
  isValidVrfKey,
  sign,
  signingInput,
  toHex,
  verifySignature,
  verifyVrf,
} from '../crypto/native/index.ts'
import type { Hash, PublicKey, Validator, VrfPublicKey } from '../types/index.ts'
import { HomeError } from './home-error.ts'
import { type NodeKeys, publicKeysOf } from './keys.ts'

export interface ValidatorRecord extends Validator {
  /** Over the record's other fields, in hex: two signatures and a VRF proof. */
  readonly proofs: { readonly votingKey: string; readonly nodeKey: string; readonly vrfKey: string }
}

/** There is no genesis yet when records are made; no chain can have this hash. */
const noGenesis = '0'.repeat(64) as Hash

const fieldNames = ['name', 'votingKey', 'vrfKey', 'peerId', 'nodeKey', 'power', 'proofs']
const proofNames = ['votingKey', 'nodeKey', 'vrfKey']

/** The record of these keys. @throws HomeError 'wrong-record' for a name or power out of bounds. */
export function validatorRecordOf(
  keys: NodeKeys,
  { name, power }: { name: string; power: number },
): ValidatorRecord {
  const wrong = wrongName(name) ?? wrongPower(power)
  if (wrong !== undefined) throw new HomeError('wrong-record', wrong)
  const { votingKey, vrfKey, peerId, nodeKey } = publicKeysOf(keys)
  const validator = { name, votingKey, vrfKey, peerId, nodeKey, power }
  const message = provenBytes(validator)
  const proofs = {
    votingKey: toHex(sign({ seed: keys.votingSeed, message })),
    nodeKey: toHex(sign({ seed: keys.nodeSeed, message })),
    vrfKey: toHex(createVrfProver(keys.vrfSeed).prove(message)),
  }
  return { ...validator, proofs }
}

/** The validator of a record's JSON text, all proofs verified.
 *  @param source the file, for errors. @throws HomeError 'wrong-record'. */
export function checkValidatorRecord(text: string, source: string): Validator {
  const refuse = (why: string) => new HomeError('wrong-record', `${source}: ${why}`)
  const fields = objectOf(parseJson(text, refuse), 'the record', fieldNames, refuse)
  const proofs = objectOf(fields.proofs, 'proofs', proofNames, refuse)
  const wrong = wrongName(fields.name) ?? wrongPower(fields.power)
  if (wrong !== undefined) throw refuse(wrong)
  const hex = (values: Record<string, unknown>, name: string, sizeBytes: number, at = name): string => {
    const value = values[name]
    if (!isHexOf(value, sizeBytes)) throw refuse(`${at}: ${2 * sizeBytes} lower-case hex digits are needed`)
    return value
  }
  const validator = {
    name: fields.name as string,
    votingKey: hex(fields, 'votingKey', 32) as PublicKey,
    vrfKey: hex(fields, 'vrfKey', 32) as VrfPublicKey,
    peerId: peerIdOf(hex(fields, 'nodeKey', 32) as PublicKey),
    nodeKey: hex(fields, 'nodeKey', 32) as PublicKey,
    power: fields.power as number,
  }
  if (fields.peerId !== validator.peerId) throw refuse('peerId: not the peer id of its nodeKey')
  if (!isValidPublicKey(validator.votingKey)) throw refuse('votingKey: not a valid key')
  if (!isValidPublicKey(validator.nodeKey)) throw refuse('nodeKey: not a valid key')
  if (!isValidVrfKey(validator.vrfKey)) throw refuse('vrfKey: not a valid key')
  // One key for votes and for the network would void the separation that lets voting move to a signer of its own.
  if (validator.votingKey === validator.nodeKey) throw refuse('votingKey and nodeKey are the same key')

  const message = provenBytes(validator)
  for (const key of ['votingKey', 'nodeKey'] as const) {
    const signature = hexToBytes(hex(proofs, key, 64, `proofs.${key}`))
    if (!verifySignature({ publicKey: validator[key], message, signature })) throw refuse(unproven(key))
  }
  const proof = hexToBytes(hex(proofs, 'vrfKey', 80, 'proofs.vrfKey'))
  if (verifyVrf({ publicKey: validator.vrfKey, alpha: message, proof }) === undefined)
    throw refuse(unproven('vrfKey'))
  return validator
}

/** What the proofs cover: the validator as genesis encodes it, in a domain of its own. */
function provenBytes(validator: Validator): Uint8Array {
  return signingInput({
    kind: 'validator-record',
    genesisHash: noGenesis,
    bytes: encodeValidators([validator]),
  })
}

function unproven(key: string): string {
  return `proofs.${key} does not fit the record: it was changed or is not by the key's owner; ask for the output of "diseq keys"`
}

function wrongName(name: unknown): string | undefined {
  const isRight =
    typeof name === 'string' && name.isWellFormed() && new TextEncoder().encode(name).length <= 64
  return isRight ? undefined : 'name: a text of at most 64 bytes is needed'
}

function wrongPower(power: unknown): string | undefined {
  const isRight = typeof power === 'number' && Number.isInteger(power) && power >= 1 && power <= 0xffff_ffff
  return isRight ? undefined : `power: an integer from 1 to ${0xffff_ffff} is needed`
}

function parseJson(text: string, refuse: (why: string) => HomeError): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw refuse(`not JSON (${error instanceof Error ? error.message : 'unreadable'})`)
  }
}

function objectOf(
  value: unknown,
  at: string,
  names: readonly string[],
  refuse: (why: string) => HomeError,
): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refuse(`${at}: an object is needed`)
  const unknown = Object.keys(value).find((name) => !names.includes(name))
  if (unknown !== undefined) throw refuse(`${at}: unknown field ${unknown}`)
  const missing = names.find((name) => !Object.hasOwn(value, name))
  if (missing !== undefined) throw refuse(`${at}: ${missing} is missing`)
  return value as Record<string, unknown>
}
