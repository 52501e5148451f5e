import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { sha256 as portableSha256 } from '../../../src/crypto/portable/hash.ts'
import {
  bitOf,
  encodeBranch,
  encodeLeaf,
  encodeRoot,
  firstDifference,
  keyFromBits,
  keyOf,
  keyToBits,
  leafOf,
} from '../../../src/trie/encoding.ts'
import { sha256 } from './memory-trie.ts'
import { encodeForHash, encodeForStore } from './seed-encoding.ts'
import { hex, leaves, nodes, unhex } from './seed-vectors.ts'

describe('the encoding of nodes', () => {
  for (const leaf of leaves) {
    it(`gives the original's key and leaf hash: ${leaf.name}`, () => {
      const data = unhex(leaf.dataHex)
      const { key, leafHash } = leafOf(data, sha256)
      assert.equal(hex(key), leaf.keyHex)
      assert.equal(hex(leafHash), leaf.leafHashHex)
      assert.equal(hex(keyOf(data, portableSha256)), leaf.keyHex)
      assert.equal(hex(sha256(encodeLeaf(key, data))), leaf.leafHashHex)
    })
  }

  it("hashes the original's bytes for key and leaf", () => {
    const hashed: string[] = []
    const recording = (bytes: Uint8Array) => {
      hashed.push(hex(bytes))
      return sha256(bytes)
    }
    const recorded = leaves.filter((leaf) => leaf.keyPreimageHex !== undefined)
    for (const leaf of recorded) {
      hashed.length = 0
      leafOf(unhex(leaf.dataHex), recording)
      assert.deepEqual(hashed, [leaf.keyPreimageHex, leaf.leafHashedBytesHex])
    }
    assert.ok(recorded.length > 10)
  })

  it('writes the bits of a key with the most significant first', () => {
    for (const leaf of leaves) {
      if (leaf.keyBits === undefined) continue
      const key = unhex(leaf.keyHex)
      assert.equal(keyToBits(key).join(''), leaf.keyBits)
      assert.equal(bitOf(key, 0), Number(leaf.keyBits[0]))
      assert.deepEqual(keyFromBits(keyToBits(key)), key)
    }
  })

  it('takes 256 entries of 0 and 1 for a key and nothing else', () => {
    const zeros: number[] = new Array(256).fill(0)
    assert.deepEqual(keyFromBits(zeros), new Uint8Array(32))
    for (const wrong of [
      zeros.slice(1),
      [...zeros, 0],
      [],
      zeros.with(255, 2),
      zeros.with(0, -1),
      zeros.with(0, 0.5),
    ]) {
      assert.equal(keyFromBits(wrong), undefined)
    }
  })

  for (const node of nodes) {
    it(`agrees with the original on a hand-made node: ${node.name}`, () => {
      assert.equal(hex(encodeForHash(node.nodeJson)), node.hashedBytesHex)
      assert.equal(hex(sha256(encodeForHash(node.nodeJson))), node.hashHex)
      assert.equal(hex(encodeForStore(node.nodeJson)), node.storedEnumBytesHex)
    })
  }

  it('writes every hand-made node that a canonical trie can have as the original does', () => {
    let count = 0
    for (const { nodeJson, hashedBytesHex } of nodes) {
      const encoded = encodeIfCanonical(nodeJson)
      if (encoded === undefined) continue
      assert.equal(hex(encoded), hashedBytesHex)
      count += 1
    }
    assert.equal(count, 4 + 7 + 2)
  })

  it('finds the first bit in which two keys differ', () => {
    const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(key, key, fc.nat(32), (a, other, sharedBytes) => {
        const b = Uint8Array.from([...a.slice(0, sharedBytes), ...other.slice(sharedBytes)])
        const first = keyToBits(a).findIndex((bit, index) => bit !== bitOf(b, index))
        assert.equal(firstDifference(a, b), first < 0 ? 256 : first)
      }),
    )
  })
})

function encodeIfCanonical(node: (typeof nodes)[number]['nodeJson']): Uint8Array | undefined {
  if ('Root' in node) return encodeRoot(bytesOf(node.Root.left), bytesOf(node.Root.right))
  if ('Branch' in node) {
    const [bit = 0] = node.Branch.key
    const [left, right] = [bytesOf(node.Branch.left), bytesOf(node.Branch.right)]
    return left === null || right === null ? undefined : encodeBranch(bit, left, right)
  }
  const key = keyFromBits(node.Leaf.key)
  const data = bytesOf(node.Leaf.data)
  if (node.Leaf.prefix !== null || key === undefined || data === null) return undefined
  return encodeLeaf(key, data)
}

function bytesOf(field: readonly number[] | null): Uint8Array | null {
  return field === null ? null : Uint8Array.from(field)
}
