// Messages, batches and pool commitments, in bytes.
import type {
  Batch,
  BatchId,
  Message,
  MessageId,
  PoolCommitment,
  PoolCommitmentEntry,
  ProtocolLimits,
  ValidatorIndex,
} from '../types/index.ts'
import { bytesToHex } from './hex.ts'
import { commitmentEntryBytes, maxNamespaceBytes, minMessageBytes } from './limits.ts'
import { type ByteReader, type Decoded, DecodeError, decodeAll } from './reader.ts'
import { ByteWriter } from './writer.ts'

/** SHA-256; the caller brings the fast one of its platform. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array
/** The same in lower-case hex, where something gives that sooner than bytes. */
export type Sha256Hex = (bytes: Uint8Array) => string

/** Namespaces that begin so are the protocol's own (protocol §3.7). */
export const reservedPrefix = 'diseq/'

const flagNamespace = 1
const flagExpiresAt = 2
/** First byte of the signed bytes, by kind; the kind is also part of what is signed. */
export const bodyTags = { 'pool-commitment': 1, notarize: 2, nullify: 3, finalize: 4, proposal: 5 } as const

/** Whether a message is the protocol's own, or would be. */
export function isReserved(message: Pick<Message, 'namespace'>): boolean {
  return message.namespace?.startsWith(reservedPrefix) ?? false
}

/** Canonical bytes of a message. RangeError where a field is out of bounds or a namespace is not well-formed. */
export function encodeMessage(message: Message): Uint8Array {
  const writer = new ByteWriter(message.data.length + 96)
  writeMessage(writer, message)
  return writer.finish()
}

/** SHA-256 of a message's encoding. */
export function messageIdOf(message: Message, sha256: Sha256): MessageId {
  return bytesToHex(sha256(encodeMessage(message))) as MessageId
}

export function decodeMessage(bytes: Uint8Array, limits: ProtocolLimits): Decoded<Message> {
  return decodeAll(bytes, (reader) => readMessage(reader, limits))
}

/** The bytes that a batch's author signs. RangeError where a limit is broken. */
export function encodeBatchBody(
  author: string,
  messages: readonly Message[],
  limits: ProtocolLimits,
): Uint8Array {
  if (messages.length < 1 || messages.length > limits.maxBatchMessages) {
    throw new RangeError(`a batch holds 1 to ${limits.maxBatchMessages} messages`)
  }
  if (messages.filter(isReserved).length > 1)
    throw new RangeError('a batch holds at most one reserved message')
  const writer = new ByteWriter(4096).hex(author, 32).u32(messages.length)
  for (const message of messages) writeMessage(writer, message)
  const bytes = writer.finish()
  if (bytes.length > limits.maxBatchBytes)
    throw new RangeError(`a batch has at most ${limits.maxBatchBytes} bytes`)
  return bytes
}

/** A batch from its signed bytes. The signature is carried, not checked. */
export function decodeBatch(
  signed: { bytes: Uint8Array; signature: Uint8Array },
  context: { limits: ProtocolLimits; sha256: Sha256; sha256Hex?: Sha256Hex },
): Decoded<Batch> {
  const { limits, sha256 } = context
  const hashHex = context.sha256Hex ?? ((hashed: Uint8Array) => bytesToHex(sha256(hashed)))
  const { bytes, signature } = signed
  if (bytes.length > limits.maxBatchBytes) return { ok: false, reason: 'batch too large' }
  return decodeAll(bytes, (reader) => {
    const author = reader.hex<Batch['author']>(32)
    const count = reader.u32()
    if (count === 0) throw new DecodeError('a batch without messages')
    const messageIds: MessageId[] = []
    const messages = reader.list(
      { count, maxCount: limits.maxBatchMessages, itemBytes: minMessageBytes },
      () => {
        const start = reader.offset
        const message = readMessage(reader, limits)
        messageIds.push(hashHex(reader.since(start)) as MessageId)
        return message
      },
    )
    // To judge one takes signature checks: without a bound a batch could hold thousands.
    if (messages.filter(isReserved).length > 1)
      throw new DecodeError('more than one reserved message in a batch')
    const id = hashHex(bytes) as BatchId
    return { id, author, messages, messageIds, bytes, signature }
  })
}

