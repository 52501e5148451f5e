import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encode } from 'it-length-prefixed'
import { RecordParser } from '../../../src/network/streams.ts'

function encoded(records: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(records.map((record) => encode.single(record).subarray())))
}

test('records come out as they went in, however their bytes are cut', () => {
  const aRecord = fc.uint8Array({ maxLength: 300 })
  fc.assert(
    fc.property(fc.array(aRecord, { maxLength: 8 }), fc.array(fc.nat(500)), (records, cuts) => {
      const bytes = encoded(records)
      const parser = new RecordParser(300)
      const got: Uint8Array[] = []
      let start = 0
      for (const cut of [...cuts.filter((at) => at <= bytes.length).sort((a, b) => a - b), bytes.length]) {
        got.push(...parser.feed(bytes.subarray(start, cut)))
        start = cut
      }
      assert.deepEqual(
        got.map((one) => [...one]),
        records.map((one) => [...one]),
      )
      assert.equal(parser.isTooLong, false)
    }),
  )
})

test('a record of the largest size passes; one byte more ends it before the record is here', () => {
  const allowed = new RecordParser(1_000)
  assert.equal(allowed.feed(encoded([new Uint8Array(1_000)])).length, 1)
  const refused = new RecordParser(999)
  assert.equal(refused.feed(encoded([new Uint8Array(1_000)]).subarray(0, 2)).length, 0)
  assert.equal(refused.isTooLong, true)
  assert.equal(refused.feed(encoded([new Uint8Array(1)])).length, 0, 'nothing comes out any more')
})

test('a prefix without an end is refused', () => {
  const parser = new RecordParser(1_000)
  parser.feed(new Uint8Array(20).fill(0x80))
  assert.equal(parser.isTooLong, true)
})

test('a record that comes byte by byte takes up no more than twice what came of it, whatever was announced', () => {
  const record = Uint8Array.from({ length: 300_000 }, (_, at) => at % 251)
  const bytes = encoded([record])
  const parser = new RecordParser(4 * 1024 * 1024)
  const backing = new Uint8Array(64)
  for (const [at, byte] of bytes.entries()) {
    backing[0] = byte
    const records = parser.feed(backing.subarray(0, 1))
    assert.ok(parser.heldBytes <= Math.max(1_024, 2 * (at + 1)), `${parser.heldBytes} bytes after ${at + 1}`)
    if (at < bytes.length - 1) assert.ok(records.length === 0 && (at === 0 || parser.isUnfinished))
    else assert.deepEqual(records, [record])
  }
  assert.deepEqual([parser.heldBytes, parser.isUnfinished], [0, false])
})

test('a record that is kept does not change with what comes after it', () => {
  const parser = new RecordParser(1_000)
  const [first, second] = [new Uint8Array(10).fill(1), new Uint8Array(10).fill(2)]
  const bytes = encoded([first, second])
  const records = [...bytes].flatMap((byte) => parser.feed(Uint8Array.of(byte)))
  assert.deepEqual(records, [first, second])
})

test('a record of no bytes is one, in the middle and at the end', () => {
  const parser = new RecordParser(10)
  assert.deepEqual(parser.feed(Uint8Array.of(0, 1, 7, 0)), [
    new Uint8Array(0),
    Uint8Array.of(7),
    new Uint8Array(0),
  ])
})
