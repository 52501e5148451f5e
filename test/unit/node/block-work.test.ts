import assert from 'node:assert/strict'
import { test } from 'node:test'
import { genesisState } from '../../../src/chain/index.ts'
import {
  commitmentEntriesMax,
  decodeFinalBlock,
  encodeFinalBlock,
  type FinalBlock,
} from '../../../src/codec/index.ts'
import { sha256, sha256Hex, verifySignature } from '../../../src/crypto/native/index.ts'
import { Mempool } from '../../../src/mempool/index.ts'
import { FrameVerifier } from '../../../src/network/index.ts'
import { BatchFetcher } from '../../../src/node/batch-fetcher.ts'
import { BlockWork } from '../../../src/node/block-work.ts'
import { ChainHead } from '../../../src/node/chain-head.ts'
import { BlockExecution } from '../../../src/node/execution.ts'
import { openTrie } from '../../../src/node/restart.ts'
import { thresholdsOf } from '../../../src/quorum/index.ts'
import { ChainStore, MemoryStore } from '../../../src/storage/index.ts'
import { type CheckpointRule, executionsMax, LocalStateTrie } from '../../../src/trie/index.ts'
import type { Batch, BatchId, BlockId, Height } from '../../../src/types/index.ts'
import { aMessage, ChainBuilder } from '../../support/chain-builder.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }
const clock = { nowMs: () => 0, schedule: () => () => {} }

