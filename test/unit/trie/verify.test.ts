import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { bitOf, encodeBranch, encodeLeaf, encodeRoot, keyToBits, leafOf } from '../../../src/trie/encoding.ts'
import {
  EMPTY_TRIE,
  keyOf,
  type MerkleProof,
  proveAbsence,
  proveInclusion,
  stateRootOf,
  verifyAbsence,
  verifyInclusion,
} from '../../../src/trie/index.ts'
import { MemoryTrie, sha256, someMessages, trieOf } from './memory-trie.ts'
import { changesOf } from './proof-changes.ts'
import { forged, type ProofClaim, seedNonCanonicalTries, tries, unhex } from './seed-vectors.ts'

function verdictOn({ rootHashHex, claimedDataHex, proof }: ProofClaim) {
  return verifyInclusion({ rootHash: unhex(rootHashHex), data: unhex(claimedDataHex), proof })
}

describe('verifying an inclusion proof', () => {
  for (const control of forged.controlsThatMustPass) {
    it(`accepts a right proof: ${control.name}`, () => {
      assert.deepEqual(verdictOn(control), { ok: true })
      const asText = { ...control, proof: JSON.stringify(control.proof) }
      assert.deepEqual(verdictOn(asText), { ok: true })
    })
  }

  for (const claim of [...forged.mustReject, ...forged.hashFieldsOnly]) {
    it(`refuses, without throwing: ${claim.group ?? 'hash fields'}: ${claim.name}`, () => {
      assert.equal(verdictOn(claim).ok, false)
      assert.equal(verdictOn({ ...claim, proof: JSON.stringify(claim.proof) }).ok, false)
    })
  }

  for (const { messagesInOrder, exampleMessage, exampleProof, seedRootHashHex } of seedNonCanonicalTries) {
    it(`refuses the original's proof of a trie whose bits do not increase: ${seedRootHashHex.slice(0, 8)}`, () => {
      const data = unhex(messagesInOrder[exampleMessage] ?? '')
      const verdict = verifyInclusion({ rootHash: unhex(seedRootHashHex), data, proof: exampleProof })
      assert.deepEqual(verdict, { ok: false, reason: 'bits-not-increasing' })
    })
  }

  it('refuses every small change to a proof', () => {
    const { trie, data, key } = smallTrie()
    const rootHash = unhex(stateRootOf(trie.root))
    const proof = proveInclusion(trie.root, key, trie.pages, trie.dataOf) ?? assert.fail('the key is there')
    assert.deepEqual(verifyInclusion({ rootHash, data, proof }), { ok: true })
    let count = 0
    for (const changed of changesOf(JSON.parse(JSON.stringify(proof)))) {
      if (JSON.stringify(changed) === JSON.stringify(proof)) continue
      const verdict = verifyInclusion({ rootHash, data, proof: changed })
      assert.equal(verdict.ok, false, JSON.stringify(changed))
      count += 1
    }
    assert.ok(count > 3000, `${count} changes`)
  })

  it('refuses another root, another message and a key that is not the data’s', () => {
    const { trie, data, key } = smallTrie()
    const rootHash = unhex(stateRootOf(trie.root))
    const proof = proveInclusion(trie.root, key, trie.pages, trie.dataOf)
    const right = { rootHash, key, data, proof }
    assert.deepEqual(verifyInclusion(right), { ok: true })
    for (let bit = 0; bit < 256; bit += 1) {
      assert.equal(verifyInclusion({ ...right, rootHash: flipped(rootHash, bit) }).ok, false)
      assert.equal(verifyInclusion({ ...right, key: flipped(key, bit) }).ok, false)
    }
    for (const wrong of [
      new Uint8Array(),
      rootHash.slice(1),
      Uint8Array.from([...rootHash, 0]),
      new Uint8Array(32),
    ]) {
      assert.equal(verifyInclusion({ ...right, rootHash: wrong }).ok, false)
    }
    assert.equal(verifyInclusion({ ...right, data: Uint8Array.from([...data, 0]) }).ok, false)
    for (const other of someMessages(5).filter((each) => String(each) !== String(data))) {
      const verdict = verifyInclusion({ rootHash, data: other, proof })
      assert.equal(verdict.ok, false)
    }
  })

  it('never throws on any JSON', () => {
    const { trie, data } = smallTrie()
    const rootHash = unhex(stateRootOf(trie.root))
    fc.assert(
      fc.property(fc.jsonValue(), (proof) => {
        assert.deepEqual(verifyInclusion({ rootHash, data, proof }), { ok: false, reason: 'malformed' })
        assert.deepEqual(verifyAbsence({ rootHash, key: data, proof }), { ok: false, reason: 'malformed' })
      }),
    )
  })
})

