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
