import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  keyOf,
  type MerkleProof,
  parseAbsenceProofJson,
  parseProofJson,
  proofToJsonText,
  proveAbsence,
  proveInclusion,
} from '../../../src/trie/index.ts'
import { sha256, someMessages, trieOf } from './memory-trie.ts'
import { forged, tries } from './seed-vectors.ts'

const SMALL =
  '{"nodes":[[false,{"Root":{"hash":[1],"left":null,"right":[2]}}],' +
  '[true,{"Branch":{"key":[7],"hash":null,"left":[],"right":[255]}}],' +
  '[false,{"Leaf":{"prefix":null,"key":[0,1],"hash":[3],"data":[4]}}]]}'

describe('reading the JSON of a proof', () => {
  for (const { name, text, seedReads } of forged.jsonTexts) {
    // Written forms only: of what the original reads, these two are not what anyone writes.
    const isRead = seedReads && !['Leaf.prefix missing', 'unknown extra field'].includes(name)
    it(`${isRead ? 'reads' : 'refuses'} the text: ${name}`, () => {
      assert.equal(parseProofJson(text).ok, isRead)
    })
  }

  it('gives the recorded proofs back as they were, from text and from values', () => {
    for (const { proofs } of tries) {
      for (const { proof } of proofs) {
        for (const input of [JSON.stringify(proof), proof]) {
          const reading = parseProofJson(input)
          assert.ok(reading.ok)
          assert.equal(proofToJsonText(reading.proof), JSON.stringify(proof))
        }
      }
    }
  })

  it('takes fields in any order and blanks between them', () => {
    const reading = parseProofJson(
      '\n{ "nodes" : [ [ false , {"Root":{"right":null,\t"hash":[1],"left":[ 2 ]}} ] ]\r\n} ',
    )
    assert.ok(reading.ok)
    assert.equal(
      proofToJsonText(reading.proof),
      '{"nodes":[[false,{"Root":{"hash":[1],"left":[2],"right":null}}]]}',
    )
  })

  const wrongTexts: [string, string][] = [
    ['a field twice at the top', SMALL.replace('{"nodes"', '{"nodes":[],"nodes"')],
    ['a field twice, the same value', SMALL.replace('"left":null', '"left":null,"left":null')],
    ['a kind twice', SMALL.replace('{"Root":', '{"Root":null,"Root":')],
    ['an unknown field at the top', SMALL.replace(/}$/, ',"more":1}')],
    ['an unknown field beside the kind', SMALL.replace('{"Root":', '{"more":null,"Root":')],
    ['a field left out', SMALL.replace('"hash":[1],', '')],
    ['a positional proof', SMALL.slice('{"nodes":'.length, -1)],
    ['a positional node', SMALL.replace('{"hash":[1],"left":null,"right":[2]}', '[[1],null,[2]]')],
    ['a name with an escape', SMALL.replace('"nodes"', '"node\\u0073"')],
    ['a byte with a sign', SMALL.replace('[255]', '[+255]')],
    ['minus zero', SMALL.replace('[4]', '[-0]')],
    ['a byte with a leading zero', SMALL.replace('[4]', '[04]')],
    ['two zeros', SMALL.replace('[4]', '[00]')],
    ['a byte above 255', SMALL.replace('[255]', '[256]')],
    ['an exponent', SMALL.replace('[4]', '[4e0]')],
    ['a fraction of nothing', SMALL.replace('[4]', '[4.0]')],
    ['a comma before the end of a list', SMALL.replace('[4]', '[4,]')],
    ['a comma before the end of an object', SMALL.replace('[4]}', '[4],}')],
    ['a list in a list', SMALL.replace('[4]', '[[4]]')],
    ['null for a byte', SMALL.replace('[4]', '[null]')],
    ['null for a key', SMALL.replace('"key":[7]', '"key":null')],
    ['bytes as base64', SMALL.replace('[4]', '"BA=="')],
    ['null for a flag', SMALL.replace('[true,', '[null,')],
    ['text after the proof', `${SMALL} x`],
    ['a second proof', SMALL + SMALL],
    ['a byte order mark', `\uFEFF${SMALL}`],
    ['a comment', SMALL.replace('[4]', '[4/**/]')],
    ['another blank', SMALL.replace('[4]', '[\u00a04]')],
    ['nothing', ''],
    ['a field of every object', SMALL.replace('{"Root":', '{"__proto__":')],
  ]
  for (const [name, text] of wrongTexts) {
    it(`refuses in a text: ${name}`, () => {
      assert.ok(parseProofJson(SMALL).ok)
      assert.notEqual(text, SMALL)
      assert.equal(parseProofJson(text).ok, false)
    })
  }

  it('refuses every text that is cut short', () => {
    for (let length = 0; length < SMALL.length; length += 1) {
      assert.equal(parseProofJson(SMALL.slice(0, length)).ok, false)
    }
  })

  it('refuses in a value what it can see there', () => {
    const leaf = { prefix: null, key: [0], hash: null, data: [1] }
    const wrong: unknown[] = [
      undefined,
      null,
      7,
      true,
      [],
      {},
      { nodes: {} },
      { nodes: [], more: 1 },
      { nodes: [null] },
      { nodes: [[false]] },
      { nodes: [[false, null]] },
      { nodes: [[false, {}]] },
      { nodes: [[false, []]] },
      { nodes: [[0, { Leaf: leaf }]] },
      { nodes: [[false, { Leaf: leaf }, 1]] },
      { nodes: [[false, { Leaf: leaf, Root: leaf }]] },
      { nodes: [[false, { Leaf: [null, [0], null, [1]] }]] },
      ...[256, -1, 1.5, Number.NaN, -0, '1', null, undefined, [1], 1n].map((byte) => ({
        nodes: [[false, { Leaf: { ...leaf, data: [byte] } }]],
      })),
      { nodes: [[false, { Leaf: { ...leaf, data: Uint8Array.of(1) } }]] },
      { nodes: [[false, { Leaf: { ...leaf, data: undefined } }]] },
      { nodes: [[false, { Leaf: { ...leaf, data: new Array(3) } }]] },
    ]
    assert.ok(parseProofJson({ nodes: [[false, { Leaf: leaf }]] }).ok)
    for (const value of wrong) assert.equal(parseProofJson(value).ok, false)
  })

  it('takes 257 nodes and refuses 258', () => {
    const step = [false, { Root: { hash: null, left: null, right: null } }]
    assert.ok(parseProofJson({ nodes: new Array(257).fill(step) }).ok)
    assert.equal(parseProofJson({ nodes: new Array(258).fill(step) }).ok, false)
    assert.equal(parseProofJson(JSON.stringify({ nodes: new Array(258).fill(step) })).ok, false)
  })

  it('is not led deep by nested brackets', () => {
    assert.equal(parseProofJson('['.repeat(1_000_000)).ok, false)
    assert.equal(parseProofJson('{"nodes":'.repeat(100_000)).ok, false)
  })

  it('never throws, whatever the JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        assert.equal(parseProofJson(value).ok, false)
        assert.equal(parseProofJson(JSON.stringify(value)).ok, false)
        assert.equal(parseAbsenceProofJson(value).ok, false)
        assert.equal(parseAbsenceProofJson(JSON.stringify(value)).ok, false)
      }),
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => assert.equal(parseProofJson(text).ok, false)),
    )
  })

  it('reads no text that JSON.parse reads otherwise', () => {
    const cut = fc.tuple(
      fc.nat(SMALL.length),
      fc.nat(8),
      fc.constantFrom('', ',', '"', '[', '}', '0', 'null', ' '),
    )
    fc.assert(
      fc.property(cut, ([at, removed, put]) => {
        const text = SMALL.slice(0, at) + put + SMALL.slice(at + removed)
        const reading = parseProofJson(text)
        if (reading.ok) assert.deepEqual(JSON.parse(proofToJsonText(reading.proof)), sorted(JSON.parse(text)))
      }),
      { numRuns: 500 },
    )
  })

  it('says where the proof is wrong', () => {
    const reading = parseProofJson({ nodes: [[false, { Root: { hash: null, left: 3, right: null } }]] })
    assert.deepEqual(reading, { ok: false, reason: 'the left of node 0 is no list of bytes' })
  })
})

