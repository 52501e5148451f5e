import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bytesToHex,
  decodeBatch,
  decodeMessage,
  decodePoolCommitment,
  defaultLimits,
  encodeBatchBody,
  encodeMessage,
  encodePoolCommitmentBody,
  hexToBytes,
} from '../../../src/codec/index.ts'
import { sha256 } from '../../../src/crypto/native/index.ts'
import type { BatchId, Message } from '../../../src/types/index.ts'

const author = 'ab'.repeat(32)
const signature = new Uint8Array(64)
const context = { limits: defaultLimits, sha256 }
const plain: Message = { data: Uint8Array.of(1, 2, 3), timestamp: 7 }

test('messages have the bytes that the protocol states', () => {
  assert.equal(bytesToHex(encodeMessage(plain)), '00000000070000000301 0203'.replaceAll(' ', ''))
  const full = { ...plain, namespace: 'né', expiresAt: 300 }
  assert.equal(bytesToHex(encodeMessage(full)), `0300000007036ec3a9000000000000012c00000003010203`)
})

test('a message comes back as it went in, and no other bytes say the same', () => {
  for (const message of [
    plain,
    { ...plain, namespace: 'x' },
    { ...plain, expiresAt: 0 },
    { data: new Uint8Array(0), timestamp: 0 },
  ]) {
    const bytes = encodeMessage(message)
    assert.deepEqual(decodeMessage(bytes, defaultLimits), { ok: true, value: message })
    assert.equal(decodeMessage(bytes.subarray(0, -1), defaultLimits).ok, false)
    assert.equal(decodeMessage(Uint8Array.of(...bytes, 0), defaultLimits).ok, false)
  }
  assert.equal(
    decodeMessage(hexToBytes('04000000070000000301 0203'.replaceAll(' ', '')), defaultLimits).ok,
    false,
  )
  assert.equal(
    decodeMessage(hexToBytes('0100000007000000000301'), defaultLimits).ok,
    false,
    'an empty namespace',
  )
  assert.equal(decodeMessage(hexToBytes('010000000701ff00000000'), defaultLimits).ok, false, 'no UTF-8')
})

test('a message is as large as the limit and no larger', () => {
  const limits = { ...defaultLimits, maxMessageBytes: 64 }
  const sized = (size: number) => encodeMessage({ data: new Uint8Array(size - 9), timestamp: 0 })
  assert.equal(decodeMessage(sized(64), limits).ok, true)
  assert.equal(decodeMessage(sized(65), limits).ok, false)
})

test('a batch holds at most one message of a reserved namespace', () => {
  const reserved = (namespace: string) => ({ ...plain, namespace })
  assert.throws(
    () => encodeBatchBody(author, [reserved('diseq/a'), reserved('diseq/b')], defaultLimits),
    /at most one/,
  )
  const bytes = encodeBatchBody(author, [reserved('diseq/a'), reserved('diseq')], defaultLimits)
  assert.equal(decodeBatch({ bytes, signature }, context).ok, true)
  const forged = Uint8Array.from(
    encodeBatchBody(author, [reserved('diseq/a'), reserved('diseqxb')], defaultLimits),
  )
  const at = Buffer.from(forged).indexOf('diseqxb')
  forged[at + 5] = 0x2f
  assert.equal(decodeBatch({ bytes: forged, signature }, context).ok, false)
})

test('a batch without messages, or with one byte too many, is none', () => {
  assert.throws(() => encodeBatchBody(author, [], defaultLimits), RangeError)
  const bytes = encodeBatchBody(author, [plain], defaultLimits)
  assert.equal(decodeBatch({ bytes: Uint8Array.of(...bytes, 0), signature }, context).ok, false)
  const empty = Uint8Array.from(bytes.subarray(0, 36))
  empty[35] = 0
  assert.equal(decodeBatch({ bytes: empty, signature }, context).ok, false)
})

test('a pool commitment lists batches in strictly ascending order, received before it was made', () => {
  const id = (digit: string) => digit.repeat(64) as BatchId
  const decode = (entries: readonly (readonly [string, number])[], entriesMax = 2) =>
    decodePoolCommitment(
      {
        validator: 0,
        signature,
        bytes: encodePoolCommitmentBody({
          height: 5,
          time: 100,
          entries: entries.map(([digit, receivedAt]) => ({ batchId: id(digit), receivedAt })),
        }),
      },
      entriesMax,
    )
  assert.equal(
    decode([
      ['1', 100],
      ['2', 0],
    ]).ok,
    true,
  )
  assert.equal(decode([['1', 101]]).ok, false, 'received later')
  assert.equal(
    decode([
      ['1', 1],
      ['1', 1],
    ]).ok,
    false,
    'listed twice',
  )
  assert.equal(
    decode([
      ['2', 1],
      ['1', 1],
    ]).ok,
    false,
    'descending',
  )
  assert.equal(
    decode(
      [
        ['1', 1],
        ['2', 1],
      ],
      1,
    ).ok,
    false,
    'more than K',
  )
})
