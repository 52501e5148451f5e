import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commitmentEntriesMax, decodeFrame, type Frame } from '../../../src/codec/index.ts'
import { createState, step } from '../../../src/consensus/index.ts'
import { sha256 } from '../../../src/crypto/native/index.ts'
import { PeerAnswers } from '../../../src/node/peer-answers.ts'
import { trusted } from '../../../src/node/ports.ts'
import { thresholdsOf } from '../../../src/quorum/index.ts'
import type { Batch, BatchId, BlockId } from '../../../src/types/index.ts'
import { aMessage, ChainBuilder } from '../../support/chain-builder.ts'

/** Of a node with one block of one batch, at the height after it. */
async function anAnsweringNode() {
  const chain = await ChainBuilder.create()
  const { genesis, store } = chain
  const powers = genesis.validators.map(({ power }) => power)
  const core = createState({ powers, thresholds: thresholdsOf(powers, genesis.faultModel), self: 0 })
  const final = await chain.addBlock({ messages: [aMessage('final')] })
  const leaders = [...powers.keys()].map((turn) => chain.leaderOf(turn))
  const context = { height: 2, leaders, demoted: new Set<number>() }
  step(core, { kind: 'start-height', context })
  const pool = new Map<BatchId, Batch>()
  const answers = new PeerAnswers({
    genesisHash: genesis.hash,
    core,
    head: chain,
    store,
    batchOf: (id) => pool.get(id),
  })
  const entriesMax = commitmentEntriesMax(genesis.limits, powers.length)
  const framesOf = (encoded: readonly Uint8Array[]): Frame[] =>
    encoded.map((bytes) => {
      const decoded = decodeFrame(bytes, { limits: genesis.limits, entriesMax, sha256 })
      assert.ok(decoded.ok)
      return decoded.value
    })
  return { chain, core, final, answers, pool, framesOf }
}

test('batches are those of the pool and of the chain, in the order asked for; what is not there is left out', async () => {
  const { chain, final, answers, pool, framesOf } = await anAnsweringNode()
  const pooled = chain.batch([aMessage('pooled')])
  pool.set(pooled.id, pooled)
  const [stored = assert.fail()] = final.final.batches
  const wanted = [stored.id, chain.batch([aMessage('unknown')]).id, pooled.id]
  const frames = framesOf(await answers.batches({ wanted, pushed: [] }))
  assert.deepEqual(
    frames.map((frame) => frame.kind === 'batch' && frame.batch.id),
    [stored.id, pooled.id],
  )
})

test('a reply has as many batches as fit 3 MiB, and always one', async () => {
  const { chain, answers, pool } = await anAnsweringNode()
  const sized = (sizeBytes: number, name: string): Batch => ({
    ...chain.batch([aMessage(name)]),
    bytes: new Uint8Array(sizeBytes),
  })
  const countOf = async (...batches: Batch[]) => {
    for (const batch of batches) pool.set(batch.id, batch)
    return (await answers.batches({ wanted: batches.map(({ id }) => id), pushed: [] })).length
  }
  const maxBytes = 3 * 1024 * 1024
  assert.equal(await countOf(sized(maxBytes - 1_000, 'a'), sized(1_000, 'b'), sized(1, 'c')), 2)
  assert.equal(await countOf(sized(maxBytes - 1_000, 'a'), sized(1_001, 'b'), sized(1, 'c')), 1)
  assert.equal(await countOf(sized(maxBytes + 1, 'a')), 1)
})

test('final blocks are told as they are stored, up to the first that is not there', async () => {
  const { chain, answers } = await anAnsweringNode()
  const blocks = []
  for await (const bytes of answers.blocks({ from: 1, count: 3 })) blocks.push(bytes)
  assert.deepEqual(blocks, [await chain.store.readFinalBytes(1)])
})

test('status tells the chain and what is held; a block that the asker names comes with what it lacks', async () => {
  const { chain, core, answers, framesOf } = await anAnsweringNode()
  const { genesisHash, finalHeight, finalBlockId, holding } = answers.status()
  assert.deepEqual([genesisHash, finalHeight, finalBlockId], [chain.genesis.hash, 1, chain.state.blockId])
  assert.equal(holding.height, 2)
  const { block } = await chain.makeBlock({ messages: [aMessage('next')] })
  const { height, view, leader } = block.header
  const kindsOf = (wantedBlock: BlockId) =>
    framesOf(answers.view({ holding: answers.status().holding, wantedBlock, pushed: [] })).map(
      ({ kind }) => kind,
    )
  assert.deepEqual(kindsOf(block.id), [], 'it is not there yet')
  const proposal = { height, view, leader, blockId: block.id, signature: block.signature, justification: [] }
  step(core, { kind: 'proposal', proposal: trusted({ ...proposal, block }) })
  assert.deepEqual(kindsOf(block.id), ['block'])
  assert.deepEqual(kindsOf(block.id.replaceAll(/./g, '0') as BlockId), [])
})
