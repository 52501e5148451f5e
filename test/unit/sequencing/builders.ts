// Values of the protocol for tests of this room, with only what a test is about spelled out.
import { createHash } from 'node:crypto'
import {
  batchOverheadBytes,
  bytesToHex,
  decodeBatch,
  defaultLimits,
  encodeMessage,
  encodePoolCommitmentBody,
  hexToBytes,
} from '../../../src/codec/index.ts'
import type {
  Batch,
  BatchId,
  Hash,
  Message,
  PoolCommitment,
  PublicKey,
  TimeMs,
} from '../../../src/types/index.ts'

export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}

/** A hash that a label stands for. */
export function hashOf(label: string): Hash {
  return bytesToHex(sha256(new TextEncoder().encode(label))) as Hash
}

export function batchId(label: string | number): BatchId {
  return hashOf(`batch ${label}`) as BatchId
}

export function aCommitment({
  validator,
  height = 1,
  time,
  received = {},
}: {
  readonly validator: number
  readonly height?: number
  readonly time?: TimeMs
  /** When it received the batches of these labels. */
  readonly received?: Readonly<Record<string, TimeMs>>
}): PoolCommitment {
  const entries = Object.entries(received)
    .map(([label, receivedAt]) => ({ batchId: batchId(label), receivedAt }))
    .sort((a, b) => (a.batchId < b.batchId ? -1 : 1))
  const body = { height, time: time ?? Math.max(0, ...Object.values(received)), entries }
  const signature = new Uint8Array(64).fill(validator)
  return { ...body, validator, bytes: encodePoolCommitmentBody(body), signature }
}

export function aMessage(text: string, fields: Partial<Message> = {}): Message {
  return { data: new TextEncoder().encode(text), timestamp: 0, ...fields }
}

/** A batch as it decodes from its canonical bytes. */
export function aBatch(
  messages: readonly Message[],
  author = hashOf('author') as string as PublicKey,
): Batch {
  const encoded = messages.map(encodeMessage)
  const bytes = new Uint8Array(batchOverheadBytes + encoded.reduce((sum, { length }) => sum + length, 0))
  bytes.set(hexToBytes(author))
  new DataView(bytes.buffer).setUint32(32, messages.length)
  let at = batchOverheadBytes
  for (const message of encoded) {
    bytes.set(message, at)
    at += message.length
  }
  const signature = new Uint8Array(64)
  const decoded = decodeBatch({ bytes, signature }, { limits: defaultLimits, sha256 })
  if (!decoded.ok) throw new Error(decoded.reason)
  return decoded.value
}
