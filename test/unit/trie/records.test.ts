import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { TrieError } from '../../../src/trie/errors.ts'
import { RecordWriter, readChildRecord, readRootRecord, rootRecord } from '../../../src/trie/records.ts'

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
const left = new Uint8Array(32).fill(0xaa)
const right = new Uint8Array(32).fill(0xbb)
const isBadRecord = (error: unknown) => error instanceof TrieError && error.code === 'bad-record'

describe('stored records', () => {
  it('give the node back, to the last height and index', () => {
    const height = fc.oneof(
      fc.maxSafeNat(),
      fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
    )
    const index = fc.oneof(fc.nat(), fc.constantFrom(0, 2 ** 31, 2 ** 32 - 1))
    const writer = new RecordWriter()
    fc.assert(
      fc.property(hash, hash, fc.integer({ min: 1, max: 255 }), height, index, (a, b, bit, h, i) => {
        assert.deepEqual(readChildRecord(writer.branch(bit, a, b)), {
          kind: 'branch',
          bit,
          left: a,
          right: b,
        })
        const leaf = { kind: 'leaf', key: a, reference: { height: h, index: i } }
        assert.deepEqual(readChildRecord(writer.leaf(a, { height: h, index: i })), leaf)
      }),
      { numRuns: 500 },
    )
  })

  it('give a root back with one side or both', () => {
    for (const root of [
      { left, right },
      { left, right: null },
      { left: null, right },
    ]) {
      assert.deepEqual(readRootRecord(rootRecord(root)), root)
    }
  })

  it('have the documented sizes', () => {
    const writer = new RecordWriter()
    assert.equal(writer.branch(1, left, right).length, 66)
    assert.equal(writer.leaf(left, { height: 1, index: 2 }).length, 45)
    assert.equal(rootRecord({ left, right }).length, 66)
    assert.equal(rootRecord({ left, right: null }).length, 34)
  })

  it('are refused when a byte is missing or too many, and as another kind', () => {
    const writer = new RecordWriter()
    const branch = writer.branch(1, left, right)
    const leaf = writer.leaf(left, { height: 1, index: 2 })
    const root = rootRecord({ left, right })
    for (const record of [branch, leaf]) {
      assert.throws(() => readChildRecord(record.slice(0, -1)), isBadRecord)
      assert.throws(() => readChildRecord(Uint8Array.from([...record, 0])), isBadRecord)
      assert.throws(() => readRootRecord(record), isBadRecord)
    }
    assert.throws(() => readChildRecord(root), isBadRecord)
    assert.throws(() => readRootRecord(root.slice(0, -1)), isBadRecord)
    assert.throws(() => readRootRecord(Uint8Array.of(0, 0)), isBadRecord)
    assert.throws(() => readRootRecord(root.with(1, 7)), isBadRecord)
  })

  it('are refused with a height that no number holds', () => {
    const leaf = new RecordWriter().leaf(left, { height: Number.MAX_SAFE_INTEGER, index: 0 })
    assert.throws(() => readChildRecord(leaf.with(33, 0x01)), isBadRecord)
  })
})