describe('verifying an absence proof', () => {
  it('refuses every small change to a proof that ends with a leaf', () => {
    const { trie } = smallTrie()
    const key = absentKeyOf(trie)
    const rootHash = unhex(stateRootOf(trie.root))
    const proof = proveAbsence(trie.root, key, trie.pages, trie.dataOf) ?? assert.fail('the key is absent')
    assert.ok(proof.nodes.length > 2)
    assert.deepEqual(verifyAbsence({ rootHash, key, proof }), { ok: true })
    for (const changed of changesOf(JSON.parse(JSON.stringify(proof)))) {
      if (JSON.stringify(changed) === JSON.stringify(proof)) continue
      assert.equal(verifyAbsence({ rootHash, key, proof: changed }).ok, false, JSON.stringify(changed))
    }
  })

  it('accepts the empty side of the root, and refuses it for a key of the other side', () => {
    const [data = new Uint8Array()] = someMessages(1)
    const trie = trieOf([data])
    const rootHash = unhex(stateRootOf(trie.root))
    const key = flipped(keyOf(data, sha256), 0)
    const proof = proveAbsence(trie.root, key, trie.pages, trie.dataOf) ?? assert.fail('that side is empty')
    assert.equal(proof.nodes.length, 1)
    assert.deepEqual(verifyAbsence({ rootHash, key, proof }), { ok: true })
    const there = { ...proof, key: keyToBits(keyOf(data, sha256)) }
    assert.deepEqual(verifyAbsence({ rootHash, key: keyOf(data, sha256), proof: there }), {
      ok: false,
      reason: 'side-is-not-empty',
    })
    for (const changed of changesOf(JSON.parse(JSON.stringify(proof)))) {
      assert.equal(verifyAbsence({ rootHash, key, proof: changed }).ok, false)
    }
  })

  it('accepts any key as absent from the empty trie, and the empty trie for no other root', () => {
    const pages = new MemoryTrie().pages
    const key = new Uint8Array(32).fill(0x5a)
    const proof = proveAbsence(EMPTY_TRIE, key, pages, () => undefined) ?? assert.fail('nothing is there')
    assert.deepEqual(verifyAbsence({ rootHash: new Uint8Array(32), key, proof }), { ok: true })
    for (const rootHash of [new Uint8Array(31), new Uint8Array(32).fill(1), sha256(new Uint8Array(3))]) {
      assert.equal(verifyAbsence({ rootHash, key, proof }).ok, false)
    }
    for (const changed of changesOf(JSON.parse(JSON.stringify(proof)))) {
      assert.equal(verifyAbsence({ rootHash: new Uint8Array(32), key, proof: changed }).ok, false)
    }
  })

  it('refuses a root of two nulls that was hashed, which no trie has', () => {
    const rootHash = sha256(encodeRoot(null, null))
    const root = { hash: Array.from(rootHash), left: null, right: null }
    const key = new Uint8Array(32)
    const proof = { absent: true, key: keyToBits(key), nodes: [[false, { Root: root }]] }
    assert.deepEqual(verifyAbsence({ rootHash, key, proof }), { ok: false, reason: 'hash-mismatch' })
  })

  it('refuses the path of a message that is there, as its absence', () => {
    const { trie, key } = smallTrie()
    const inclusion =
      proveInclusion(trie.root, key, trie.pages, trie.dataOf) ?? assert.fail('the key is there')
    const rootHash = unhex(stateRootOf(trie.root))
    const whole = { absent: true, key: keyToBits(key), nodes: inclusion.nodes }
    assert.deepEqual(verifyAbsence({ rootHash, key, proof: whole }), { ok: false, reason: 'key-is-present' })
    for (let length = 0; length < inclusion.nodes.length; length += 1) {
      const cut = { ...whole, nodes: inclusion.nodes.slice(0, length) }
      assert.equal(verifyAbsence({ rootHash, key, proof: cut }).ok, false)
    }
  })

  it('refuses the path of every other key, as this one’s', () => {
    const { trie, key } = smallTrie()
    const rootHash = unhex(stateRootOf(trie.root))
    for (const data of someMessages(5)) {
      const other = proveInclusion(trie.root, keyOf(data, sha256), trie.pages, trie.dataOf)
      const proof = { absent: true, key: keyToBits(key), nodes: other?.nodes ?? [] }
      assert.equal(verifyAbsence({ rootHash, key, proof }).ok, false)
    }
  })

  it('refuses a leaf that lies where its own bits do not lead, though all is hashed right', () => {
    const [first = new Uint8Array(), second = new Uint8Array()] = someMessages(40).filter(
      (data) => bitOf(keyOf(data, sha256), 0) === 0,
    )
    // Both begin with 0; the dishonest root puts the second on the right.
    const [onLeft, onRight] = [leafOf(first, sha256), leafOf(second, sha256)]
    const rootHash = sha256(encodeRoot(onLeft.leafHash, onRight.leafHash))
    const root = {
      hash: Array.from(rootHash),
      left: Array.from(onLeft.leafHash),
      right: Array.from(onRight.leafHash),
    }
    const leaf = {
      prefix: null,
      key: keyToBits(onRight.key),
      hash: Array.from(onRight.leafHash),
      data: Array.from(second),
    }
    const key = new Uint8Array(32).fill(0xff)
    const proof = {
      absent: true,
      key: keyToBits(key),
      nodes: [
        [false, { Root: root }],
        [true, { Leaf: leaf }],
      ],
    }
    assert.deepEqual(verifyAbsence({ rootHash, key, proof }), { ok: false, reason: 'leaf-off-its-path' })
  })

  it('follows the longest path there can be up to the leaf', () => {
    const staircase =
      tries.find(({ name }) => name.includes('staircase')) ?? assert.fail('there is that vector')
    const built = new MemoryTrie()
    const data = Uint8Array.of(1)
    built.insertLeaves(
      staircase.messages.slice(0, -1).map(({ keyHex }) => {
        const key = unhex(keyHex)
        return { key, leafHash: sha256(encodeLeaf(key, data)), reference: built.store(data) }
      }),
    )
    const key = unhex(staircase.messages.at(-1)?.keyHex ?? '')
    const rootHash = unhex(stateRootOf(built.root))
    const proof = proveAbsence(built.root, key, built.pages, built.dataOf) ?? assert.fail('it was left out')
    assert.ok(proof.nodes.length >= 256)
    // The last thing looked at: hand-made keys are not those of their data.
    assert.deepEqual(verifyAbsence({ rootHash, key, proof }), { ok: false, reason: 'key-is-not-of-data' })
  })

  it('refuses a key that is not 32 bytes', () => {
    const { trie } = smallTrie()
    const rootHash = unhex(stateRootOf(trie.root))
    const proof = proveAbsence(trie.root, absentKeyOf(trie), trie.pages, trie.dataOf)
    for (const key of [new Uint8Array(), absentKeyOf(trie).slice(1)]) {
      assert.deepEqual(verifyAbsence({ rootHash, key, proof }), { ok: false, reason: 'other-key' })
    }
  })
})

