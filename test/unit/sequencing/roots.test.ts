import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { bytesToHex, hexToBytes } from '../../../src/codec/index.ts'
import {
  compareNamespaces,
  encodeNamespaceLeaf,
  merklePath,
  merkleRoot,
  namespaceRoot,
  namespaceTree,
  sequencePath,
  sequenceRoot,
  verifyMerklePath,
  verifySequencePath,
} from '../../../src/sequencing/index.ts'
import type { Hash, MessageId, SequencedMessage } from '../../../src/types/index.ts'
import { aMessage, hashOf, sha256 } from './builders.ts'

/** The leaves and roots that Certificate Transparency's reference implementations share. */
const knownLeaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map(hexToBytes)
const knownRoots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

function messageIds(count: number): MessageId[] {
  return Array.from({ length: count }, (_, at) => hashOf(`message ${at}`) as MessageId)
}

/** The definition of RFC 9162, section 2.1.1, word by word. */
function rootByDefinition(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256(new Uint8Array(0))
  const [only] = leaves
  if (leaves.length === 1 && only !== undefined) return sha256(Buffer.concat([Uint8Array.of(0), only]))
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  const halves = [rootByDefinition(leaves.slice(0, split)), rootByDefinition(leaves.slice(split))]
  return sha256(Buffer.concat([Uint8Array.of(1), ...halves]))
}

