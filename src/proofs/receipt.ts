// A node's signed word that it has messages: what it owes, before anything is final.
import { ByteWriter, hexToBytes } from '../codec/index.ts'
import { signingInput } from '../crypto/domain.ts'
import { isValidPublicKey } from '../crypto/portable/index.ts'
import type { Height, MessageId, PublicKey, TimeMs, ValidatorIndex } from '../types/index.ts'
import { proofTypes } from './formats.ts'
import { fieldsOf, hexOf, integerOf, jsonOf, listOf } from './json.ts'
import { demand, type Verdict, verdictOf } from './refusals.ts'
import type { Trust } from './trust.ts'

/** Ids of one receipt: those of one request. */
export const maxReceiptIds = 100_000

export interface ReceiptBody {
  readonly time: TimeMs
  /** Of the last block that was final for the node. */
  readonly finalHeight: Height
  /** In the order sent. */
  readonly ids: readonly MessageId[]
}

export interface ProvenReceipt extends ReceiptBody {
  readonly kind: 'receipt'
  readonly node: PublicKey
  /** Whose node it is, where it is a validator's. */
  readonly validator: ValidatorIndex | undefined
}

/** The bytes that a receipt's signature covers (kind `receipt`). */
export function encodeReceiptBody({ time, finalHeight, ids }: ReceiptBody): Uint8Array {
  const writer = new ByteWriter(20 + 32 * ids.length).u64(time).u64(finalHeight).u32(ids.length)
  for (const id of ids) writer.hex(id, 32)
  return writer.finish()
}

/** Whether `receipt` (text or parsed) is signed by the node that it names; of `node`, where its key is given. */
export function verifyReceipt({
  trust,
  receipt,
  node,
}: {
  readonly trust: Trust
  readonly receipt: unknown
  readonly node?: string
}): Verdict<ProvenReceipt> {
  return verdictOf(() => {
    const proven = readReceipt(trust, jsonOf(receipt))
    demand(node === undefined || node === proven.node, 'bad-node-key', 'it is of another node')
    return proven
  })
}

export function readReceipt({ genesis, verifySignature }: Trust, value: unknown): ProvenReceipt {
  const names = ['type', 'node', 'time', 'finalHeight', 'ids', 'signature'] as const
  const fields = fieldsOf(value, names, 'the receipt')
  demand(fields.type === proofTypes.receipt, 'other-type')
  const node = hexOf<PublicKey>(fields.node, 32, 'node')
  const time = integerOf(fields.time, Number.MAX_SAFE_INTEGER, 'time')
  const finalHeight = integerOf(fields.finalHeight, Number.MAX_SAFE_INTEGER, 'finalHeight')
  const ids = listOf(fields.ids, maxReceiptIds, 'ids').map((id, at) => hexOf<MessageId>(id, 32, `ids[${at}]`))
  const signature = hexToBytes(hexOf(fields.signature, 64, 'signature'))
  demand(isValidPublicKey(node), 'bad-node-key')
  const bytes = encodeReceiptBody({ time, finalHeight, ids })
  const message = signingInput({ kind: 'receipt', genesisHash: genesis.hash, bytes })
  demand(verifySignature({ publicKey: node, message, signature }), 'bad-signature')
  const index = genesis.validators.findIndex(({ nodeKey }) => nodeKey === node)
  return { kind: 'receipt', node, time, finalHeight, ids, validator: index === -1 ? undefined : index }
}
