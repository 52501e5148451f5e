import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeFinalBlock } from '../../../src/codec/index.ts'
import {
  ChainStore,
  type FinalStep,
  type HeightFrame,
  type KeyValueStore,
  MemoryStore,
  StorageError,
  storedTriePages,
} from '../../../src/storage/index.ts'
import { formatVersion, metaKeys, triePageKey } from '../../../src/storage/keys.ts'
import type { Batch, BlockId, Evidence, MessageId, PeerId } from '../../../src/types/index.ts'
import {
  aBatch,
  aBlock,
  aCommitment,
  aFinalStep,
  aGenesis,
  aMessage,
  hashOf,
  signature,
} from './chain-fixture.ts'

const genesis = aGenesis()
const genesisId = genesis.hash as BlockId

async function anOpenStore(store: KeyValueStore = new MemoryStore()): Promise<ChainStore> {
  return ChainStore.open({ store, genesis })
}

/** The next block of the chain. */
function next(
  chain: ChainStore,
  ...rest: [batches?: readonly Batch[], skipped?: FinalStep['skipped']]
): FinalStep {
  const { height, blockId } = chain.tip
  return aFinalStep({ height: height + 1, previousBlockId: blockId }, ...rest)
}

const first = aBatch([aMessage('a'), aMessage('b', { namespace: 'spâce' }), aMessage('c', { expiresAt: 9 })])
const second = aBatch([aMessage('b', { namespace: 'spâce' }), aMessage('d'), aMessage('')], 1)
const skipped = [
  { batch: 0, message: 2 },
  { batch: 1, message: 0 },
]

