import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client, NamespaceSequencer, VerifiedClient } from '../../../src/client/index.ts'
import { genesisBlock, verifyProof } from '../../../src/proofs/index.ts'
import { aMessage } from '../../support/chain-builder.ts'
import { ChainNode, fetchOf } from '../../support/chain-node.ts'
import { chainOf, idsOf, provenChain, there } from '../../support/proven-chain.ts'

const text = (data: Uint8Array): string => new TextDecoder().decode(data)
const bytes = (data: string): Uint8Array => new TextEncoder().encode(data)

test('the plain client brings proofs as they are', async () => {
  const node = new ChainNode(await chainOf([['a/b ü']]))
  const client = new Client({ nodes: ['http://a'], fetch: fetchOf({ 'http://a': node }) })
  const id = there((await idsOf(node.chain, 1))[0])
  const { trust } = node.chain
  const [finality, namespace, trie] = await Promise.all([
    client.proof(id, { withTrie: true }),
    client.namespaceProof('a/b ü', { from: 1, limit: 3 }),
    client.trieProof('00'.repeat(32), { height: 1 }),
  ])
  for (const proof of [finality, namespace, trie]) assert(verifyProof({ trust, proof }).ok)
  assert.equal(await client.proof('00'.repeat(32)), undefined)
  assert.equal(await client.namespaceProof('a', { from: 2 }), undefined)
})

test('a verified answer is proven, whichever node it is from', async () => {
  const chain = await chainOf([['a'], [undefined]])
  const liar = new ChainNode(chain)
  const other = new ChainNode(await chainOf([['a'], [undefined]], { seed: 3 }))
  liar.lie = (json) => json.replace(/"index":0/g, '"index":1')
  const nodes = { 'http://liar': liar, 'http://other': other, 'http://a': new ChainNode(chain) }
  const client = new VerifiedClient({
    trust: chain.trust,
    nodes: Object.keys(nodes),
    fetch: fetchOf(nodes),
  })
  const id = there((await idsOf(chain, 1))[0])
  const message = there(await client.message(id, { withTrie: true }))
  assert.deepEqual([message.id, message.index, message.servedBy], [id, 0, 'http://a'])
  const namespace = there(await client.namespace('a', { from: 1 }))
  assert.deepEqual(
    namespace.blocks.map(({ messages }) => messages.length),
    [1, 0],
  )
  const data = there(await client.data(bytes('block 2 message 0')))
  assert.equal(text(there(data.data)), 'block 2 message 0')
  assert.equal(there(await client.data(bytes('no such'))).data, undefined)
  assert.equal(await client.message('00'.repeat(32)), undefined)
})

test('waits until a message is proven final', async () => {
  const node = new ChainNode(await provenChain())
  let nowMs = 0
  const client = new VerifiedClient({
    trust: node.chain.trust,
    nodes: ['http://a'],
    fetch: fetchOf({ 'http://a': node }),
    now: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms
      if (nowMs > 600) await node.makeBlock()
    },
  })
  const { ids } = await client.send([{ data: bytes('awaited') }])
  const proven = await client.wait(there(ids[0]))
  assert.equal(text(proven.message.data), 'awaited')
  await assert.rejects(client.wait('00'.repeat(32), { timeoutMs: 500 }), { code: 'timeout' })
})

/** True proofs of other blocks than it was asked for. */
class WrongBlocks extends ChainNode {
  override trieProof(key: Uint8Array, height: number | undefined) {
    return super.trieProof(key, height === undefined ? undefined : height - 1)
  }
  override headers({ from, count }: { from: number; count: number }) {
    return super.headers({ from: Math.max(1, from - 1), count })
  }
  override namespaceProof(namespace: string, { from }: { from: number; count: number }) {
    return super.namespaceProof(namespace, { from, count: 100 })
  }
}

test('a true proof of another block than was asked for is passed over', async () => {
  const chain = await chainOf([['a'], ['b'], ['rollup'], ['c']])
  const nodes = { 'http://wrong': new WrongBlocks(chain), 'http://a': new ChainNode(chain) }
  const fetch = fetchOf(nodes)
  const { trust } = chain
  const client = new VerifiedClient({ trust, nodes: Object.keys(nodes), fetch })
  // The wrong node proves that it is absent, from the trie of the block before.
  const data = there(await client.data(bytes('block 2 message 0'), { height: 2 }))
  assert.deepEqual([data.block.header.height, text(there(data.data))], [2, 'block 2 message 0'])
  const headers = there(await client.headers({ from: 3, limit: 1 }))
  assert.deepEqual([headers.block.header.height, headers.servedBy], [3, 'http://a'])
  const sequencer = new NamespaceSequencer({ trust, namespace: 'rollup', nodes: Object.keys(nodes), fetch })
  const batch = there(await sequencer.nextBatch(genesisBlock(trust)))
  assert.equal(batch.block.height, 3)
})

