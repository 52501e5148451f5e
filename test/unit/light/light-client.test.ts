import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ForkError, LightClient, type LightClientOptions } from '../../../src/light/index.ts'
import { verifyProof } from '../../../src/proofs/index.ts'
import { aMessage } from '../../support/chain-builder.ts'
import { ChainNode, fetchOf } from '../../support/chain-node.ts'
import { chainOf, provenChain } from '../../support/proven-chain.ts'

const blocks = [['a'], [], ['b', 'a'], [undefined], ['a']]

function lightOf(
  nodes: Record<string, ChainNode | undefined>,
  options: Partial<LightClientOptions> = {},
): LightClient {
  const known = Object.values(nodes).find((node) => node !== undefined)
  assert(known !== undefined)
  return new LightClient({
    trust: known.chain.trust,
    nodes: Object.keys(nodes),
    fetch: fetchOf(nodes),
    sleep: async () => undefined,
    pollMs: 0,
    ...options,
  })
}

test('follows the headers from genesis to the latest, page by page', async () => {
  const node = new ChainNode(await chainOf(blocks))
  const light = lightOf({ 'http://a': node }, { pageBlocks: 2 })
  const heights: number[] = []
  for await (const { header } of light.followHeaders()) {
    heights.push(header.height)
    if (header.height === 5) break
  }
  assert.deepEqual(heights, [1, 2, 3, 4, 5])
  assert.equal(light.tip.id, node.chain.builder.state.blockId)
  assert.deepEqual(await light.nextHeaders(), [])
})

test('goes on as blocks come, and stops when it is told to', async () => {
  const node = new ChainNode(await provenChain())
  const light = lightOf({ 'http://a': node })
  const stop = new AbortController()
  const heights: number[] = []
  await node.makeBlock([aMessage('one')])
  for await (const { header } of light.followHeaders(stop.signal)) {
    heights.push(header.height)
    if (header.height === 3) stop.abort()
    else await node.makeBlock()
  }
  assert.deepEqual(heights, [1, 2, 3])
})

test('goes on from a checkpoint, without anything before it', async () => {
  const node = new ChainNode(await chainOf(blocks))
  const first = lightOf({ 'http://a': node }, { pageBlocks: 3 })
  await first.nextHeaders()
  const asked: string[] = []
  const fetch = fetchOf({ 'http://a': node }, { onRequest: (url) => asked.push(url) })
  const second = lightOf({ 'http://a': node }, { checkpoint: first.tip, fetch })
  const headers = await second.nextHeaders()
  assert.deepEqual(
    headers.map(({ header }) => header.height),
    [4, 5],
  )
  assert.equal(asked.length, 1)
})

test('follows a namespace and misses none of it', async () => {
  const node = new ChainNode(await chainOf(blocks))
  const light = lightOf({ 'http://a': node }, { pageBlocks: 2 })
  const texts: string[][] = []
  for await (const { header, messages } of light.followNamespace('a')) {
    texts.push(messages.map(({ message }) => Buffer.from(message.data).toString()))
    if (header.height === 5) break
  }
  assert.deepEqual(texts, [['block 1 message 0'], [], ['block 3 message 1'], [], ['block 5 message 0']])
})

test('goes to another node where one is down, behind or lies', async () => {
  const chain = await chainOf(blocks)
  const behind = new ChainNode(await chainOf(blocks.slice(0, 1)))
  const liar = new ChainNode(chain)
  liar.lie = (text) =>
    text.replace(/"finalization":"(.)/, (_, first) => `"finalization":"${first === 'A' ? 'B' : 'A'}`)
  const failures: string[] = []
  const light = lightOf(
    {
      'http://down': undefined,
      'http://behind': behind,
      'http://liar': liar,
      'http://a': new ChainNode(chain),
    },
    { onFailure: ({ code }) => failures.push(code) },
  )
  await light.nextHeaders()
  await light.nextHeaders()
  assert.equal(light.tip.height, 5)
  assert(failures.includes('unreachable') && failures.includes('bad-proof'), failures.join())
})

test('no node that answers is an error, and none that has more is none', async () => {
  const node = new ChainNode(await chainOf(blocks))
  const alone = new LightClient({ trust: node.chain.trust, nodes: ['http://x'], fetch: fetchOf({}) })
  await assert.rejects(alone.nextHeaders(), { code: 'unreachable' })
})

test('keeps the evidence of two final blocks of one height, and stops there', async () => {
  const one = new ChainNode(await chainOf([['a'], ['b']]))
  const other = new ChainNode(await chainOf([['a'], ['c'], ['d']]))
  const light = lightOf({ 'http://one': one, 'http://other': other })
  // The first node's two blocks; then only the other has more, and it goes on from another block 2.
  await light.nextHeaders()
  await assert.rejects(light.nextHeaders(), ForkError)
  const verdict = verifyProof({ trust: one.chain.trust, proof: JSON.stringify(light.evidence) })
  assert(verdict.ok && verdict.kind === 'fork')
  assert.equal(verdict.first.header.height, 2)
  assert.deepEqual(verdict.signersOfBoth, [0, 1, 2, 3])
})

test('finds a second chain of the same length by asking the others too', async () => {
  const one = new ChainNode(await chainOf([['a'], ['b']]))
  const other = new ChainNode(await chainOf([['a'], ['c']]))
  const light = lightOf({ 'http://one': one, 'http://other': other })
  await light.nextHeaders()
  await assert.rejects(light.crossCheck(), { code: 'fork' })
  const followed = lightOf({ 'http://one': one, 'http://other': other })
  await assert.rejects(async () => {
    for await (const _ of followed.followHeaders()) {
      // Nothing to do: the second node is asked after the first page.
    }
  }, ForkError)
})

test('finds a second chain that is shorter than its own', async () => {
  const one = new ChainNode(await chainOf([['a'], ['b'], ['d'], ['e']]))
  const other = new ChainNode(await chainOf([['a'], ['c']]))
  const behind = new ChainNode(await chainOf([['a'], ['b'], ['d']]))
  const nodes = { 'http://one': one, 'http://behind': behind }
  const light = lightOf(nodes)
  await light.nextHeaders()
  await light.crossCheck()
  assert.equal(light.evidence, undefined)
  const misled = lightOf({ ...nodes, 'http://other': other }, { pageBlocks: 3 })
  await misled.nextHeaders()
  await misled.nextBlocks('a')
  await assert.rejects(misled.crossCheck(), ForkError)
  const verdict = verifyProof({ trust: one.chain.trust, proof: JSON.stringify(misled.evidence) })
  assert(verdict.ok && verdict.kind === 'fork')
  assert.equal(verdict.first.header.height, 2)
})

test('another network is no evidence of anything', async () => {
  const one = new ChainNode(await chainOf([['a']]))
  const other = new ChainNode(await chainOf([['a'], ['b']], { seed: 7 }))
  const light = lightOf({ 'http://one': one, 'http://other': other })
  await light.nextHeaders()
  assert.deepEqual(await light.nextHeaders(), [])
  await light.crossCheck()
  assert.equal(light.evidence, undefined)
})