describe('ChainStore: the chain', () => {
  it('begins at genesis', async () => {
    const chain = await anOpenStore()

    assert.deepEqual(chain.tip, { height: 0, blockId: genesisId })
    assert.equal(await chain.readFinal(0), undefined)
    assert.equal(await chain.readFinal(1), undefined)
    assert.equal(await chain.readHeader(0), undefined)
    assert.equal(await chain.readMessages(1), undefined)
    assert.equal(chain.messageAt({ height: 1, index: 0 }), undefined)
  })

  it('gives back a final block, before and after it is opened again', async () => {
    const store = new MemoryStore()
    const chain = await anOpenStore(store)
    const step = next(chain, [first, second], skipped)
    await chain.saveFinal(step)

    for (const reader of [chain, await anOpenStore(store)]) {
      const { block } = step.final
      assert.deepEqual(reader.tip, { height: 1, blockId: block.id })
      assert.deepEqual(await reader.readFinal(1), { ...step.final, skipped })
      assert.deepEqual(await reader.readFinalBytes(1), encodeFinalBlock(step.final))
      assert.deepEqual(await reader.readHeader(1), { id: block.id, header: block.header })
      assert.equal(reader.heightOfBlock(block.id), 1)
      assert.equal(reader.heightOfBlock(genesisId), undefined)
    }
  })

  it('gives back a block without messages', async () => {
    const chain = await anOpenStore()
    const step = next(chain)
    await chain.saveFinal(step)

    assert.deepEqual(await chain.readFinalBytes(1), encodeFinalBlock(step.final))
    assert.deepEqual(await chain.readMessages(1), [])
    assert.equal(chain.messageAt({ height: 1, index: 0 }), undefined)
  })

  it('finds messages by id and place, leaving out those that the sequence skips', async () => {
    const chain = await anOpenStore()
    await chain.saveFinal(next(chain, [first, second], skipped))

    const messages = (await chain.readMessages(1)) ?? []
    assert.deepEqual(
      messages.map(({ message }) => message),
      [first.messages[0], first.messages[1], second.messages[1], second.messages[2]],
    )
    const ids = messages.map(({ id }) => id)
    const unknown = [first.messageIds[2] as MessageId, hashOf('nothing') as MessageId]
    assert.deepEqual(await chain.messagePlaces([...ids, ...unknown]), [
      ...ids.map((_, index) => ({ height: 1, index })),
      undefined,
      undefined,
    ])
    for (const [index, { message }] of messages.entries()) {
      assert.deepEqual(chain.messageAt({ height: 1, index }), message)
      assert.deepEqual(chain.dataOf({ height: 1, index }), message.data)
    }
    assert.equal(chain.messageAt({ height: 1, index: messages.length }), undefined)
  })

  it('stores a block of many and large messages', async () => {
    const chain = await anOpenStore()
    const batches = [0, 1, 2].map((author) =>
      aBatch(
        Array.from({ length: 50 }, (_, at) => aMessage(`${author} ${at} `.repeat(1 + 20 * at))),
        author,
      ),
    )
    const step = next(chain, batches)
    await chain.saveFinal(step)

    assert.deepEqual(await chain.readFinalBytes(1), encodeFinalBlock(step.final))
    const messages = batches.flatMap((batch) => batch.messages)
    for (const index of [0, 49, 50, 99, 149]) {
      assert.deepEqual(chain.messageAt({ height: 1, index }), messages[index])
    }
  })

  it('finds batches of the pool and of the chain by id', async () => {
    const chain = await anOpenStore()
    await chain.saveFinal(next(chain, [first]))
    await chain.saveStep({ batches: [{ batch: second, receivedAt: 5, pinned: false }] })

    const ids = [second.id, first.id, aBatch([aMessage('z')]).id]
    assert.deepEqual(await chain.readBatches(ids), [second, first, undefined])
    assert.deepEqual(await chain.batchHeights(ids), [undefined, 1, undefined])
  })

  it('gives headers of a range, as many as there are', async () => {
    const chain = await anOpenStore()
    for (let count = 0; count < 3; count += 1) await chain.saveFinal(next(chain))

    const heights = async (from: number, count: number) =>
      (await chain.readHeaders(from, count)).map(({ header }) => header.height)
    assert.deepEqual(await heights(1, 2), [1, 2])
    assert.deepEqual(await heights(2, 10), [2, 3])
    assert.deepEqual(await heights(4, 1), [])
  })

  it('takes the block after the tip and no other', async () => {
    const chain = await anOpenStore()
    const step = next(chain)
    await assert.rejects(
      chain.saveFinal(aFinalStep({ height: 2, previousBlockId: genesisId })),
      /does not follow/,
    )
    await assert.rejects(
      chain.saveFinal(aFinalStep({ height: 1, previousBlockId: hashOf('other') as BlockId })),
      /another chain/,
    )
    await chain.saveFinal(step)
    await assert.rejects(chain.saveFinal(step), /does not follow/)

    assert.equal(chain.tip.height, 1)
  })

  it('refuses a block whose skipped messages do not fit its header or its batches', async () => {
    const chain = await anOpenStore()
    const step = next(chain, [first, second], skipped)

    await assert.rejects(
      chain.saveFinal({ ...step, skipped: skipped.slice(1) }),
      /another number of messages/,
    )
    await assert.rejects(chain.saveFinal({ ...step, skipped: [...skipped].reverse() }), /out of order/)
    await assert.rejects(
      chain.saveFinal({ ...step, skipped: [skipped[0], { batch: 2, message: 0 }] as FinalStep['skipped'] }),
      /does not have/,
    )
    assert.equal(chain.tip.height, 0)
    await chain.saveFinal(step)
  })

  it('changes nothing when the write fails', async () => {
    const store = new FailingStore()
    const chain = await anOpenStore(store)
    await chain.saveStep({ frames: [{ kind: 'block', block: next(chain).final.block }] })
    store.fails = true
    const step = next(chain, [first])
    await assert.rejects(chain.saveFinal(step), /no space/)
    assert.equal(chain.tip.height, 0)
    assert.equal((await chain.loadFrames(1)).length, 1)

    store.fails = false
    await chain.saveFinal(step)
    assert.equal(chain.tip.height, 1)
    assert.equal((await chain.loadFrames(1)).length, 0)
  })

  it('writes each save at once, synced', async () => {
    const store = new FailingStore()
    const chain = await anOpenStore(store)
    store.writes = []
    await chain.saveStep({ batches: [{ batch: first, receivedAt: 5, pinned: true }], signingNumber: 3 })
    await chain.saveFinal(next(chain, [first]))
    await chain.saveStep({})

    assert.deepEqual(store.writes, [{ sync: true }, { sync: true }])
  })

  it('remembers convictions', async () => {
    const store = new MemoryStore()
    const chain = await anOpenStore(store)
    await chain.saveFinal({ ...next(chain), convicted: [3] })
    await chain.saveFinal({ ...next(chain), convicted: [1] })

    assert.deepEqual(await (await anOpenStore(store)).readConvictions(), [
      { validator: 1, height: 2 },
      { validator: 3, height: 1 },
    ])
  })

  it('keeps pages of the trie and its checkpoint with a block, until they are let go', async () => {
    const store = new MemoryStore()
    const chain = await anOpenStore(store)
    const page = (id: number) => ({ id, bytes: Uint8Array.of(id, 7) })
    const trie = (ids: readonly number[], removedPages: readonly number[], checkpoint?: number) => ({
      pages: ids.map(page),
      removedPages,
      checkpoint: checkpoint === undefined ? undefined : Uint8Array.of(checkpoint),
    })
    assert.equal(chain.readTrieCheckpoint(), undefined)
    await chain.saveFinal({ ...next(chain), trie: trie([1, 2], []) })
    assert.equal(chain.readTrieCheckpoint(), undefined)
    await chain.saveFinal({ ...next(chain), trie: trie([3], [], 9) })
    await chain.saveTrie(trie([4, 2 ** 40], [1]))

    const again = await anOpenStore(store)
    assert.deepEqual(again.readTrieCheckpoint(), Uint8Array.of(9))
    const held = async () => {
      const ids: number[] = []
      for await (const id of storedTriePages(store)) ids.push(again.triePages.get(id)?.[0] ?? -1)
      return ids
    }
    assert.deepEqual(await held(), [2, 3, 4, 0])
    await again.dropTriePages(4)
    assert.deepEqual(await held(), [2, 3])
    assert.equal(again.triePages.get(4), undefined)
  })

  it('takes no changed page, and no changed checkpoint, for a whole one', async () => {
    const store = new MemoryStore()
    const chain = await anOpenStore(store)
    await chain.saveTrie({
      pages: [{ id: 5, bytes: Uint8Array.of(1) }],
      removedPages: [],
      checkpoint: Uint8Array.of(2),
    })
    for (const key of [triePageKey(5), metaKeys.trieCheckpoint]) {
      const value = store.get(key)
      assert(value !== undefined)
      await store.write([{ type: 'put', key, value: value.with(0, 8) }])
    }
    const isCorrupted = (error: unknown) => error instanceof StorageError && error.code === 'corrupted'
    assert.throws(() => chain.triePages.get(5), isCorrupted)
    assert.throws(() => chain.readTrieCheckpoint(), isCorrupted)
  })
})

