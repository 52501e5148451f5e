import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteReader, ByteWriter } from '../../../src/codec/index.ts'

test('a writer keeps what it wrote when it outgrows its buffer', () => {
  const large = new Uint8Array(10_000).fill(7)
  for (const capacity of [0, 1, 2, 3, 5, 8, 4096]) {
    const bytes = new ByteWriter(capacity)
      .u8(1)
      .u16(2)
      .u32(3)
      .u64(2 ** 53 - 1)
      .bytes(large)
      .text('é')
      .finish()
    const reader = new ByteReader(bytes)
    assert.deepEqual([reader.u8(), reader.u16(), reader.u32(), reader.u64()], [1, 2, 3, 2 ** 53 - 1])
    assert.deepEqual(reader.bytes(10_000), large)
    assert.equal(reader.text(1, 64), 'é')
    reader.end()
  }
})

test('integers come back as they went in', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat(0xffff_ffff), fc.nat(0xffff), fc.nat(0xff), (a, b, c, d) => {
      const reader = new ByteReader(new ByteWriter(1).u64(a).u32(b).u16(c).u8(d).finish())
      assert.deepEqual([reader.u64(), reader.u32(), reader.u16(), reader.u8()], [a, b, c, d])
    }),
  )
})

test('a writer refuses what does not fit its field', () => {
  const writer = new ByteWriter()
  assert.throws(() => writer.u8(256), RangeError)
  assert.throws(() => writer.u16(-1), RangeError)
  assert.throws(() => writer.u32(0.5), RangeError)
  assert.throws(() => writer.u64(2 ** 53), RangeError)
  assert.throws(() => writer.hex('ab', 2), RangeError)
  assert.throws(() => writer.hex('AB', 1), RangeError)
  assert.throws(() => writer.text('x'.repeat(256)), RangeError)
})

test('a reader refuses integers of 2^53 and more, short bytes, and bytes left over', () => {
  assert.throws(() => new ByteReader(Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 0)).u64(), /2\^53/)
  assert.throws(() => new ByteReader(Uint8Array.of(1)).u16(), /cut short/)
  assert.throws(() => new ByteReader(Uint8Array.of(1)).end(), /too many/)
  const claimsMuch = new ByteWriter().u32(0xffff_ffff).finish()
  assert.throws(() => new ByteReader(claimsMuch).bytes(1024), /at most 1024/)
})

test('a writer that is finished takes no more, and what it gave stays as it was', () => {
  const first = new ByteWriter(16).u32(1)
  const bytes = first.finish()
  const second = new ByteWriter(16).u32(2)
  const nested = new ByteWriter(16).u32(3).finish()
  assert.throws(() => first.u8(9), RangeError)
  assert.throws(() => first.finish(), RangeError)
  assert.deepEqual([...bytes, ...second.finish(), ...nested], [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3])
})