/** What is written can be read a while before the writer hears of it, as on a disk. */
class LateStore extends MemoryStore {
  override async write(operations: Parameters<MemoryStore['write']>[0]): Promise<void> {
    await super.write(operations)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** One reading of many keys waits, from when it is asked to. */
class SlowReadStore extends LateStore {
  /** Answered at once before one waits; undefined: all are. */
  readsBefore: number | undefined
  readonly isAwaited = Promise.withResolvers<void>()
  readonly isOpen = Promise.withResolvers<void>()

  override async getMany(keys: Parameters<MemoryStore['getMany']>[0]) {
    const values = await super.getMany(keys)
    if (this.readsBefore !== undefined && this.readsBefore-- === 0) {
      this.isAwaited.resolve()
      await this.isOpen.promise
    }
    return values
  }
}

/** Another node of the same network, with nothing but genesis. */
async function aFollowerOf(
  chain: ChainBuilder,
  held: readonly Batch[] = [],
  disk: MemoryStore = new LateStore(),
  rule?: CheckpointRule,
) {
  const { genesis } = chain
  const powers = genesis.validators.map(({ power }) => power)
  const thresholds = thresholdsOf(powers, genesis.faultModel)
  const store = await ChainStore.open({ store: disk, genesis })
  const mempool = new Mempool({ maxBytes: 1e7, maxBatches: 100, reservedAuthors: [], nextHeight: 1 })
  const trie = new LocalStateTrie(openTrie({ store, ...(rule === undefined ? {} : { rule }) }))
  const head = new ChainHead({ store, mempool, powers, state: genesisState(genesis, sha256), trie })
  const transport = { peers: () => [], requestBatches: async () => [] }
  const fetcher = new BatchFetcher({ transport, clock, log, blockIntervalMs: () => 0, onBatch: () => {} })
  const shared = { genesis, powers, thresholds, store, trie, sha256 }
  const batchOf = (id: BatchId) => held.find((batch) => batch.id === id)
  const execution = new BlockExecution({ ...shared, verifySigned: () => true, batchOf })
  const appended: Height[] = []
  const work = new BlockWork({
    head,
    execution,
    fetcher,
    powers,
    thresholds,
    clock,
    log,
    self: 0,
    pooled: () => undefined,
    buildPatienceMs: () => 0,
    onAppended: ({ height }) => appended.push(height),
    onFatal: (error) => assert.fail(String(error)),
  })
  return { work, head, appended, store, trie }
}

test('a check that block sync overtakes ends without a word, though the pages of its trie are gone', async () => {
  const chain = await ChainBuilder.create()
  const heights = Array.from({ length: 14 }, (_, at) => at + 1)
  for (const height of heights)
    await chain.addBlock({
      messages: Array.from({ length: 12 }, (_, at) => aMessage(`block ${height} ${at}`)),
    })
  const finals = await Promise.all(heights.map((height) => chain.readFinal(height)))
  const held = finals.flatMap(({ batches }) => batches)
  // A checkpoint every other block, written at once: two blocks on, pages of the trie of now are off the disk.
  const rule = { dirtyBytesMax: 1e9, leavesMax: 1e9, blocksMax: 2, pieceBytes: 1e9, slackBytes: 1_000 }
  for (const [from, movedOn] of [
    [6, 0],
    [6, 1],
    [6, 4],
    [7, 4],
  ] as const) {
    const disk = new SlowReadStore()
    const { work } = await aFollowerOf(chain, held, disk, rule)
    for (const final of finals.slice(0, from)) assert.equal(await work.applySynced(final), 'applied')
    // The second reading of a check is that of the messages, and what follows it is the trie.
    disk.readsBefore = 1
    const next = finals[from] ?? assert.fail()
    const checked = work.execute(next.block)
    await disk.isAwaited.promise
    for (const final of finals.slice(from, from + movedOn))
      assert.equal(await work.applySynced(final), 'applied')
    disk.isOpen.resolve()
    assert.equal(typeof (await checked), movedOn === 0 ? 'object' : 'undefined')
  }
})

test('what other blocks of a height made of the trie is given back when one is final, and nothing of that one', async () => {
  const chain = await ChainBuilder.create()
  const other = await chain.makeBlock({ messages: [aMessage('a'), aMessage('b')], view: 1 })
  await chain.addBlock({ messages: [aMessage('a'), aMessage('b')] })
  const final = await chain.readFinal(1)
  const { work, trie } = await aFollowerOf(chain, final.batches)
  const [own, others] = [await work.execute(final.block), await work.execute(other.block)]
  assert.ok(typeof own === 'object' && typeof others === 'object')
  await work.finalise(final.finalization, final.block)
  assert.equal(await trie.append(others.state), undefined)
  for (const text of ['c', 'd']) {
    await chain.addBlock({ messages: [aMessage(text)] })
    assert.equal(await work.applySynced(await chain.readFinal(chain.state.height)), 'applied')
  }
})

test('a block becomes final though the trie forgot what it made of it, for all that was executed since', async () => {
  const chain = await ChainBuilder.create()
  await chain.addBlock({ messages: [aMessage('a'), aMessage('b')] })
  const final = await chain.readFinal(1)
  const { work, head, appended, trie } = await aFollowerOf(chain, final.batches)
  assert.equal(typeof (await work.execute(final.block)), 'object')
  for (let other = 0; other < executionsMax; other += 1) await trie.execute(0, [Uint8Array.of(other)])
  await work.finalise(final.finalization, final.block)
  assert.deepEqual([appended, head.state.trie], [[1], chain.state.trie])
})

test('of the blocks of a height that were made here no more are kept than of others', async () => {
  const chain = await ChainBuilder.create()
  const { block, executed } = await chain.makeBlock({ messages: [aMessage('a')] })
  const { work } = await aFollowerOf(chain, executed.content.batches)
  const ids: BlockId[] = []
  for (let view = 0; view < executionsMax + 4; view += 1) {
    const { vrfProof } = block.header
    const made = await work.build({ height: 1, view, vrfProof, commitments: block.commitments })
    ids.push(made?.id ?? assert.fail())
  }
  const kept = ids.map((id) => work.executed(id) !== undefined)
  assert.deepEqual(
    kept,
    ids.map((_, view) => view >= 4),
  )
})

test('a block that is made while another of its height becomes final is none', async () => {
  const chain = await ChainBuilder.create()
  const { block } = await chain.makeBlock({ messages: [aMessage('a')] })
  await chain.addBlock({ messages: [aMessage('a')] })
  const final = await chain.readFinal(1)
  const disk = new SlowReadStore()
  const { work } = await aFollowerOf(chain, final.batches, disk)
  disk.readsBefore = 1
  const { vrfProof } = block.header
  const making = work.build({ height: 1, view: 0, vrfProof, commitments: block.commitments })
  await disk.isAwaited.promise
  assert.equal(await work.applySynced(final), 'applied')
  disk.isOpen.resolve()
  assert.equal(await making, undefined)
})

test('a synced block is applied though it was full and the batch that did not fit is nowhere to be had', async () => {
  const chain = await ChainBuilder.create({
    limits: { maxMessageBytes: 400, maxBatchBytes: 500, maxBlockBytes: 700 },
  })
  const batches = [0, 1].map((author) => chain.batch([aMessage(`${author}`.repeat(350))], author))
  await chain.addBlock({ batches })
  const final = await chain.readFinal(1)
  assert.equal(final.batches.length, 1, 'the second does not fit')

  const { work, head, appended } = await aFollowerOf(chain)
  assert.equal(await work.applySynced(final), 'applied')
  assert.equal(await work.applySynced(final), 'stale')
  assert.deepEqual([head.state.blockId, appended], [final.block.id, [1]])
})

test('a synced block with a batch too few or too many, or in another order, is refused, and nothing is applied', async () => {
  const chain = await ChainBuilder.create()
  await chain.addBlock({ batches: [0, 1].map((author) => chain.batch([aMessage(`from ${author}`)], author)) })
  const final = await chain.readFinal(1)
  const { work, head } = await aFollowerOf(chain)

  const fewer = { ...final, batches: final.batches.slice(0, 1) }
  const more = { ...final, batches: [...final.batches, chain.batch([aMessage('smuggled')])] }
  const reversed = { ...final, batches: final.batches.toReversed() }
  const twice = { ...final, batches: final.batches.map(() => final.batches[0] ?? assert.fail()) }
  for (const forged of [fewer, more, reversed, twice])
    assert.equal(typeof (await work.applySynced(forged)), 'object')
  assert.equal(head.state.height, 0)
})

test('whatever is changed of a synced block, it is refused, or is the block that a quorum signed', async () => {
  const chain = await ChainBuilder.create()
  await chain.addBlock({ batches: [0, 1].map((author) => chain.batch([aMessage(`from ${author}`)], author)) })
  const final = await chain.readFinal(1)
  const { genesis } = chain
  const powers = genesis.validators.map(({ power }) => power)
  const verifier = new FrameVerifier({
    genesis,
    thresholds: thresholdsOf(powers, genesis.faultModel),
    crypto: { sha256, sha256Hex, verifySignature },
    entriesMax: commitmentEntriesMax(genesis.limits, powers.length),
  })
  const signed = encodeFinalBlock(final)
  let appliedCount = 0
  const offer = async (bytes: Uint8Array, what: string) => {
    const decoded = decodeFinalBlock(bytes, verifier.context)
    if (!decoded.ok || !verifier.verifyFinalBlock(decoded.value).ok) return
    const { work, store } = await aFollowerOf(chain)
    if ((await work.applySynced(decoded.value)) !== 'applied') return
    appliedCount += 1
    const stored = await store.readFinalBytes(1)
    // A finalization may have other signers, if they are a quorum.
    const { finalization } = decoded.value
    assert.deepEqual(
      stored && Buffer.from(stored),
      Buffer.from(encodeFinalBlock({ ...final, finalization })),
      what,
    )
  }
  await offer(signed, 'as it is')
  assert.equal(appliedCount, 1)
  for (let at = 0; at < signed.length; at++) {
    const bytes = signed.slice()
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8))
    await offer(bytes, `a bit of byte ${at}`)
  }
  const lists: Record<string, (change: <T>(list: readonly T[]) => T[]) => FinalBlock> = {
    batches: (change) => ({ ...final, batches: change(final.batches) }),
    commitments: (change) => ({
      ...final,
      block: { ...final.block, commitments: change(final.block.commitments) },
    }),
    signatures: (change) => ({
      ...final,
      finalization: { ...final.finalization, signatures: change(final.finalization.signatures) },
    }),
  }
  const changes: Record<string, <T>(list: readonly T[]) => T[]> = {
    reversed: (list) => list.toReversed(),
    'without the first': (list) => list.slice(1),
    'without the last': (list) => list.slice(0, -1),
    'with the first twice': (list) => [...list.slice(0, 1), ...list],
    'with the first for the second': (list) => [...list.slice(0, 1), ...list.slice(0, 1), ...list.slice(2)],
  }
  for (const [name, of] of Object.entries(lists)) {
    for (const [how, change] of Object.entries(changes))
      await offer(encodeFinalBlock(of(change)), `${name} ${how}`)
  }
  assert.equal(appliedCount, 3, 'two other quorums of signers are one too')
})