describe('one root hash', () => {
  it('allows no key both proofs, even where the root is dishonest', () => {
    // Of two leaves on one side, the branch's bit lies: both walks have to take the same child all the same.
    const [a = new Uint8Array(), b = new Uint8Array()] = someMessages(2)
    const [first, second] = [leafOf(a, sha256), leafOf(b, sha256)]
    for (const bit of [1, 2, 200, 255]) {
      const branchHash = sha256(encodeBranch(bit, first.leafHash, second.leafHash))
      const rootHash = sha256(encodeRoot(branchHash, branchHash))
      const steps = (data: Uint8Array, key: Uint8Array, leafHash: Uint8Array): unknown[] => [
        [false, { Root: { hash: [...rootHash], left: [...branchHash], right: [...branchHash] } }],
        [
          keyToBits(first.key)[0] === 1,
          {
            Branch: {
              key: [bit],
              hash: [...branchHash],
              left: [...first.leafHash],
              right: [...second.leafHash],
            },
          },
        ],
        [
          keyToBits(first.key)[bit] === 1,
          { Leaf: { prefix: null, key: keyToBits(key), hash: [...leafHash], data: [...data] } },
        ],
      ]
      const inclusion = verifyInclusion({
        rootHash,
        data: a,
        proof: { nodes: steps(a, first.key, first.leafHash) },
      })
      const absence = verifyAbsence({
        rootHash,
        key: first.key,
        proof: { absent: true, key: keyToBits(first.key), nodes: steps(b, second.key, second.leafHash) },
      })
      assert.ok(!(inclusion.ok && absence.ok))
    }
  })
})

