import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { encodeFrame, type FinalBlock } from '../../src/codec/index.ts'
import { networkErrorCode } from '../../src/network/index.ts'
import type { BatchId, PeerId } from '../../src/types/index.ts'
import { aChain, flipped } from '../unit/network/signed-frames.ts'
import { isFullMesh, startedNodes, stopAll, type TestNode, until } from './network-nodes.ts'

const chain = aChain()
const holding = { height: 1, view: 0, commitments: [], views: [] }
let nodes: TestNode[] = []

before(async () => {
  nodes = await startedNodes(chain, 2)
  await until('two nodes are connected', () => isFullMesh(nodes), { nodes })
})

after(() => stopAll(nodes))

function pair(): { asker: TestNode; other: TestNode; peer: PeerId } {
  const [asker, other] = nodes
  assert.ok(asker && other)
  return { asker, other, peer: other.network.peerId }
}

async function heightsOf(blocks: AsyncIterable<FinalBlock>): Promise<number[]> {
  const heights: number[] = []
  for await (const { block } of blocks) heights.push(block.header.height)
  return heights
}

test('status tells the height of the other side, to both', async () => {
  const { asker, other, peer } = pair()
  other.handler.final = 7
  const status = await asker.network.requestStatus(peer)
  assert.equal(status.finalHeight, 7)
  await until('both were told', () => other.handler.statuses.has(asker.network.peerId))
  other.handler.final = 0
})

test('view brings verified frames and hands over pushed ones, without what is not valid', async () => {
  const { asker, other, peer } = pair()
  const vote = chain.vote({ kind: 'nullify', height: 1, view: 0 }, 1)
  const frame = encodeFrame({ kind: 'vote', vote })
  const block = encodeFrame({ kind: 'block', block: chain.block() })
  other.handler.viewReply = [frame, flipped(frame, frame.length - 1), block]
  const pushed = [encodeFrame({ kind: 'pool-commitment', commitment: chain.commitment() }), Uint8Array.of(4)]
  const frames = await asker.network.requestView(peer, { holding, pushed })
  assert.deepEqual(
    frames.map(({ kind }) => kind),
    ['vote', 'block'],
  )
  assert.deepEqual(
    other.handler.pushed.map(({ kind }) => kind),
    ['pool-commitment'],
  )
  assert.equal(asker.network.counters()['rejected_bad-signature'], 1)
  assert.equal(other.network.counters().rejected_malformed, 1)
})

test('batches brings those asked for and no others', async () => {
  const { asker, other, peer } = pair()
  const wanted = chain.batch({ text: 'wanted' })
  const unwanted = chain.batch({ text: 'unwanted' })
  other.handler.batchesReply = [wanted, unwanted].map((batch) => encodeFrame({ kind: 'batch', batch }))
  const frames = await asker.network.requestBatches(peer, { wanted: [wanted.id], pushed: [] })
  assert.deepEqual(
    frames.map((frame) => frame.kind === 'batch' && frame.batch.id),
    [wanted.id],
  )
})

test('a reply of many large batches is cut at the limit, and the rest can be asked for again', async () => {
  const { asker, other, peer } = pair()
  const batches = Array.from({ length: 40 }, (_, index) =>
    chain.batch({ text: 'x'.repeat(index + 1), sizeBytes: 250 * 1024 }),
  )
  other.handler.batchesReply = batches.map((batch) => encodeFrame({ kind: 'batch', batch }))
  const frames = await asker.network.requestBatches(peer, { wanted: batches.map(({ id }) => id), pushed: [] })
  assert.ok(frames.length > 20 && frames.length < 40, `${frames.length} of 40`)
})

test('blocks come in order, as many as there are, and as many as were asked for', async () => {
  const { asker, other, peer } = pair()
  other.handler.blocks = Array.from({ length: 30 }, (_, index) => chain.finalBlock(index + 1))
  assert.deepEqual(await heightsOf(asker.network.requestBlocks(peer, { from: 28, count: 100 })), [28, 29, 30])
  assert.deepEqual(await heightsOf(asker.network.requestBlocks(peer, { from: 5, count: 2 })), [5, 6])
  assert.deepEqual(await heightsOf(asker.network.requestBlocks(peer, { from: 31, count: 1 })), [])
})

test('a slow reader of large blocks holds the sender back, and gets them all', async () => {
  const { asker, other, peer } = pair()
  const count = 24
  const batches = Array.from({ length: 8 }, (_, index) =>
    chain.batch({ text: 'y'.repeat(index + 1), sizeBytes: 250 * 1024 }),
  )
  other.handler.blocks = Array.from({ length: count }, (_, index) => ({
    ...chain.finalBlock(index + 1),
    batches,
  }))
  other.handler.blocksSent = 0
  const blocks = asker.network.requestBlocks(peer, { from: 1, count })
  assert.equal((await blocks.next()).value?.block.header.height, 1)
  let sent = -1
  await until('the sender stands still', () => {
    const isStill = sent === other.handler.blocksSent
    sent = other.handler.blocksSent
    return isStill
  })
  assert.ok(sent < count / 2, `${sent} of ${count} sent ahead of the reader`)
  assert.equal((await heightsOf(blocks)).length, count - 1)
})

test('leaving the loop ends a transfer, and the next request is answered', async () => {
  const { asker, other, peer } = pair()
  other.handler.blocksSent = 0
  for await (const { block } of asker.network.requestBlocks(peer, { from: 1, count: 24 })) {
    assert.equal(block.header.height, 1)
    break
  }
  assert.deepEqual(await heightsOf(asker.network.requestBlocks(peer, { from: 3, count: 1 })), [3])
  assert.ok(other.handler.blocksSent < 24)
})

test('more transfers at once than a peer may have are refused, and none of the others suffers', async () => {
  const { asker, peer } = pair()
  const transfers = Array.from({ length: 6 }, () =>
    heightsOf(asker.network.requestBlocks(peer, { from: 1, count: 1 })),
  )
  const results = await Promise.allSettled(transfers)
  const refused = results.filter(({ status }) => status === 'rejected')
  assert.ok(refused.length > 0 && refused.length < 6, `${refused.length} refused`)
  for (const result of refused)
    assert.equal(result.status === 'rejected' && networkErrorCode(result.reason), 'broken')
})

test('a peer that is not connected and a request over the limit are errors with a code', async () => {
  const { asker, peer } = pair()
  const stranger = chain.genesis.validators[3]?.peerId
  assert.ok(stranger)
  await assert.rejects(
    asker.network.requestStatus(stranger),
    (error) => networkErrorCode(error) === 'not-connected',
  )
  const pushed = Array.from({ length: 9 }, () => new Uint8Array(1024 * 1024))
  await assert.rejects(
    asker.network.requestBatches(peer, { wanted: [] as BatchId[], pushed }),
    (error) => networkErrorCode(error) === 'too-large',
  )
})

test('a peer that answers with blocks nobody asked for is an error, and blamed', async () => {
  const { asker, other, peer } = pair()
  other.handler.blocks = [chain.finalBlock(9)]
  const before = asker.network.peers()[0]?.invalidCount ?? 0
  await assert.rejects(
    heightsOf(asker.network.requestBlocks(peer, { from: 1, count: 1 })),
    (error) => networkErrorCode(error) === 'bad-reply',
  )
  assert.equal(asker.network.peers()[0]?.invalidCount, before + 1)
})
