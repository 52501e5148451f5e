// What a node says of messages it took in, where the chain went on without it: pending, final, expired, refused, and why.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client, type MessageState, type OutgoingMessage } from '../../src/client/index.ts'
import { encodeVoteBody } from '../../src/codec/index.ts'
import { createSigner, signingInput } from '../../src/crypto/native/index.ts'
import { readKeys } from '../../src/node/keys.ts'
import { trustGenesis, verifyReceipt } from '../../src/proofs/index.ts'
import { makeEvidence, messageOfEvidence } from '../../src/sequencing/index.ts'
import type { BlockId, Hash } from '../../src/types/index.ts'
import { aLocalNetwork, type LocalNetwork, until, untilReady } from '../support/local-network.ts'

const culprit = 3

/** Evidence against the culprit; other digits make other evidence. */
function evidenceOf(
  network: LocalNetwork,
  genesisHash: Hash,
  digits: readonly [string, string],
): OutgoingMessage {
  const signer = createSigner(readKeys(network.testnet.nodes[culprit]?.home ?? '').votingSeed)
  const payloadOf = (digit: string) => {
    const bytes = encodeVoteBody({
      kind: 'notarize',
      height: 1,
      view: 9,
      blockId: digit.repeat(64) as BlockId,
    })
    const signature = signer.sign(signingInput({ kind: 'notarize', genesisHash, bytes }))
    return { kind: 'notarize', bytes, signature } as const
  }
  const payloads = [payloadOf(digits[0]), payloadOf(digits[1])] as const
  const evidence = makeEvidence({ validator: culprit, payloads })
  assert(evidence !== undefined)
  return messageOfEvidence(evidence)
}

test('a node says what became of each message: pending, then final, expired or refused, with the reason', {
  timeout: 240_000,
}, async (t) => {
  const network = await aLocalNetwork(t)
  const genesis = trustGenesis(JSON.stringify(await network.client.genesis()))
  assert(genesis.ok)
  const trust = genesis.value
  const [first = '', ...others] = network.addresses
  const alone = new Client({ nodes: [first] })
  const rest = new Client({ nodes: others })
  const text = (data: string): OutgoingMessage => ({ data: new TextEncoder().encode(data) })
  await network.client.send([text('before')], { isFinalAwaited: true })
  const { finalHeight } = await alone.status()

  // Left alone, the first node takes messages in and can do nothing with them.
  await Promise.all([1, 2, 3].map((index) => network.stop(index)))
  const sent = await alone.send([
    { ...text('too late'), expiresAt: finalHeight + 1 },
    evidenceOf(network, trust.genesis.hash, ['a', 'b']),
    text('in time'),
  ])
  const states = () => Promise.all(sent.map(async ({ id }) => (await alone.message(id)) as MessageState))
  assert.deepEqual(
    (await states()).map(({ state, height }) => [state, height]),
    [
      ['pending', undefined],
      ['pending', undefined],
      ['pending', undefined],
    ],
  )

  // The others go on without it: two blocks, with other evidence against the same validator.
  await network.stop(0)
  await Promise.all([1, 2, 3].map((index) => network.start(index)))
  await Promise.all(others.map((address) => untilReady(address)))
  const accused = evidenceOf(network, trust.genesis.hash, ['c', 'd'])
  const [conviction] = await rest.send([accused], { isFinalAwaited: true })
  assert.equal(conviction?.state, 'final')
  await rest.send([text('another block')], { isFinalAwaited: true })

  await network.start(0)
  await untilReady(first)
  const settled = async (): Promise<void> => {
    await until(async () => (await states()).every(({ state }) => state !== 'pending'))
    const [expired, refused, final] = await states()
    assert.deepEqual([expired?.state, expired?.reason], ['expired', 'its expiresAt passed'])
    assert.deepEqual(
      [refused?.state, refused?.reason],
      ['refused', `evidence against validator ${culprit} is in the chain already`],
    )
    assert.equal(final?.state, 'final')
    assert((final?.height ?? 0) > finalHeight && final?.index !== undefined)
    assert.deepEqual(await rest.message(final?.id ?? ''), final)
  }
  await settled()
  await network.stop(0)
  await network.start(0)
  await untilReady(first)
  await settled()
  assert.equal(await alone.message('00'.repeat(32)), undefined)
  // What can no longer become final is not taken in.
  await assert.rejects(alone.send([evidenceOf(network, trust.genesis.hash, ['e', 'f'])]), { status: 422 })
  await assert.rejects(alone.send([{ ...text('past'), expiresAt: finalHeight }]), { status: 422 })

  const reply = await fetch(`${first}/v1/messages?receipt=true&wait=final`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ data: 'YQ==' }, { data: 'Yg==' }]),
  })
  const { messages, receipt } = (await reply.json()) as { messages: MessageState[]; receipt: unknown }
  assert(messages.every(({ state }) => state === 'final'))
  const promise = verifyReceipt({ trust, receipt, node: trust.genesis.validators[0]?.nodeKey ?? '' })
  assert(promise.ok)
  assert.deepEqual([promise.validator, promise.ids], [0, messages.map(({ id }) => id)])
})
