// A header's trie may be that of an earlier block: `stateHeight` says of which. Nothing takes it for the header's height.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  dataKey,
  verifyFinality,
  verifyHeaders,
  verifyNamespace,
  verifyTrie,
} from '../../../src/proofs/index.ts'
import {
  assertProven,
  chainOf,
  idsOf,
  type ProvenChain,
  there,
  withLaggingState,
} from '../../support/proven-chain.ts'

async function aLaggingChain(): Promise<ProvenChain> {
  return withLaggingState(await chainOf([['a'], ['b'], ['c'], ['a']]), 2)
}
const keyOf = (text: string) => dataKey(new TextEncoder().encode(text))

async function trieOf({ maker }: ProvenChain, text: string, height: number) {
  const proof = there(await maker.trie(Buffer.from(keyOf(text), 'hex'), height))
  assert(proof !== 'too-old')
  return proof
}

test('a key is in or absent from the trie of the state height, whatever the height of the header', async () => {
  const chain = await aLaggingChain()
  const { trust } = chain
  for (const [text, height, isThere, stateHeight] of [
    ['block 1 message 0', 1, false, 0],
    ['block 1 message 0', 2, false, 0],
    ['block 1 message 0', 3, true, 1],
    ['block 2 message 0', 3, false, 1],
    ['block 2 message 0', 4, true, 2],
    ['block 3 message 0', 4, false, 2],
  ] as const) {
    const verdict = verifyTrie({ trust, proof: await trieOf(chain, text, height), height })
    assertProven(verdict)
    assert.equal(verdict.data !== undefined, isThere, `${text}, ${height}`)
    assert.deepEqual([verdict.block.header.height, verdict.block.header.stateHeight], [height, stateHeight])
  }
})

test('nodes of the trie after the header, or of another state height, prove nothing against it', async () => {
  const lagging = await aLaggingChain()
  const current = await chainOf([['a'], ['b'], ['c'], ['a']])
  const { trust } = lagging
  const text = 'block 3 message 0'
  const { header, finalization } = await trieOf(lagging, text, 4)
  const own = await trieOf(current, text, 4)
  const moved = verifyTrie({ trust, proof: { ...own, header, finalization } })
  assert.equal(moved.ok || moved.reason, 'not-in-trie')
  const absent = await trieOf(lagging, text, 3)
  const back = verifyTrie({ trust, proof: { ...absent, header, finalization } })
  assert.equal(back.ok || back.reason, 'not-absent')
})

test('a finality proof brings the trie proof of its data once the latest header has it, and never one of absence', async () => {
  const chain = await aLaggingChain()
  const { trust, maker } = chain
  for (const [height, stateHeight] of [
    [1, 2],
    [2, 2],
    [3, undefined],
    [4, undefined],
  ] as const) {
    const id = there((await idsOf(chain, height))[0])
    const verdict = verifyFinality({ trust, proof: await maker.finality(id, { withTrie: true }), id })
    assertProven(verdict)
    assert.equal(verdict.block.header.height, height)
    assert.equal(verdict.trie?.block.header.stateHeight, stateHeight)
  }
})

test('that the data of a message is absent from an earlier state is no part of its finality proof', async () => {
  const chain = await aLaggingChain()
  const { trust, maker } = chain
  const proof = there(await maker.finality(there((await idsOf(chain, 4))[0])))
  const trie = await trieOf(chain, 'block 4 message 0', 4)
  assertProven(verifyTrie({ trust, proof: trie }))
  const verdict = verifyFinality({ trust, proof: { ...proof, trie } })
  assert.equal(verdict.ok || verdict.reason, 'not-in-trie')
})

test('headers and namespaces are proven of headers with an earlier state', async () => {
  const { trust, maker } = await aLaggingChain()
  assertProven(verifyHeaders({ trust, proof: await maker.headers({ from: 1, count: 4 }), from: 1, to: 4 }))
  const verdict = verifyNamespace({ trust, proof: await maker.namespace('a', { from: 1, count: 4 }) })
  assertProven(verdict)
  assert.deepEqual(
    verdict.blocks.map(({ messages }) => messages.length),
    [1, 0, 0, 1],
  )
})

test('a trie that is no longer kept is too old, by the block that it is of', async () => {
  const chain = await chainOf([['a']], { validatorCount: 1 })
  await chain.builder.addBlocksUpTo(70)
  const { maker } = await withLaggingState(chain, 3)
  const key = Buffer.from(keyOf('block 1 message 0'), 'hex')
  assert.equal(await maker.trie(key, 8), 'too-old')
  const { trust } = chain
  assertProven(verifyTrie({ trust, proof: await maker.trie(key, 9), height: 9 }))
})
