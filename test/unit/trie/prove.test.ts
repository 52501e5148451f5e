import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  createBranchHasher,
  EMPTY_TRIE,
  insertLeaves,
  keyOf,
  leafOf,
  type MerkleProof,
  pathTo,
  proofToJsonText,
  proveAbsence,
  proveInclusion,
  rootToJson,
  rootToJsonText,
  StoredTrie,
  stateRootOf,
  TrieError,
  TriePages,
  type TrieRoot,
  topOf,
  verifyAbsence,
  verifyInclusion,
} from '../../../src/trie/index.ts'
import { eagerRule, MemorySource, MemoryTrie, sha256, someMessages, trieOf } from './memory-trie.ts'
import { tries, unhex } from './seed-vectors.ts'

describe("the original's tries", () => {
  for (const trie of tries) {
    const built = new MemoryTrie()
    built.insertLeaves(
      trie.messages.map(({ keyHex, leafHashHex, dataHex }) => ({
        key: unhex(keyHex),
        leafHash: unhex(leafHashHex),
        reference: built.store(unhex(dataHex ?? '')),
      })),
    )

    it(`gives the original's text of the root: ${trie.name}`, () => {
      assert.deepEqual(rootToJson(topOf(built.root)), trie.rootJson)
      assert.equal(rootToJsonText(topOf(built.root)), trie.rootText)
    })

    it(`gives the original's proofs, byte for byte: ${trie.name}`, () => {
      for (const { message, depth, proof: expected, proofText } of trie.proofs) {
        const { keyHex, dataHex } = trie.messages[message] ?? assert.fail('the vector names a message')
        const made = proveInclusion(built.root, unhex(keyHex), built.pages, built.dataOf)
        assert.ok(made !== undefined)
        const proof = dataHex === null ? withoutData(made) : made
        assert.equal(proof.nodes.length, depth)
        assert.equal(proofToJsonText(proof), JSON.stringify(expected))
        if (proofText !== undefined) assert.equal(proofToJsonText(proof), proofText)
      }
    })

    it(`gives proofs that are accepted where keys are those of the data: ${trie.name}`, () => {
      for (const { message, proof } of trie.proofs) {
        const data = unhex(trie.messages[message]?.dataHex ?? '')
        const verdict = verifyInclusion({ rootHash: unhex(trie.rootHashHex), data, proof })
        assert.equal(verdict.ok, trie.keysAreHashesOfData)
      }
    })
  }

  it('writes the empty root as the original does', () => {
    assert.equal(rootToJsonText(topOf(EMPTY_TRIE)), '{"hash":null,"left":null,"right":null}')
  })

  it('writes fields in the order of the original whatever the order they were set in', () => {
    const root = { right: null, left: [1], hash: [2] }
    const leaf = { data: [3], key: [0], hash: null, prefix: null }
    const text = proofToJsonText({
      nodes: [
        [false, { Root: root }],
        [true, { Leaf: leaf }],
      ],
    })
    assert.equal(
      text,
      '{"nodes":[[false,{"Root":{"hash":[2],"left":[1],"right":null}}],' +
        '[true,{"Leaf":{"prefix":null,"key":[0],"hash":null,"data":[3]}}]]}',
    )
  })
})

