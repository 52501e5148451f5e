// Each fault of the original DISEQ, as a regression test (docs/protocol.md, "What differs from the original"). Its faults
// of the HTTP routes are in test/unit/api and test/e2e.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { genesisState } from '../../src/chain/index.ts'
import { encodeVoteBody } from '../../src/codec/index.ts'
import { leaderOrder } from '../../src/consensus/index.ts'
import { createVrfProver, sha256, verifySignature, vrfInput } from '../../src/crypto/native/index.ts'
import { Mempool } from '../../src/mempool/index.ts'
import { FrameVerifier } from '../../src/network/verify.ts'
import { BlockExecution } from '../../src/node/execution.ts'
import { openStateTrie } from '../../src/node/restart.ts'
import { thresholdsOf } from '../../src/quorum/index.ts'
import { conflictOf } from '../../src/sequencing/index.ts'
import {
  ChainStore,
  MemoryStore,
  type RecordFile,
  SigningRecord,
  SigningRefused,
} from '../../src/storage/index.ts'
import type { BlockId, Hash } from '../../src/types/index.ts'
import { aMessage, ChainBuilder } from '../support/chain-builder.ts'

const blockId = (digit: string) => digit.repeat(64) as BlockId

function aRecordFile(): RecordFile {
  let content: Uint8Array | undefined
  return {
    read: async () => content,
    append: async (bytes) => {
      content = Buffer.concat([content ?? new Uint8Array(0), bytes])
    },
    replace: async (bytes) => {
      content = bytes
    },
  }
}

/** Another node's way to check blocks of the chain. */
async function aCheckerOf(chain: ChainBuilder) {
  const { genesis } = chain
  const powers = genesis.validators.map(({ power }) => power)
  const thresholds = thresholdsOf(powers, genesis.faultModel)
  const store = await ChainStore.open({ store: new MemoryStore(), genesis })
  const trie = await openStateTrie({ store })
  const shared = { genesis, powers, thresholds, store, trie, sha256 }
  const execution = new BlockExecution({ ...shared, verifySigned: () => true, batchOf: () => undefined })
  const sha256Hex = (bytes: Uint8Array) => Buffer.from(sha256(bytes)).toString('hex') as Hash
  const crypto = { sha256, sha256Hex, verifySignature }
  const verifier = new FrameVerifier({ genesis, thresholds, crypto, entriesMax: 1_000 })
  return { execution, verifier, state: genesisState(genesis, sha256) }
}

describe('one validator could sign two blocks of a height, and the lowest won', () => {
  test('a validator that votes for one block of a view refuses to vote for another', async () => {
    const chain = await ChainBuilder.create()
    const record = await SigningRecord.open({
      file: aRecordFile(),
      genesisHash: chain.genesis.hash,
      votingKey: chain.genesis.validators[0]?.votingKey ?? assert.fail(),
      sign: (kind, bytes) => chain.signVote(0, kind, bytes),
    })
    const request = (digit: string) => ({
      kind: 'notarize' as const,
      bytes: encodeVoteBody({ kind: 'notarize', height: 1, view: 0, blockId: blockId(digit) }),
    })
    await record.signAll([request('b')])
    await assert.rejects(record.signAll([request('a')]), SigningRefused)
  })

  test('who does it all the same is convicted by the two signatures', () => {
    const payload = (digit: string) => ({
      kind: 'notarize' as const,
      bytes: encodeVoteBody({ kind: 'notarize', height: 1, view: 0, blockId: blockId(digit) }),
      signature: new Uint8Array(64),
    })
    assert.equal(conflictOf(payload('a'), payload('b')), 'notarizes')
    assert.equal(conflictOf(payload('a'), payload('a')), undefined)
  })
})

test('the proposer came from a free random number whose receipt nobody verified: now a proof that is not the leader’s own, or for another height, is refused', async () => {
  const chain = await ChainBuilder.create()
  const { block } = await chain.makeBlock({ messages: [aMessage('x')] })
  const { execution, state } = await aCheckerOf(chain)
  const executed = await execution.check(state, block, () => chain.batch([aMessage('x')]))
  assert.equal(executed.kind, 'executed')

  const { leader, height } = block.header
  const prove = (validator: number, at: number) => {
    const seed = chain.keys[validator]?.vrfSeed ?? assert.fail()
    const alpha = vrfInput({ genesisHash: chain.genesis.hash, height: at, beacon: state.beacon })
    return createVrfProver(seed).prove(alpha)
  }
  const forged = [prove((leader + 1) % 4, height), prove(leader, height + 1), new Uint8Array(80)]
  for (const vrfProof of forged) {
    const changed = { ...block, header: { ...block.header, vrfProof } }
    assert.deepEqual(await execution.check(state, changed, () => undefined), {
      kind: 'invalid',
      reason: 'the VRF proof is wrong',
    })
  }
})

test('the last validator never led: now every one leads, the last too', () => {
  const leaders = new Set<number>()
  for (let round = 0; round < 200; round++) {
    const beacon = Buffer.from(sha256(Uint8Array.of(round))).toString('hex') as Hash
    const order = leaderOrder({ beacon, powers: [1, 1, 1, 1], demoted: new Set() })
    assert.deepEqual([...order].sort(), [0, 1, 2, 3])
    leaders.add(order[0] ?? -1)
  }
  assert.deepEqual([...leaders].sort(), [0, 1, 2, 3])
})

test('the pool was wiped after a proposal: now only what is in the chain leaves it', async () => {
  const chain = await ChainBuilder.create()
  const mempool = new Mempool({ maxBytes: 1e7, maxBatches: 10, reservedAuthors: [], nextHeight: 1 })
  const [proposed, other] = ['a', 'b'].map((text) => chain.batch([aMessage(text)]))
  assert(proposed !== undefined && other !== undefined)
  for (const batch of [proposed, other])
    mempool.add({ batch, receivedAt: 1, from: { kind: 'local' }, isPinned: true })
  mempool.settle({ batchIds: [proposed.id], messageIds: proposed.messageIds, nextHeight: 2 })
  assert.deepEqual([...mempool.held().keys()], [other.id])
})

test('messages were not gossiped, so only the proposer’s own got in: now a batch of any node is in, once validators of power > f list it', async () => {
  const chain = await ChainBuilder.create()
  const batches = [0, 1, 2, 3].map((author) => chain.batch([aMessage(`from ${author}`)], author))
  const { messageIds } = await chain.addBlock({ batches })
  assert.equal(messageIds.length, 4)
})

test('synced blocks went unchecked: now one changed signature, batch or message is refused', async () => {
  const chain = await ChainBuilder.create()
  await chain.addBlock({ messages: [aMessage('x')] })
  const final = await chain.readFinal(1)
  const { execution, verifier, state } = await aCheckerOf(chain)
  assert.equal(verifier.verifyFinalBlock(final).ok, true)

  const signatures = final.finalization.signatures.slice(0, 2)
  assert.equal(
    verifier.verifyFinalBlock({ ...final, finalization: { ...final.finalization, signatures } }).ok,
    false,
  )
  const batches = [chain.batch([aMessage('y')])]
  const swapped = new Map(batches.map((batch) => [batch.id, batch]))
  assert.notEqual((await execution.checkFinal(state, final.block, swapped)).kind, 'executed')
  const [batch] = final.batches
  assert(batch !== undefined)
  const unsigned = { ...batch, signature: new Uint8Array(64) }
  assert.equal(verifier.verifyFinalBlock({ ...final, batches: [unsigned] }).ok, false)
})