describe('reading the JSON of an absence proof', () => {
  const trie = trieOf(someMessages(9))
  const key = keyOf(new Uint8Array(3), sha256)
  const proof = proveAbsence(trie.root, key, trie.pages, trie.dataOf) ?? assert.fail('the key is absent')

  it('gives back what was written, key and all', () => {
    const text = proofToJsonText(proof)
    assert.ok(text.startsWith('{"absent":true,"key":['))
    const reading = parseAbsenceProofJson(text)
    assert.deepEqual(reading, { ok: true, proof })
  })

  it('does not take one kind of proof for the other', () => {
    const present = keyOf(someMessages(9)[4] ?? key, sha256)
    const inclusion: MerkleProof | undefined = proveInclusion(trie.root, present, trie.pages, trie.dataOf)
    assert.ok(parseProofJson(inclusion).ok)
    assert.equal(parseAbsenceProofJson(inclusion).ok, false)
    assert.equal(parseProofJson(proof).ok, false)
    assert.equal(parseAbsenceProofJson({ ...proof, absent: false }).ok, false)
    assert.equal(parseAbsenceProofJson({ ...proof, key: null }).ok, false)
  })
})

/** As the writer orders fields, so that only content is compared. */
function sorted(value: unknown): unknown {
  const reading = parseProofJson(value)
  return reading.ok ? JSON.parse(proofToJsonText(reading.proof)) : value
}