describe('proofs of random tries', () => {
  const message = fc.uint8Array({ maxLength: 12 })
  const messages = fc.uniqueArray(message, { selector: (data) => String(data), maxLength: 60 })

  it('every message has an inclusion proof that verifies and no absence proof', () => {
    fc.assert(
      fc.property(messages, (all) => {
        const trie = trieOf(all)
        for (const data of all) {
          const key = keyOf(data, sha256)
          const proof = proveInclusion(trie.root, key, trie.pages, trie.dataOf)
          assert.deepEqual(verifyInclusion({ rootHash: hashOf(trie.root), key, data, proof }), { ok: true })
          assert.equal(proveAbsence(trie.root, key, trie.pages, trie.dataOf), undefined)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('every other key has an absence proof that verifies and no inclusion proof', () => {
    const absentKey = fc.oneof(
      message.map((data) => keyOf(data, sha256)),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
    )
    fc.assert(
      fc.property(messages, fc.array(absentKey, { maxLength: 10 }), (all, keys) => {
        const trie = trieOf(all)
        const present = new Set(all.map((data) => String(keyOf(data, sha256))))
        // Beside random keys, those a bit away from a message's.
        const near = all.slice(0, 5).map((data, bit) => flipped(keyOf(data, sha256), 8 * bit + 3))
        for (const key of [...keys, ...near].filter((each) => !present.has(String(each)))) {
          const proof = proveAbsence(trie.root, key, trie.pages, trie.dataOf)
          assert.deepEqual(verifyAbsence({ rootHash: hashOf(trie.root), key, proof }), { ok: true })
          assert.equal(proveInclusion(trie.root, key, trie.pages, trie.dataOf), undefined)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('every older root can be proven against after later insertions, in memory and after a restart', () => {
    const built = new MemoryTrie({
      cachedBytesMax: 3000,
      rule: { ...eagerRule, blocksMax: 20, leavesMax: 50 },
    })
    const all = someMessages(64)
    const roots = [EMPTY_TRIE, ...all.map((data) => built.insert([data]).root)]
    const restarted = new MemoryTrie({ source: built.source.copy(), cachedBytesMax: 3000 })
    const missing = all.slice(restarted.stored.height)
    restarted.data.push(...all.slice(0, restarted.stored.height))
    for (const data of missing) restarted.insert([data])
    for (const trie of [built, restarted]) {
      assert.equal(stateRootOf(trie.root), stateRootOf(built.root))
      for (const [height, root] of roots.entries()) {
        for (const [other, data] of all.entries()) {
          const key = keyOf(data, sha256)
          const past = trie.stored.rootAt(height, key)
          assert.equal(stateRootOf(past), stateRootOf(root))
          const inclusion = proveInclusion(past, key, trie.pages, trie.dataOf)
          const absence = proveAbsence(past, key, trie.pages, trie.dataOf)
          const isThere = other < height
          if (isThere) assert.ok(verifyInclusion({ rootHash: hashOf(root), data, proof: inclusion }).ok)
          else assert.ok(verifyAbsence({ rootHash: hashOf(root), key, proof: absence }).ok)
          assert.equal(isThere ? absence : inclusion, undefined)
        }
      }
    }
  })

  it('the oldest root that can be asked for is noted still while the next block is being written', () => {
    const pastMax = 2
    let hashed = 0
    const hashBranches = createBranchHasher()
    const pages = new TriePages({
      source: new MemorySource(),
      hash: sha256,
      hashBranches: (tasks) => {
        hashed += tasks.count
        hashBranches(tasks)
      },
    })
    const stored = new StoredTrie({ pages, checkpoint: undefined, pastMax })
    const roots = [stateRootOf(EMPTY_TRIE)]
    for (let height = 1; height <= 8; height += 1) {
      const leaves = someMessages(600, `block ${height}`).map((data, index) => ({
        ...leafOf(data, sha256),
        reference: { height, index },
      }))
      stored.append({ height, inserted: insertLeaves(stored.root, leaves, pages) })
      roots.push(stateRootOf(stored.root))
      // The store is a block behind the trie.
      const oldest = Math.max(0, height - 1 - pastMax)
      hashed = 0
      assert.equal(stateRootOf(stored.rootAt(oldest, sha256(Uint8Array.of(height)))), roots[oldest])
      // The branches between 256 parts, and those of one part; not those of all leaves.
      assert.ok(hashed < 300, `${hashed} branches hashed for the root of block ${oldest} after ${height}`)
    }
  })

  it('an older root is the same whether it was noted or is made again from the leaves', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(sizes, fc.nat(), (groups, seed) => {
        const source = new MemorySource()
        const built = new MemoryTrie({ source, cachedBytesMax: 3000, rule: eagerRule })
        const roots: string[] = [stateRootOf(EMPTY_TRIE)]
        let sent = 0
        for (const [at, size] of groups.entries()) {
          const height = at + 1
          const messages = someMessages(sent + size, `seed ${seed}`).slice(sent)
          sent += size
          const leaves = messages.map((data, index) => ({
            ...leafOf(data, sha256),
            reference: { height, index },
          }))
          built.insertLeaves(leaves)
          roots.push(stateRootOf(built.root))
        }
        // Without notes of its own.
        const late = new MemoryTrie({ source, cachedBytesMax: 3000 })
        for (const [height, root] of roots.entries()) {
          const key = keyOf(Uint8Array.of(height), sha256)
          assert.equal(stateRootOf(built.stored.rootAt(height, key)), root)
          if (height <= late.stored.height) assert.equal(stateRootOf(late.stored.rootAt(height, key)), root)
        }
      }),
      { numRuns: 20 },
    )
  })
})

describe('making proofs', () => {
  it('tells which leaf a proof will need, to read its data before', () => {
    const trie = trieOf(someMessages(20))
    const key = keyOf(someMessages(20)[7] ?? new Uint8Array(), sha256)
    assert.equal(pathTo(trie.root, key, trie.pages).leaf?.reference.height, 8)
    assert.deepEqual(pathTo(trie.root, key, trie.pages).leaf?.key, key)
    assert.equal(pathTo(EMPTY_TRIE, key, trie.pages).leaf, undefined)
  })

  it('says which message the store lacks', () => {
    const trie = trieOf(someMessages(3))
    const key = keyOf(someMessages(3)[1] ?? new Uint8Array(), sha256)
    assert.throws(
      () => proveInclusion(trie.root, key, trie.pages, () => undefined),
      (error) =>
        error instanceof TrieError &&
        error.code === 'missing-data' &&
        error.message.includes('message 0 of block 2'),
    )
  })
})

/** The recorded tries with hand-made keys have leaves without data, which no message makes. */
function withoutData(proof: MerkleProof): MerkleProof {
  return {
    nodes: proof.nodes.map(([isRight, node]) =>
      'Leaf' in node ? [isRight, { Leaf: { ...node.Leaf, data: null } }] : [isRight, node],
    ),
  }
}

function hashOf(root: TrieRoot): Uint8Array {
  return unhex(stateRootOf(root))
}

function flipped(key: Uint8Array, bit: number): Uint8Array {
  return key.with(bit >> 3, (key[bit >> 3] ?? 0) ^ (1 << (7 - (bit & 7))))
}
