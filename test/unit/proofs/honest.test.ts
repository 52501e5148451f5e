// Every honest proof verifies, as text and parsed, and says what is so.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  dataKey,
  genesisBlock,
  verifyFinality,
  verifyHeaders,
  verifyNamespace,
  verifyProof,
  verifyReceipt,
  verifyTrie,
} from '../../../src/proofs/index.ts'
import {
  assertProven,
  chainOf,
  idsOf,
  provenChain,
  receiptTimeMs,
  there,
} from '../../support/proven-chain.ts'

const names = ['a', 'ab', 'b', 'é', '\u{ffff}', '\u{10000}', 'diseq']
const aBlock = fc.array(fc.constantFrom(undefined, undefined, ...names), { maxLength: 12 })
const someBlocks = fc.array(aBlock, { minLength: 1, maxLength: 4 })

test('every message of any chain has a finality proof that verifies', async () => {
  await fc.assert(
    fc.asyncProperty(someBlocks, async (blocks) => {
      const chain = await chainOf(blocks)
      for (const [at] of blocks.entries()) {
        for (const [index, id] of (await idsOf(chain, at + 1)).entries()) {
          const proof = there(await chain.maker.finality(id))
          const verdict = verifyFinality({ trust: chain.trust, proof, id })
          assertProven(verdict)
          assert.deepEqual([verdict.id, verdict.index, verdict.block.header.height], [id, index, at + 1])
          assert.deepEqual(verdict.block.finality.signers, [0, 1, 2, 3])
        }
      }
    }),
    { numRuns: 15 },
  )
})

test('every namespace, present or not, has a proof for every range of blocks', async () => {
  await fc.assert(
    fc.asyncProperty(someBlocks, async (blocks) => {
      const chain = await chainOf(blocks)
      const asked = [...names, '\u{1}', 'aa', '\u{10ffff}']
      for (const namespace of asked) {
        for (let from = 1; from <= blocks.length; from += 1) {
          const proof = there(await chain.maker.namespace(namespace, { from, count: 3 }))
          const to = Math.min(blocks.length, from + 2)
          const verdict = verifyNamespace({ trust: chain.trust, proof, namespace, from, to })
          assertProven(verdict)
          const shown = verdict.blocks.map(({ messages }) => messages.map(({ index }) => index))
          const expected = blocks
            .slice(from - 1, to)
            .map((block) => block.flatMap((name, index) => (name === namespace ? [index] : [])))
          assert.deepEqual(shown, expected)
        }
      }
    }),
    { numRuns: 15 },
  )
})

test('every data has an inclusion proof against the latest tries, and other data an absence proof', async () => {
  const chain = await chainOf([['a', undefined], [], ['b'], [undefined]])
  const { maker, trust } = chain
  const late = new TextEncoder().encode('block 4 message 0')
  for (const [height, isThere] of [
    [3, false],
    [4, true],
    [undefined, true],
  ] as const) {
    const key = dataKey(late)
    const proof = there(await maker.trie(Buffer.from(key, 'hex'), height))
    assert(proof !== 'too-old')
    const verdict = verifyTrie({ trust, proof: JSON.stringify(proof), key })
    assertProven(verdict)
    assert.deepEqual(verdict.data, isThere ? late : undefined)
    assert.equal(verdict.block.header.height, height ?? 4)
  }
})

test('a key is absent from the empty trie', async () => {
  const chain = await chainOf([[]])
  const key = new Uint8Array(32).fill(5)
  const verdict = verifyProof({ trust: chain.trust, proof: there(await chain.maker.trie(key)) })
  assertProven(verdict)
  assert(verdict.kind === 'trie' && verdict.data === undefined)
})

test('a trie is proven against the latest root and those of the 64 blocks before it', async () => {
  const chain = await provenChain()
  await chain.builder.addBlocksUpTo(70)
  const key = Buffer.from(dataKey(new TextEncoder().encode('block 5')), 'hex')
  for (const height of [6, 30, 70]) {
    const proof = there(await chain.maker.trie(key, height))
    assertProven(verifyProof({ trust: chain.trust, proof }))
  }
  assert.equal(await chain.maker.trie(key, 5), 'too-old')
  assert.equal(await chain.maker.trie(key, 71), undefined)
  assert.equal(await chain.maker.trie(key, 0), undefined)
})

test('a finality proof may bring the trie proof of its data, of a later block', async () => {
  const chain = await chainOf([['a'], ['b']])
  const id = there((await idsOf(chain, 1))[0])
  const proof = there(await chain.maker.finality(id, { withTrie: true }))
  const verdict = verifyFinality({ trust: chain.trust, proof: JSON.stringify(proof), id })
  assertProven(verdict)
  assert.equal(verdict.block.header.height, 1)
  assert.equal(verdict.trie?.block.header.height, 2)
})

test('headers go on from genesis, and from any block proven before', async () => {
  const chain = await chainOf([['a'], [], ['b'], []])
  const { maker, trust } = chain
  const first = verifyHeaders({
    trust,
    proof: there(await maker.headers({ from: 1, count: 2 })),
    trusted: genesisBlock(trust),
  })
  assertProven(first)
  assert.equal(first.headers.length, 2)
  const { id, time, header } = first.block
  const trusted = { height: header.height, id, time }
  const second = verifyHeaders({ trust, proof: await maker.headers({ from: 3, count: 100 }), trusted })
  assertProven(second)
  assert.equal(second.block.header.height, 4)
})

test('a block made in one view may become final in a later one', async () => {
  const chain = await chainOf([['a']], {}, { view: 1, finalView: 3, signers: [0, 2, 3] })
  const id = there((await idsOf(chain, 1))[0])
  const verdict = verifyFinality({ trust: chain.trust, proof: await chain.maker.finality(id) })
  assertProven(verdict)
  assert.deepEqual(verdict.block.finality, { view: 3, signers: [0, 2, 3], power: 3 })
})

test('a receipt says who has which messages, since when', async () => {
  const chain = await chainOf([['a', 'b']])
  const ids = await idsOf(chain, 1)
  const verdict = verifyReceipt({ trust: chain.trust, receipt: JSON.stringify(chain.maker.receipt(ids)) })
  assertProven(verdict)
  assert.deepEqual([verdict.ids, verdict.validator, verdict.finalHeight], [ids, 0, 1])
  assert.equal(verdict.time, receiptTimeMs)
})

test('there is no proof of what is not final', async () => {
  const { maker } = await chainOf([['a']])
  assert.equal(await maker.finality('00'.repeat(32) as never), undefined)
  assert.equal(await maker.namespace('a', { from: 2, count: 1 }), undefined)
  assert.equal(await maker.namespace('a', { from: 0, count: 1 }), undefined)
  assert.equal(await maker.headers({ from: 2, count: 1 }), undefined)
})