test('where every node lies, the answer is an error', async () => {
  const chain = await chainOf([['a']])
  const liar = new ChainNode(chain)
  liar.lie = (json) => json.replace('"index":0', '"index":1')
  const client = new VerifiedClient({
    trust: chain.trust,
    nodes: ['http://liar'],
    fetch: fetchOf({ 'http://liar': liar }),
  })
  await assert.rejects(client.message(there((await idsOf(chain, 1))[0])), { code: 'bad-proof' })
})

test('a receipt is for the messages that were sent, and no others', async () => {
  const chain = await provenChain()
  const node = new ChainNode(chain)
  const fetch = fetchOf({ 'http://a': node })
  const client = new VerifiedClient({ trust: chain.trust, nodes: ['http://a'], fetch })
  const receipt = await client.send([{ data: bytes('x'), namespace: 'a' }, { data: bytes('y') }])
  assert.equal(receipt.ids.length, 2)
  assert.equal(receipt.validator, 0)
  assert(verifyProof({ trust: chain.trust, proof: receipt.proof }).ok)
  node.lie = (json) => json.replace(/"ids":\["[0-9a-f]/, '"ids":["0')
  await assert.rejects(client.send([{ data: bytes('z') }]), { code: 'bad-proof' })
  const nodes = { 'http://down': undefined, 'http://liar': node, 'http://b': new ChainNode(chain) }
  const several = new VerifiedClient({ trust: chain.trust, nodes: Object.keys(nodes), fetch: fetchOf(nodes) })
  assert.equal((await several.send([{ data: bytes('z') }])).servedBy, 'http://b')
})

test('a rollup submits, takes batch after batch, and verifies each', async () => {
  const node = new ChainNode(await provenChain())
  const { trust } = node.chain
  const fetch = fetchOf({ 'http://a': node })
  const sequencer = new NamespaceSequencer({ trust, namespace: 'rollup', nodes: ['http://a'], fetch })
  assert.equal(await sequencer.nextBatch(genesisBlock(trust)), undefined)
  await node.makeBlock([aMessage('not of it', { namespace: 'other' })])
  assert.equal(await sequencer.nextBatch(genesisBlock(trust)), undefined)
  await sequencer.submit([bytes('one'), bytes('two')])
  await node.makeBlock()
  await sequencer.submit([bytes('three')])
  await node.makeBlock([aMessage('not of it either')])
  const first = there(await sequencer.nextBatch(genesisBlock(trust)))
  assert.deepEqual(first.transactions.map(text), ['one', 'two'])
  assert.equal(first.block.height, 2)
  const second = there(await sequencer.nextBatch(first.block))
  assert.deepEqual(second.transactions.map(text), ['three'])
  assert.equal(await sequencer.nextBatch(second.block), undefined)

  assert(sequencer.verifyBatch(first, genesisBlock(trust)).ok)
  assert(sequencer.verifyBatch(second, first.block).ok)
  // Not the next after genesis: the first would be passed over.
  assert(!sequencer.verifyBatch(second, genesisBlock(trust)).ok)
  assert(!sequencer.verifyBatch({ proofs: [] }, genesisBlock(trust)).ok)
  const both = { proofs: [...first.proofs, ...second.proofs] }
  assert(!sequencer.verifyBatch(both, genesisBlock(trust)).ok)
})

test('a batch far behind the one before comes with several proofs', async () => {
  const chain = await provenChain({ validatorCount: 1 })
  const node = new ChainNode(chain)
  await chain.builder.addBlocksUpTo(120)
  await node.makeBlock([aMessage('late', { namespace: 'rollup' })])
  const { trust } = chain
  const fetch = fetchOf({ 'http://a': node })
  const sequencer = new NamespaceSequencer({ trust, namespace: 'rollup', nodes: ['http://a'], fetch })
  const batch = there(await sequencer.nextBatch(genesisBlock(trust)))
  assert.equal(batch.proofs.length, 2)
  assert.equal(batch.block.height, 121)
  assert(!sequencer.verifyBatch({ proofs: batch.proofs.slice(1) }, genesisBlock(trust)).ok)
})
