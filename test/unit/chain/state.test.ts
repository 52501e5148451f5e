import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  advance,
  type ChainState,
  convictedBy,
  genesisState,
  restoreState,
  restoreWindowBlocks,
} from '../../../src/chain/index.ts'
import { hashConcat, sha256, sha256Hex } from '../../../src/crypto/native/index.ts'
import { messageOfEvidence } from '../../../src/sequencing/index.ts'
import { ChainStore, MemoryStore } from '../../../src/storage/index.ts'
import {
  EMPTY_STATE_ROOT,
  keyOf,
  LocalStateTrie,
  proveInclusion,
  StoredTrie,
  TriePages,
} from '../../../src/trie/index.ts'
import type {
  Batch,
  BatchId,
  Block,
  BlockId,
  Hash,
  MessageId,
  SequencedMessage,
} from '../../../src/types/index.ts'
import {
  aBatch,
  aBlock,
  aCommitment,
  aGenesis,
  aMessage,
  dataOf,
  finalised,
  hashOf,
  signature,
} from '../storage/chain-fixture.ts'

const genesis = aGenesis()

describe('genesisState', () => {
  it('is what the protocol says of block 0', () => {
    const state = genesisState(genesis, sha256)
    const beacon = hashConcat(new TextEncoder().encode('diseq/1/beacon'), Buffer.from(genesis.hash, 'hex'))

    assert.equal(state.height, 0)
    assert.equal(state.blockId, genesis.hash)
    assert.equal(state.beacon, Buffer.from(beacon).toString('hex'))
    assert.equal(state.time, genesis.time)
    assert.equal(state.stateRoot, EMPTY_STATE_ROOT)
    assert.equal(state.stateRoot, '00'.repeat(32))
    assert.equal(state.convicted.size, 0)
  })
})

describe('the trie of a chain', () => {
  it('puts the data of every message into the trie, named by where it stands', async () => {
    const { chain } = await aChain()
    const batch = aBatch([aMessage('a'), aMessage('b', { namespace: 'diseq/evidence' })])
    await chain.finalise([batch])

    const { root } = chain.stored
    for (const [index, text] of ['a', 'b'].entries()) {
      const key = keyOf(dataOf(text), sha256)
      const asked: unknown[] = []
      const proof = proveInclusion(root, key, chain.stored.pages, (reference) => {
        asked.push(reference)
        return chain.store.dataOf(reference)
      })
      assert.ok(proof !== undefined)
      assert.deepEqual(asked, [{ height: 1, index }])
    }
    assert.equal(
      proveInclusion(root, keyOf(dataOf('c'), sha256), chain.stored.pages, chain.store.dataOf),
      undefined,
    )
  })

  it('leaves the trie as it is where a block brings no new data', async () => {
    const { chain } = await aChain()
    await chain.finalise([aBatch([aMessage('a')])])
    const { trie, stateRoot } = chain.state

    for (const data of [[dataOf('a')], []]) {
      const executed = await chain.trie.execute(1, data)
      assert.deepEqual([executed?.stateRoot, executed?.top], [stateRoot, trie])
    }
  })

  it('comes to one root however the messages are put into blocks', async () => {
    const texts = Array.from({ length: 40 }, (_, index) => `message ${index}`)
    const roots = new Set<Hash>()
    for (const perBlock of [1, 7, 40]) {
      const { chain } = await aChain()
      for (let at = 0; at < texts.length; at += perBlock) {
        await chain.finalise([aBatch(texts.slice(at, at + perBlock).map((text) => aMessage(text)))])
      }
      roots.add(chain.state.stateRoot)
    }
    assert.equal(roots.size, 1)
  })
})

describe('advance', () => {
  it('takes the next block on the state and no other', async () => {
    const { chain } = await aChain()
    const { state } = chain
    const step = (block: ReturnType<typeof aBlock>) => ({
      block,
      beacon: hashOf('beacon'),
      batchIds: [],
      trie: state.trie,
      convicted: [],
    })
    const previousBlockId = state.blockId
    const other = hashOf('other')

    assert.throws(() => advance(state, step(aBlock({ height: 2, previousBlockId }))), /does not follow/)
    const elsewhere = aBlock({ height: 1, previousBlockId: other as BlockId })
    assert.throws(() => advance(state, step(elsewhere)), /does not follow/)
    assert.throws(
      () => advance(state, step(aBlock({ height: 1, previousBlockId, stateRoot: other }))),
      /another trie/,
    )

    const block = aBlock({ height: 1, previousBlockId })
    const after = advance(state, step(block))
    assert.deepEqual([after.height, after.blockId, after.time], [1, block.id, block.header.time])
    assert.equal(after.beacon, hashOf('beacon'))
    assert.equal(state.height, 0)
  })

  it('remembers who was attached to the last 16 blocks', async () => {
    const { chain } = await aChain()
    for (let height = 1; height <= 20; height += 1) await chain.finalise([], [height % 4])

    const attached = chain.state.recentAttached.map((validators) => [...validators])
    assert.deepEqual(
      attached,
      Array.from({ length: 16 }, (_, index) => [(index + 5) % 4]),
    )
  })

  it('gathers what is convicted', () => {
    const payload = (time: number) => {
      const { bytes } = aCommitment(1, 3, time === 0 ? [] : [aBatch([aMessage('x')])])
      return { kind: 'pool-commitment' as const, bytes, signature: signature(3) }
    }
    const evidence = messageOfEvidence({ validator: 3, height: 1, first: payload(0), second: payload(1) })
    const messages = [evidence, aMessage('b'), aMessage('not evidence', { namespace: 'diseq/evidence' })]
    assert.deepEqual(
      convictedBy(messages.map((message) => ({ id: hashOf('id') as MessageId, message }))),
      [3],
    )

    const state = genesisState(genesis, sha256)
    const block = aBlock({ height: 1, previousBlockId: state.blockId })
    const step = { block, beacon: hashOf('b'), batchIds: [], trie: state.trie }
    const after = advance(state, { ...step, convicted: [3] })
    assert.deepEqual([[...after.convicted], [...state.convicted]], [[3], []])
  })
})