/** The bytes that a validator signs as its pool commitment. Entries must be strictly ascending by batch id. */
export function encodePoolCommitmentBody(
  commitment: Pick<PoolCommitment, 'height' | 'time' | 'entries'>,
): Uint8Array {
  const { height, time, entries } = commitment
  const writer = new ByteWriter(21 + commitmentEntryBytes * entries.length)
  writer.u8(bodyTags['pool-commitment']).u64(height).u64(time).u32(entries.length)
  for (const { batchId, receivedAt } of entries) writer.hex(batchId, 32).u64(receivedAt)
  return writer.finish()
}

/** A pool commitment from its signed bytes; the order of its entries and their times are checked, its signature is not. */
export function decodePoolCommitment(
  signed: { validator: ValidatorIndex; bytes: Uint8Array; signature: Uint8Array },
  entriesMax: number,
): Decoded<PoolCommitment> {
  return decodeAll(signed.bytes, (reader) => {
    if (reader.u8() !== bodyTags['pool-commitment']) throw new DecodeError('not a pool commitment')
    const height = reader.u64()
    const time = reader.u64()
    let previous: string = ''
    const limits = { count: reader.u32(), maxCount: entriesMax, itemBytes: commitmentEntryBytes }
    const entries = reader.list<PoolCommitmentEntry>(limits, () => {
      const entry = { batchId: reader.hex<BatchId>(32), receivedAt: reader.u64() }
      if (entry.batchId <= previous) throw new DecodeError('entries are not strictly ascending')
      if (entry.receivedAt > time)
        throw new DecodeError('an entry was received after the commitment was made')
      previous = entry.batchId
      return entry
    })
    return { height, time, entries, ...signed }
  })
}

function writeMessage(writer: ByteWriter, message: Message): void {
  const { namespace, data, timestamp, expiresAt } = message
  const flags = (namespace === undefined ? 0 : flagNamespace) | (expiresAt === undefined ? 0 : flagExpiresAt)
  writer.u8(flags).u32(timestamp)
  if (namespace !== undefined) {
    if (namespace.length === 0 || !namespace.isWellFormed())
      throw new RangeError('namespace is not 1 to 64 bytes of UTF-8')
    if (new TextEncoder().encode(namespace).length > maxNamespaceBytes)
      throw new RangeError('namespace is over 64 bytes')
    writer.text(namespace)
  }
  if (expiresAt !== undefined) writer.u64(expiresAt)
  writer.bytes(data)
}

function readMessage(reader: ByteReader, limits: ProtocolLimits): Message {
  const start = reader.offset
  const flags = reader.u8()
  if (flags > (flagNamespace | flagExpiresAt)) throw new DecodeError('unknown message flags')
  const timestamp = reader.u32()
  // Most messages: what follows makes and spreads objects, which costs as much as the rest.
  if (flags === 0)
    return withinLimit(reader, start, limits, { data: reader.bytes(limits.maxMessageBytes), timestamp })
  const namespace = (flags & flagNamespace) === 0 ? {} : { namespace: reader.text(1, maxNamespaceBytes) }
  const expiresAt = (flags & flagExpiresAt) === 0 ? {} : { expiresAt: reader.u64() }
  const data = reader.bytes(limits.maxMessageBytes)
  return withinLimit(reader, start, limits, { ...namespace, data, timestamp, ...expiresAt })
}

/** A message that was read from `start` on. */
function withinLimit(reader: ByteReader, start: number, limits: ProtocolLimits, message: Message): Message {
  if (reader.offset - start > limits.maxMessageBytes) throw new DecodeError('message too large')
  return message
}
