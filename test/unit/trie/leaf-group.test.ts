import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { HASH_BYTES, LeafGroup, leafOf } from '../../../src/trie/index.ts'
import { sha256 } from './memory-trie.ts'

const key32 = fc.uint8Array({ minLength: HASH_BYTES, maxLength: HASH_BYTES })

describe('a group of leaves', () => {
  it('of a block has the key and hash of each of its messages, however large the ones before were', () => {
    // Around the room that is there at first, and beyond it.
    const size = fc.oneof(
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 1020, max: 1030 }),
      fc.constant(5_000),
    )
    const data = size.chain((bytes) => fc.uint8Array({ minLength: bytes, maxLength: bytes }))
    fc.assert(
      fc.property(
        fc.array(data, { maxLength: 12 }),
        fc.integer({ min: 1, max: 2 ** 40 }),
        (messages, height) => {
          const group = LeafGroup.ofBlock(height, messages, sha256)
          assert.equal(group.count, messages.length)
          for (const [at, message] of messages.entries()) {
            const { key, leafHash } = leafOf(message, sha256)
            assert.deepEqual(group.keys.slice(at * HASH_BYTES, (at + 1) * HASH_BYTES), key)
            assert.deepEqual(group.hashes.slice(at * HASH_BYTES, (at + 1) * HASH_BYTES), leafHash)
            assert.deepEqual([group.heightAt(at), group.indexAt(at)], [height, at])
          }
        },
      ),
    )
  })

  it('is sorted by key, and of equal keys keeps the first', () => {
    const lateDifference = key32.map((key) => key.fill(7, 0, 31))
    const leaf = fc.record({
      key: fc.oneof(key32, lateDifference),
      leafHash: key32,
      reference: fc.record({ height: fc.nat(), index: fc.nat() }),
    })
    fc.assert(
      fc.property(
        fc.array(leaf, { maxLength: 60 }),
        fc.array(fc.nat(59), { maxLength: 20 }),
        (leaves, again) => {
          const all = [...leaves]
          for (const at of again) {
            const twice = leaves[at]
            if (twice !== undefined) all.push({ ...twice, reference: { height: 1, index: all.length } })
          }
          const first = new Map<string, (typeof all)[number]>()
          for (const each of all) {
            const key = Buffer.from(each.key).toString('hex')
            if (!first.has(key)) first.set(key, each)
          }
          const expected = [...first].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each)
          const sorted = LeafGroup.of(all).sorted()
          assert.equal(sorted.count, expected.length)
          for (const [at, { key, leafHash, reference }] of expected.entries()) {
            assert.deepEqual(sorted.keys.slice(at * HASH_BYTES, (at + 1) * HASH_BYTES), key)
            assert.deepEqual(sorted.hashes.slice(at * HASH_BYTES, (at + 1) * HASH_BYTES), leafHash)
            assert.deepEqual([sorted.heightAt(at), sorted.indexAt(at)], [reference.height, reference.index])
          }
        },
      ),
    )
  })

  it('refuses keys and hashes of another size', () => {
    const [right, reference] = [new Uint8Array(HASH_BYTES), { height: 1, index: 0 }]
    for (const wrong of [new Uint8Array(31), new Uint8Array(33)]) {
      assert.throws(() => LeafGroup.of([{ key: wrong, leafHash: right, reference }]), RangeError)
      assert.throws(() => LeafGroup.of([{ key: right, leafHash: wrong, reference }]), RangeError)
    }
  })
})
