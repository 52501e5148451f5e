import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ChainStore, type HeightFrame, MemoryStore } from '../../../src/storage/index.ts'
import type { Batch, BlockId, Evidence, MessageId, PeerId } from '../../../src/types/index.ts'
import {
  aBatch,
  aBlock,
  aCommitment,
  aMessage,
  anOpenStore,
  first,
  genesis,
  hashOf,
  next,
  second,
  signature,
} from './chain-fixture.ts'

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
    await chain.noteSigningNumber(7)
    await chain.noteSigningNumber(5)
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

function framesOf(height: number): HeightFrame[] {
  const block = aBlock({ height, previousBlockId: genesis.hash as BlockId })
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