describe('the tree of RFC 9162', () => {
  test('has the known roots', () => {
    for (const [size, root] of knownRoots.entries())
      assert.equal(bytesToHex(merkleRoot(knownLeaves.slice(0, size), sha256)), root)
  })

  test('has the root of the definition, at any size', () => {
    const leaves = Array.from({ length: 70 }, (_, at) => Uint8Array.of(at))
    for (let size = 0; size <= leaves.length; size++) {
      const some = leaves.slice(0, size)
      assert.deepEqual(merkleRoot(some, sha256), rootByDefinition(some))
    }
  })

  test('has the known paths', () => {
    // Inclusion proofs of Certificate Transparency's test tree: leaf 5 of 8, leaf 2 of 3, leaf 1 of 5 (from 0).
    const pathOf = (index: number, size: number) =>
      merklePath(knownLeaves.slice(0, size), index, sha256).map(bytesToHex)
    assert.deepEqual(pathOf(5, 8), [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ])
    assert.deepEqual(pathOf(2, 3), ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'])
    assert.deepEqual(pathOf(1, 5), [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ])
  })

  test('has no path for a leaf that is not there', () => {
    assert.throws(() => merklePath(knownLeaves, 8, sha256), RangeError)
    assert.throws(() => merklePath(knownLeaves, -1, sha256), RangeError)
    assert.throws(() => merklePath([], 0, sha256), RangeError)
  })
})

describe('a path to the sequence root', () => {
  test('verifies for every message of blocks of any size, and at its own place only', () => {
    for (let count = 1; count <= 20; count++) {
      const ids = messageIds(count)
      const root = sequenceRoot(ids, sha256)
      for (const [index, messageId] of ids.entries()) {
        const proof = { root, messageId, path: sequencePath(ids, index, sha256), sha256 }
        for (let place = 0; place < count; place++)
          assert.equal(verifySequencePath({ ...proof, index: place, count }), place === index)
      }
    }
  })

  test('verifies among that many messages only, where its length tells', () => {
    const ids = messageIds(5)
    const proof = { root: sequenceRoot(ids, sha256), messageId: ids[2] as MessageId, index: 2, sha256 }
    const path = sequencePath(ids, 2, sha256)
    assert.equal(verifySequencePath({ ...proof, path, count: 5 }), true)
    for (const count of [0, 1, 2, 3, 4, 9]) assert.equal(verifySequencePath({ ...proof, path, count }), false)
  })

  test('is refused when anything is added, left out or changed', () => {
    const ids = messageIds(7)
    const proof = {
      root: sequenceRoot(ids, sha256),
      messageId: ids[3] as MessageId,
      index: 3,
      count: 7,
      sha256,
    }
    const path = sequencePath(ids, 3, sha256)
    const other = hashOf('other')
    assert.equal(verifySequencePath({ ...proof, path }), true)
    assert.equal(verifySequencePath({ ...proof, path: path.slice(1) }), false)
    assert.equal(verifySequencePath({ ...proof, path: [...path, other] }), false)
    for (const at of path.keys())
      assert.equal(verifySequencePath({ ...proof, path: path.with(at, other) }), false)
    assert.equal(verifySequencePath({ ...proof, path, root: other }), false)
    assert.equal(verifySequencePath({ ...proof, path, messageId: other as MessageId }), false)
  })

  test('is refused, without a throw, when it is not even well-formed', () => {
    const [messageId] = messageIds(1) as [MessageId]
    const proof = { root: sequenceRoot([messageId], sha256), messageId, index: 0, count: 1, path: [], sha256 }
    assert.equal(verifySequencePath(proof), true)
    for (const index of [-1, 0.5, Number.NaN, 2 ** 32, 1])
      assert.equal(verifySequencePath({ ...proof, index }), false)
    for (const count of [-1, 0, 1.5, Number.NaN, 2 ** 32 + 1])
      assert.equal(verifySequencePath({ ...proof, count }), false)
    assert.equal(verifySequencePath({ ...proof, root: proof.root.toUpperCase() as Hash }), false)
    assert.equal(verifySequencePath({ ...proof, messageId: '' as MessageId }), false)
    assert.equal(verifySequencePath({ ...proof, count: 2, path: ['zz' as Hash] }), false)
    const short = { leaf: hexToBytes(messageId), root: hexToBytes(proof.root), index: 0, size: 2, sha256 }
    assert.equal(verifyMerklePath({ ...short, path: [new Uint8Array(31)] }), false)
  })

  test('holds for the last of the largest tree that a count can name', () => {
    const path = Array.from({ length: 32 }, () => hashOf('sibling'))
    let root = sha256(Buffer.concat([Uint8Array.of(0), hexToBytes(hashOf('leaf'))]))
    for (const sibling of path) root = sha256(Buffer.concat([Uint8Array.of(1), hexToBytes(sibling), root]))
    const proof = { root: bytesToHex(root) as Hash, messageId: hashOf('leaf') as MessageId, path, sha256 }
    // Index and last are all ones, 32 of them, less the highest place that a u32 count leaves.
    assert.equal(verifySequencePath({ ...proof, index: 2 ** 32 - 1, count: 2 ** 32 }), false)
    const odd = { ...proof, index: 2 ** 32 - 2, count: 2 ** 32 - 1 }
    assert.equal(verifySequencePath({ ...odd, path: path.slice(1) }), false)
  })
})

describe('the namespaces tree', () => {
  function sequenced(namespaces: readonly (string | undefined)[]): SequencedMessage[] {
    return namespaces.map((namespace, at) => ({
      id: hashOf(`message ${at}`) as MessageId,
      message: aMessage('', namespace === undefined ? {} : { namespace }),
    }))
  }

  test('has one leaf a namespace with the places of its messages, and none for messages without', () => {
    const messages = sequenced(['b', undefined, 'a', 'b'])
    const { leaves } = namespaceTree(messages, sha256)
    assert.deepEqual(
      leaves.map(({ namespace, pairs }) => [namespace, pairs.map((pair) => pair.index)]),
      [
        ['a', [2]],
        ['b', [0, 3]],
      ],
    )
    assert.deepEqual(leaves[1]?.pairs[1], { index: 3, id: messages[3]?.id })
  })

  test('is made of the bytes that the protocol says', () => {
    const [message] = sequenced(['näme']) as [SequencedMessage]
    const pair = Buffer.concat([Uint8Array.of(0, 0, 0, 0), hexToBytes(message.id)])
    const pairsRoot = sha256(Buffer.concat([Uint8Array.of(0), pair]))
    const leaf = Buffer.concat([Uint8Array.of(5), Buffer.from('näme'), Uint8Array.of(0, 0, 0, 1), pairsRoot])
    const tree = namespaceTree([message], sha256)
    assert.equal(tree.root, bytesToHex(sha256(Buffer.concat([Uint8Array.of(0), leaf]))))
    assert.equal(tree.leaves[0]?.root, bytesToHex(pairsRoot))
    const encoded = encodeNamespaceLeaf({ namespace: 'näme', count: 1, root: bytesToHex(pairsRoot) as Hash })
    assert.deepEqual(encoded, new Uint8Array(leaf))
  })

  test('stands in order of UTF-8 bytes, a prefix first', () => {
    // UTF-16 would put the emoji (a surrogate pair from d800 on) before U+FF5E.
    const names = ['a', 'aa', 'b', 'é', '\uff5e', '😀']
    const { leaves } = namespaceTree(sequenced(names.toReversed()), sha256)
    assert.deepEqual(
      leaves.map((leaf) => leaf.namespace),
      names,
    )
    assert.ok(compareNamespaces('\uff5e', '😀') < 0)
  })

  test('of no namespace has the root of the empty tree', () => {
    assert.deepEqual(namespaceTree(sequenced([undefined]), sha256), { root: knownRoots[0], leaves: [] })
  })

  test('changes with any message of a namespace and its place', () => {
    const id = hashOf('message 0') as MessageId
    const root = namespaceRoot([{ index: 0, id }], sha256)
    assert.notEqual(root, namespaceRoot([{ index: 1, id }], sha256))
    assert.notEqual(root, namespaceRoot([{ index: 0, id: hashOf('other') as MessageId }], sha256))
  })

  test('its leaves prove themselves and their neighbours, whatever the messages', () => {
    const names = fc.array(fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { nil: undefined }), {
      maxLength: 30,
    })
    fc.assert(
      fc.property(names, (namespaces) => {
        const tree = namespaceTree(sequenced(namespaces), sha256)
        const encoded = tree.leaves.map((leaf) => encodeNamespaceLeaf({ ...leaf, count: leaf.pairs.length }))
        for (const [index, leaf] of encoded.entries()) {
          const path = merklePath(encoded, index, sha256)
          const proof = { root: hexToBytes(tree.root), leaf, index, size: encoded.length, path, sha256 }
          assert.equal(verifyMerklePath(proof), true)
        }
        assert.equal(new Set(namespaces.filter((name) => name !== undefined)).size, tree.leaves.length)
      }),
      { numRuns: 50 },
    )
  })
})