describe('the verifier for browsers', () => {
  it('imports nothing of Node, and of other rooms only the portable hash', () => {
    const seen = new Set<string>()
    const waiting = [new URL('../../../src/trie/verify.ts', import.meta.url)]
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      if (seen.has(file.href)) continue
      seen.add(file.href)
      const text = readFileSync(file, 'utf8')
      for (const [, isType, from = ''] of text.matchAll(
        /(?:import|export)( type)?\s[^'"]*?from '([^']+)'/g,
      )) {
        if (isType !== undefined) continue
        assert.ok(!from.startsWith('node:'), `${file.href} imports ${from}`)
        if (from.startsWith('.')) waiting.push(new URL(from, file))
      }
    }
    const rooms = [...seen].map((href) => href.split('/src/')[1] ?? '')
    assert.ok(rooms.every((path) => path.startsWith('trie/') || path.startsWith('crypto/portable/')))
    for (const name of ['insert', 'pages', 'page', 'prove', 'past', 'stored-trie', 'root', 'errors']) {
      assert.ok(!rooms.includes(`trie/${name}.ts`), name)
    }
  })
})

/** Five messages, and one of them whose path has a branch. */
function smallTrie(): { trie: MemoryTrie; data: Uint8Array; key: Uint8Array } {
  const trie = trieOf(someMessages(5))
  for (const data of someMessages(5)) {
    const key = keyOf(data, sha256)
    const proof: MerkleProof | undefined = proveInclusion(trie.root, key, trie.pages, trie.dataOf)
    if (proof !== undefined && proof.nodes.length > 3) return { trie, data, key }
  }
  return assert.fail('five messages make a branch')
}

/** A key that is not there and on whose path lies a branch. */
function absentKeyOf(trie: MemoryTrie): Uint8Array {
  for (const data of someMessages(20, 'absent')) {
    const key = keyOf(data, sha256)
    const proof = proveAbsence(trie.root, key, trie.pages, trie.dataOf)
    if (proof !== undefined && proof.nodes.length > 2) return key
  }
  return assert.fail('some key of twenty passes a branch')
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (7 - (bit & 7))))
}