describe('ChainStore: what is under way', () => {
  it('keeps the pool over a restart, oldest first', async () => {
    const store = new MemoryStore()
    const chain = await anOpenStore(store)
    const pool = [
      { batch: second, receivedAt: 5, pinned: true },
      { batch: first, receivedAt: 6, pinned: false },
    ]
    await chain.saveStep({ batches: [...pool].reverse() })

    assert.deepEqual(await (await anOpenStore(store)).loadPool(), pool)
  })

  it('changes the pin of a batch, and lets it go with its block or without', async () => {
    const chain = await anOpenStore()
    const third = aBatch([aMessage('z')])
    const pooled = (batch: Batch, pinned: boolean) => ({ batch, receivedAt: 5, pinned })
    await chain.saveStep({ batches: [pooled(first, false), pooled(second, false), pooled(third, false)] })
    await chain.saveStep({ batches: [pooled(first, true)], removedPoolBatches: [third.id] })
    assert.deepEqual(new Set(await chain.loadPool()), new Set([pooled(first, true), pooled(second, false)]))

    await chain.saveFinal(next(chain, [first]))
    assert.deepEqual(await chain.loadPool(), [pooled(second, false)])
  })

  it('leaves batches out of the pool that came into the chain before they were saved', async () => {
    const chain = await anOpenStore()
    await chain.saveFinal(next(chain, [first]))
    await chain.saveStep({ batches: [{ batch: first, receivedAt: 5, pinned: true }] })

    assert.deepEqual(await chain.loadPool(), [])
  })

  it('keeps frames of every kind until their height is final', async () => {
    const store = new MemoryStore()
    const chain = await anOpenStore(store)
    const low = framesOf(1)
    const high = framesOf(2)
    await chain.saveStep({ frames: [...high, ...low] })

    const reopened = await anOpenStore(store)
    assert.deepEqual(new Set(await reopened.loadFrames(1)), new Set([...low, ...high]))
    assert.deepEqual(new Set(await reopened.loadFrames(2)), new Set(high))

    await reopened.saveFinal(next(reopened))
    assert.deepEqual(new Set(await reopened.loadFrames(0)), new Set(high))
    await reopened.saveFinal(next(reopened))
    assert.deepEqual(await reopened.loadFrames(0), [])
  })

  it('keeps one of equal frames and both of contradicting ones', async () => {
    const chain = await anOpenStore()
    const vote = { kind: 'notarize', height: 1, view: 0, validator: 1, signature: signature(1) } as const
    const one = { kind: 'vote', vote: { ...vote, blockId: hashOf('x') as BlockId } } as const
    const other = { kind: 'vote', vote: { ...vote, blockId: hashOf('y') as BlockId } } as const
    await chain.saveStep({ frames: [one, one, other] })
    await chain.saveStep({ frames: [one] })

    assert.deepEqual(new Set(await chain.loadFrames(1)), new Set([one, other]))
  })

  it('deletes a frame of a final height that came late with the next block', async () => {
    const chain = await anOpenStore()
    await chain.saveFinal(next(chain))
    await chain.saveStep({ frames: framesOf(1) })
    await chain.saveFinal(next(chain))

    assert.deepEqual(await chain.loadFrames(0), [])
  })

  it('keeps evidence, the first of each height and a bounded number for each validator', async () => {
    const store = new MemoryStore()
    const chain = await anOpenStore(store)
    await chain.saveStep({ evidence: [someEvidence(3, 1), someEvidence(3, 1, 'other'), someEvidence(0, 9)] })
    assert.deepEqual(await chain.loadEvidence(), [someEvidence(0, 9), someEvidence(3, 1)])

    const reopened = await anOpenStore(store)
    const flood = Array.from({ length: 40 }, (_, height) => someEvidence(3, height))
    await reopened.saveStep({ evidence: flood.slice(0, 20) })
    await reopened.saveStep({ evidence: flood.slice(20) })
    assert.equal((await reopened.loadEvidence()).length, 1 + 16)
  })

  it('notes the signing number and never takes it back', async () => {
    const store = new MemoryStore()
    const chain = await anOpenStore(store)
    assert.equal(chain.signingNumber, 0)
    await chain.saveStep({ signingNumber: 7 })
    await chain.saveStep({ signingNumber: 5 })
    assert.equal((await anOpenStore(store)).signingNumber, 7)

    await chain.noteSigningNumber(6)
    assert.equal((await anOpenStore(store)).signingNumber, 7)
    await chain.noteSigningNumber(8)
    assert.equal((await anOpenStore(store)).signingNumber, 8)
  })

  it('says why messages were refused, the latest so many', async () => {
    const store = new MemoryStore()
    const chain = await ChainStore.open({ store, genesis, refusalsMax: 3 })
    const refusal = (name: string, height: number) => ({
      messageId: hashOf(name) as MessageId,
      state: 'refused' as const,
      height,
      reason: `${name} is not valid`,
    })
    await chain.saveFinal({ ...next(chain), refusals: [refusal('a', 1), refusal('b', 1)] })
    await chain.saveFinal({ ...next(chain), refusals: [refusal('a', 2)] })
    const known = (reader: ChainStore) =>
      ['a', 'b', 'c', 'd', 'e', 'f'].filter(
        (name) => reader.refusalOf(hashOf(name) as MessageId) !== undefined,
      )
    assert.deepEqual(known(chain), ['a', 'b'])
    assert.deepEqual(chain.refusalOf(hashOf('a') as MessageId), refusal('a', 2))

    const reopened = await ChainStore.open({ store, genesis, refusalsMax: 3 })
    await reopened.saveFinal({ ...next(reopened), refusals: [refusal('c', 3)] })
    assert.deepEqual(known(reopened), ['a', 'b', 'c'], 'the older entry of a went, not its refusal')
    await reopened.saveFinal({
      ...next(reopened),
      refusals: ['d', 'e', 'f', 'a'].map((name) => refusal(name, 4)),
    })
    assert.deepEqual(known(reopened), ['a', 'e', 'f'])
  })

  it('remembers peers, and takes a damaged list for none', async () => {
    const chain = await anOpenStore()
    assert.deepEqual(chain.loadPeers(), [])
    const peers = [{ peerId: 'p' as PeerId, addresses: ['/ip4/127.0.0.1/tcp/9080'] }]
    await chain.savePeers(peers)

    assert.deepEqual(chain.loadPeers(), peers)
  })
})

