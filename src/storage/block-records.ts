// One final block as entries of the database. What block sync sends is stored as it is, cut into pieces that can be
// read alone: the head (block, finalization, number of batches), then each batch. Put together again they are the exact
// bytes of `encodeFinalBlock`, whatever that function writes.
import assert from 'node:assert/strict'
import { batchOverheadBytes, encodeFinalBlock, type FinalBlock, minMessageBytes } from '../codec/index.ts'
import type { Batch, Message, MessageId } from '../types/index.ts'
import type { WriteOperation } from './key-value.ts'
import { batchPlaceKey, blockBatchKey, blockHeightKey, convictionKey, heightKey } from './keys.ts'
import type { MessageIndex } from './message-index.ts'
import { encodeBatchPlace, encodeNumber, encodeSkipped, type SkippedMessage, SpanWriter } from './records.ts'

const signatureSize = 64
const lengthBytes = 4

/** A final block and what the chain made of its content. */
export interface SequencedBlock {
  readonly final: FinalBlock
  /** The messages that are not in the sequence (doubles, expired, invalid), ascending by batch, then message. */
  readonly skipped: readonly SkippedMessage[]
}

/** Everything that is stored of a block: the block itself, and the indexes into it. One operation after another, since
 *  a list of one for each message would be carried about by the collector until the last is made. */
export function putBlock(
  { final, skipped }: SequencedBlock,
  messageIndex: Pick<MessageIndex, 'operationsFor'>,
): Iterable<WriteOperation> {
  const { block } = final
  const { height } = block.header
  const { head, batches } = cutFinalBlock(final)
  const { spans, ids } = sequenceOf(final.batches, skipped)
  assert.equal(ids.length, block.header.messageCount, `block ${height} has another number of messages`)

  function* operations(): Generator<WriteOperation, void> {
    yield put(heightKey('blockHead', height), head)
    yield put(heightKey('header', height), block.headerBytes)
    yield put(blockHeightKey(block.id), encodeNumber(height))
    for (const [position, bytes] of batches.entries()) yield put(blockBatchKey(height, position), bytes)
    for (const [position, { id }] of final.batches.entries())
      yield put(batchPlaceKey(id), encodeBatchPlace({ height, position }))
    if (spans.length > 0) yield put(heightKey('spans', height), spans)
    if (skipped.length > 0) yield put(heightKey('skipped', height), encodeSkipped(skipped))
    yield* messageIndex.operationsFor(height, ids)
  }
  return { [Symbol.iterator]: operations }
}

function put(key: Uint8Array, value: Uint8Array): WriteOperation {
  return { type: 'put', key, value }
}

/** Convictions by evidence in the block at `height`. */
export function putConvictions(height: number, validators: readonly number[]): WriteOperation[] {
  return validators.map((validator) => ({
    type: 'put',
    key: convictionKey(validator),
    value: encodeNumber(height),
  }))
}

/** A batch in the form in which it stands in a final block: length, signed bytes, signature. */
export function encodeStoredBatch({ bytes, signature }: Pick<Batch, 'bytes' | 'signature'>): Uint8Array {
  const stored = new Uint8Array(lengthBytes + bytes.length + signatureSize)
  new DataView(stored.buffer).setUint32(0, bytes.length)
  stored.set(bytes, lengthBytes)
  stored.set(signature, lengthBytes + bytes.length)
  return stored
}

/** Signed bytes and signature of a stored batch. */
export function openStoredBatch(stored: Uint8Array): { bytes: Uint8Array; signature: Uint8Array } {
  const end = Math.max(lengthBytes, stored.length - signatureSize)
  return { bytes: stored.subarray(lengthBytes, end), signature: stored.subarray(end) }
}

/** How many batches follow a stored head. */
export function batchCountOf(head: Uint8Array): number {
  return new DataView(head.buffer, head.byteOffset, head.byteLength).getUint32(head.length - lengthBytes)
}

function cutFinalBlock(final: FinalBlock): { head: Uint8Array; batches: Uint8Array[] } {
  const bytes = encodeFinalBlock(final)
  let at = encodeFinalBlock({ ...final, batches: [] }).length
  const head = bytes.subarray(0, at)
  const batches = final.batches.map((batch) => {
    const start = at
    at += lengthBytes + batch.bytes.length + signatureSize
    return bytes.subarray(start, at)
  })
  assert.equal(at, bytes.length, 'the batches are not the end of a final block')
  assert.equal(batchCountOf(head), batches.length, 'their number does not stand before them')
  return { head, batches }
}

/** Ids of the messages that are in the sequence, in order, and their places as they are stored. */
function sequenceOf(
  batches: readonly Batch[],
  skipped: readonly SkippedMessage[],
): { spans: Uint8Array; ids: MessageId[] } {
  const count = batches.reduce((sum, { messages }) => sum + messages.length, 0)
  const spans = new SpanWriter(count)
  const ids: MessageId[] = []
  let nextSkipped = 0
  for (const [position, { id: batchId, messages, messageIds, bytes }] of batches.entries()) {
    assert.equal(messageIds.length, messages.length, `batch ${batchId} has fewer ids than messages`)
    let end = batchOverheadBytes
    for (let at = 0; at < messages.length; at += 1) {
      const message = messages[at]
      const id = messageIds[at]
      if (message === undefined || id === undefined) continue
      const start = end
      end += messageBytes(message)
      const skip = skipped[nextSkipped]
      if (skip?.batch === position && skip.message === at) {
        nextSkipped += 1
        continue
      }
      spans.add(position, start, end)
      ids.push(id)
    }
    assert.equal(end, bytes.length, 'messages are not where the index would look for them')
  }
  assert.equal(nextSkipped, skipped.length, 'skips messages that the block does not have, or out of order')
  return { spans: spans.finish(), ids }
}

/** Size of a message's encoding. Computed, since encoding it again costs more than all else here; checked above
 *  against the size of each whole batch. */
function messageBytes({ namespace, data, expiresAt }: Message): number {
  const namespaceBytes = namespace === undefined ? 0 : 1 + Buffer.byteLength(namespace)
  return minMessageBytes + namespaceBytes + (expiresAt === undefined ? 0 : 8) + data.length
}
