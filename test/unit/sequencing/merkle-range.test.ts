import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { merklePath, merkleRangePath, merkleRoot, verifyMerkleRange } from '../../../src/sequencing/index.ts'
import { sha256 } from './builders.ts'

const leavesOf = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, index) => new TextEncoder().encode(`leaf ${index}`))

test('every range of every tree up to 17 leaves is proven, at its place and in its tree only', () => {
  for (let size = 1; size <= 17; size += 1) {
    const leaves = leavesOf(size)
    const root = merkleRoot(leaves, sha256)
    for (let index = 0; index < size; index += 1) {
      for (let count = 1; index + count <= size; count += 1) {
        const path = merkleRangePath(leaves, { index, count }, sha256)
        const range = { root, leaves: leaves.slice(index, index + count), index, size, path, sha256 }
        assert(verifyMerkleRange(range), `${index}+${count} of ${size}`)
        assert(!verifyMerkleRange({ ...range, index: index + 1 }))
        assert(!verifyMerkleRange({ ...range, leaves: range.leaves.toReversed() }) || count === 1)
        assert(!verifyMerkleRange({ ...range, path: [...path, root] }))
        assert(path.length === 0 || !verifyMerkleRange({ ...range, path: path.slice(1) }))
        assert(count === 1 || !verifyMerkleRange({ ...range, leaves: range.leaves.slice(1) }))
      }
    }
  }
})

test('the path of one leaf is the inclusion path of RFC 9162', () => {
  const leaves = leavesOf(11)
  for (const index of leaves.keys()) {
    assert.deepEqual(merkleRangePath(leaves, { index, count: 1 }, sha256), merklePath(leaves, index, sha256))
  }
})

test('leaves that are not next to each other are no range', () => {
  fc.assert(
    fc.property(fc.integer({ min: 3, max: 12 }), fc.nat(), fc.nat(), (size, first, second) => {
      const leaves = leavesOf(size)
      const [a, b] = [first % size, second % size]
      fc.pre(b !== a + 1)
      const root = merkleRoot(leaves, sha256)
      const chosen = [a, b].map((at) => leaves[at] ?? new Uint8Array())
      for (let index = 0; index + 2 <= size; index += 1) {
        const path = merkleRangePath(leaves, { index, count: 2 }, sha256)
        assert(!verifyMerkleRange({ root, leaves: chosen, index, size, path, sha256 }))
      }
    }),
  )
})

test('what is no range is a wrong call to make, and refused to check', () => {
  const leaves = leavesOf(3)
  for (const range of [
    { index: 3, count: 1 },
    { index: 2, count: 2 },
    { index: 0, count: 0 },
    { index: -1, count: 1 },
    { index: 0.5, count: 1 },
  ]) {
    assert.throws(() => merkleRangePath(leaves, range, sha256), RangeError)
  }
  const root = merkleRoot(leaves, sha256)
  const none = { root, leaves: [], index: 0, size: 3, path: [], sha256 }
  assert(!verifyMerkleRange(none))
  assert(!verifyMerkleRange({ ...none, leaves, size: 2 }))
  assert(!verifyMerkleRange({ ...none, leaves, size: 2 ** 32 }))
  assert(verifyMerkleRange({ ...none, leaves }))
})