describe('ChainStore.open', () => {
  it('refuses the store of another network', async () => {
    const store = new MemoryStore()
    await anOpenStore(store)

    const other = ChainStore.open({ store, genesis: aGenesis('other') })
    await assert.rejects(other, { name: 'StorageError', code: 'other-genesis' })
  })

  it('refuses a store of a later format, and migrates one of an earlier', async () => {
    const store = new MemoryStore()
    const migration = {
      from: formatVersion,
      name: 'made up',
      async *run() {
        yield [{ type: 'put', key: Uint8Array.of(0xf0), value: Uint8Array.of(1) } as const]
      },
    }
    await anOpenStore(store)
    const later = { version: formatVersion + 1, migrations: [migration] }
    await assert.rejects(
      ChainStore.open({ store, genesis, format: { version: formatVersion + 1, migrations: [] } }),
      {
        code: 'open-failed',
      },
    )
    await ChainStore.open({ store, genesis, format: later })
    assert.deepEqual(store.get(Uint8Array.of(0xf0)), Uint8Array.of(1))

    await assert.rejects(anOpenStore(store), { name: 'StorageError', code: 'format-too-new' })
    await ChainStore.open({ store, genesis, format: later })
  })

  it('leaves nothing of the nodes in which format 1 kept the trie', async () => {
    const store = new MemoryStore()
    const chain = await anOpenStore(store)
    await chain.saveFinal(next(chain, [first]))
    const nodes = [Uint8Array.of(0x20), Uint8Array.of(0x20, 0xff, 0xff), Uint8Array.of(0x21, 9)]
    for (const key of nodes) await store.write([{ type: 'put', key, value: Uint8Array.of(1) }])
    await store.write([{ type: 'put', key: metaKeys.format, value: Uint8Array.of(0, 0, 0, 1) }])

    const again = await anOpenStore(store)
    assert.deepEqual(
      nodes.map((key) => store.get(key)),
      [undefined, undefined, undefined],
    )
    assert.equal(again.tip.height, 1)
    assert.deepEqual(store.get(metaKeys.format), Uint8Array.of(0, 0, 0, formatVersion))
    assert.equal(again.readTrieCheckpoint(), undefined)
  })

  it('says what is damaged where a stored value does not decode', async () => {
    const store = new MemoryStore()
    const chain = await anOpenStore(store)
    const step = next(chain, [first])
    await chain.saveFinal(step)
    for await (const [key, value] of store.iterate({ gte: Uint8Array.of(0x11), lt: Uint8Array.of(0x12) })) {
      await store.write([{ type: 'put', key, value: value.subarray(1) }])
    }

    const corrupted = { name: 'StorageError', code: 'corrupted' }
    await assert.rejects(chain.readFinal(1), corrupted)
    await assert.rejects(chain.readBatches([first.id]), corrupted)
  })
})