describe('restoreState', () => {
  for (const heights of [0, 1, 5, 70]) {
    it(`comes to the state of a chain of ${heights} blocks out of what is stored`, async () => {
      const { chain, store } = await aChain()
      const waiting = aBatch([aMessage('waits')])
      for (let height = 1; height <= heights; height += 1) {
        await chain.finalise([aBatch([aMessage(`message ${height}`)])], [height % 3, 3], [waiting])
      }

      const restored = await restoreFrom(store, chain.state.beacon)
      const { line, ...rest } = restored
      const { line: expectedLine, ...expected } = chain.state
      assert.deepEqual(rest, expected)
      assert.equal(line.has(waiting.id), heights > 0)
      assert.equal(expectedLine.has(waiting.id), heights > 0)

      const again = new LocalStateTrie(aTrieOf(await ChainStore.open({ store, genesis })))
      const [next, other] = [chain.trie, again].map((trie) => trie.execute(heights, [dataOf('one more')]))
      assert.equal((await other)?.stateRoot, (await next)?.stateRoot)
    })
  }

  it('refuses fewer blocks than the state rests on, and the trie of another block', async () => {
    const { chain } = await aChain()
    const blocks: { block: Block; batchIds: BatchId[] }[] = []
    for (let height = 1; height <= 3; height += 1) {
      blocks.push({ block: await chain.finalise([aBatch([aMessage(`${height}`)])]), batchIds: [] })
    }
    const parts = { genesis, sha256, beacon: hashOf('b'), trie: chain.state.trie, convicted: [] }

    assert.equal(restoreState({ ...parts, recent: blocks }).height, 3)
    assert.throws(() => restoreState({ ...parts, recent: blocks.slice(1) }), /too few/)
    const { trie } = genesisState(genesis, sha256)
    assert.throws(() => restoreState({ ...parts, trie, recent: blocks }), /another trie/)
  })
})

/** A chain that grows in a store by made-up blocks. */
class TestChain {
  readonly store: ChainStore
  readonly stored: StoredTrie
  readonly trie: LocalStateTrie
  state: ChainState = genesisState(genesis, sha256)

  constructor(store: ChainStore) {
    this.store = store
    this.stored = aTrieOf(store)
    this.trie = new LocalStateTrie(this.stored)
  }

  async finalise(
    batches: readonly Batch[],
    attached: readonly number[] = [0],
    listed: readonly Batch[] = [],
  ) {
    const { blockId: previousBlockId } = this.state
    const height = this.state.height + 1
    const messages = batches.flatMap(sequenced)
    const executed = await this.trie.execute(
      height - 1,
      messages.map(({ message }) => message.data),
    )
    assert(executed !== undefined)
    const commitments = [...attached]
      .sort((a, b) => a - b)
      .map((validator) => aCommitment(height, validator, validator === 3 ? listed : []))
    const { stateRoot } = executed
    const block = aBlock({ height, previousBlockId, commitments, stateRoot, messageCount: messages.length })
    const writes = await this.trie.append(executed)
    assert(writes !== undefined)
    await this.store.saveFinal({
      final: finalised(block, batches),
      skipped: [],
      trie: writes,
      removedPoolBatches: [],
    })
    const batchIds = batches.map(({ id }) => id)
    const beacon = sha256Hex(block.header.vrfProof)
    this.state = advance(this.state, { block, beacon, batchIds, trie: executed.top, convicted: [] })
    return block
  }
}

async function aChain() {
  const store = new MemoryStore()
  const chainStore = await ChainStore.open({ store, genesis })
  return { store, chain: new TestChain(chainStore) }
}

/** Written with every block. */
function aTrieOf(store: ChainStore): StoredTrie {
  const pages = new TriePages({ source: store.triePages, hash: sha256, cachedBytesMax: 2000 })
  const rule = { dirtyBytesMax: 1, leavesMax: 1, blocksMax: 1, pieceBytes: 1e6, slackBytes: 1e6 }
  return new StoredTrie({ pages, checkpoint: store.readTrieCheckpoint(), pastMax: 64, rule })
}

async function restoreFrom(store: MemoryStore, beacon: Hash): Promise<ChainState> {
  const chainStore = await ChainStore.open({ store, genesis })
  const { height } = chainStore.tip
  const recent = []
  for (let at = Math.max(1, height - restoreWindowBlocks + 1); at <= height; at += 1) {
    const final = await chainStore.readFinal(at)
    if (final === undefined) throw new Error(`block ${at} is missing`)
    recent.push({ block: final.block, batchIds: final.batches.map(({ id }) => id) })
  }
  const stored = new LocalStateTrie(aTrieOf(chainStore))
  for (let at = stored.height + 1; at <= height; at += 1) {
    const messages = (await chainStore.readMessages(at)) ?? []
    const executed = await stored.execute(
      at - 1,
      messages.map(({ message }) => message.data),
    )
    assert(executed !== undefined)
    await stored.append(executed)
  }
  const trie = stored.top
  const convicted = (await chainStore.readConvictions()).map(({ validator }) => validator)
  return restoreState({ genesis, sha256, recent, beacon, trie, convicted })
}

function sequenced(batch: Batch): SequencedMessage[] {
  return batch.messages.map((message, at) => ({ id: batch.messageIds[at] as MessageId, message }))
}