test('a block that block sync is writing while voting makes it final is no broken invariant', async () => {
  const chain = await ChainBuilder.create()
  await chain.addBlock({ messages: [aMessage('once')] })
  const final = await chain.readFinal(1)
  for (let turns = 0; turns < 12; turns++) {
    const { work, head, appended } = await aFollowerOf(chain, final.batches)
    const synced = work.applySynced(final)
    for (let turn = 0; turn < turns; turn++) await undefined
    await work.finalise(final.finalization, final.block)
    assert.equal(await synced, 'applied')
    assert.deepEqual([head.state.blockId, appended], [final.block.id, [1]])
  }
})

test('the batches of a block are in hand for the whole of its height, however many blocks came after it', async () => {
  const chain = await ChainBuilder.create()
  const batches = [chain.batch([aMessage('for every view')])]
  const blocks = []
  for (let view = 0; view < 40; view++) blocks.push((await chain.makeBlock({ batches, view })).block)
  const { work } = await aFollowerOf(chain, batches)
  for (const block of blocks) assert.equal(typeof (await work.execute(block)), 'object')
  const ids = (block: { id: BlockId }) => work.batchesOf(block.id)?.map(({ id }) => id)
  for (const block of blocks) assert.deepEqual(ids(block), [batches[0]?.id])
  const [first, last] = [blocks[0], blocks.at(-1)]
  assert.ok(first !== undefined && last !== undefined)
  assert.equal(work.executed(first.id), undefined, 'but what it makes of the state is let go')
  assert.equal(work.executed(last.id)?.id, last.id)
  work.settle()
  assert.equal(work.batchesOf(first.id), undefined)
})