class FailingStore extends MemoryStore {
  fails = false
  writes: { sync: boolean }[] = []
  override async write(
    operations: Parameters<MemoryStore['write']>[0],
    options: { sync: boolean } = { sync: false },
  ): Promise<void> {
    if (this.fails) throw new Error('no space left')
    this.writes.push(options)
    await super.write(operations)
  }
}

function framesOf(height: number): HeightFrame[] {
  const block = aBlock({ height, previousBlockId: genesisId })
  const blockId = block.id
  const base = { height, view: 3, validator: 2, signature: signature(2) }
  const cited = { height, view: 0, blockId, signatures: [{ validator: 1, signature: signature(9) }] }
  const nullification = { kind: 'nullification' as const, height, view: 1, signatures: cited.signatures }
  return [
    { kind: 'block', block },
    { kind: 'pool-commitment', commitment: aCommitment(height, 1, [first, second]) },
    { kind: 'certificate', certificate: { kind: 'notarization', ...cited } },
    { kind: 'certificate', certificate: nullification },
    { kind: 'certificate', certificate: { kind: 'finalization', ...cited } },
    {
      kind: 'proposal',
      proposal: {
        height,
        view: 1,
        blockId,
        leader: 1,
        signature: signature(4),
        block,
        justification: [nullification],
      },
    },
    { kind: 'vote', vote: { kind: 'notarize', ...base, blockId } },
    { kind: 'vote', vote: { kind: 'nullify', ...base } },
    { kind: 'vote', vote: { kind: 'finalize', ...base, view: 4, blockId } },
  ]
}

function someEvidence(validator: number, height: number, time = 'now'): Evidence {
  const one = aCommitment(height, validator)
  const other = aCommitment(height, validator, [time === 'now' ? first : second])
  const payload = ({ bytes }: { bytes: Uint8Array }) => ({
    kind: 'pool-commitment' as const,
    bytes,
    signature: signature(1),
  })
  return { validator, height, first: payload(one), second: payload(other) }
}
