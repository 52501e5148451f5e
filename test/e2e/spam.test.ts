// One who floods a network with what is valid: its batches come into the chain like others, and keep nobody else out.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { decodeBatch, encodeBatchBody } from '../../src/codec/index.ts'
import { createSigner, sha256, signingInput } from '../../src/crypto/native/index.ts'
import type { Batch, Genesis } from '../../src/types/index.ts'
import { assertOneSequence, heightOf, isSettled, statusOf } from '../support/chains.ts'
import { type NodeProcess, TestNetwork } from '../support/processes.ts'
import { SignatureLedger } from '../support/signature-ledger.ts'
import { WireListener } from '../support/wire-listener.ts'

const spamEveryMs = 5
const messagesOfEach = 4

test('a peer that floods the pools with batches of ever new authors keeps no message of others out', async (t) => {
  // Pools so small that the flood fills what it may of them.
  const network = await TestNetwork.running(t, { config: { poolMaxBatches: 160 } })
  const follower = await network.addFollower(network.node(1))
  await follower.start()
  const spammer = await WireListener.join(t, network, new SignatureLedger())
  const spam = startSpam(t, spammer, network.genesis)
  await network.until('pools refuse what the flood brings', async () => {
    const refused = await Promise.all(network.nodes.slice(0, 4).map(refusedByQuota))
    return refused.every((count) => count > 0)
  })

  const nodes = [...network.nodes]
  assert.ok(nodes.includes(follower))
  const ids = await Promise.all(nodes.map((node) => sendSome(node)))
  const refusedAfter = await Promise.all(network.nodes.map(refusedByQuota))
  t.diagnostic(`${spam.count} batches of spam; refused by quotas: ${refusedAfter.join(', ')}`)
  spam.stop()
  // A follower keeps what the flood brought it and no validator took: it lists nothing, so nobody asks it.
  const validators = nodes.filter((node) => node !== follower)
  await network.until('validators have all', () => isSettled(validators, 1))
  const { finalHeight } = await statusOf(network.node(0))
  await network.until('so has the follower', async () => (await heightOf(follower)) === finalHeight)
  await assertOneSequence(network.nodes, ids.flat())
})

/** Sends messages one after another, each only once the one before it is final; returns their ids. */
async function sendSome(node: NodeProcess): Promise<string[]> {
  const ids: string[] = []
  while (ids.length < messagesOfEach) {
    const { status, text } = await node.post('/v1/messages?wait=final', {
      data: randomBytes(100).toString('base64'),
    })
    assert.equal(status, 200, text)
    const [message] = (JSON.parse(text) as { messages: { id: string; state: string }[] }).messages
    assert.equal(message?.state, 'final')
    ids.push(message.id)
  }
  return ids
}

/** How often the door of the pool refused because somebody had brought or made too many. */
async function refusedByQuota(node: NodeProcess): Promise<number> {
  const { text } = await node.get('/metrics')
  return [...text.matchAll(/^diseq_pool_refused_total\{reason="(?:peer|author)-quota"\} (\d+)$/gm)]
    .map(([, count]) => Number(count))
    .reduce((sum, count) => sum + count, 0)
}

function startSpam(
  test: TestContext,
  spammer: WireListener,
  genesis: Genesis,
): { count: number; stop(): void } {
  const spam = { count: 0, stop: () => clearInterval(timer) }
  const timer = setInterval(() => {
    spammer.say({ kind: 'batch', batch: aBatch(genesis) })
    spam.count += 1
  }, spamEveryMs)
  test.after(spam.stop)
  return spam
}

/** Of an author that nobody has seen before. */
function aBatch(genesis: Genesis): Batch {
  const author = createSigner(randomBytes(32))
  const messages = [{ data: randomBytes(50), timestamp: 0 }]
  const bytes = encodeBatchBody(author.publicKey, messages, genesis.limits)
  const signature = author.sign(signingInput({ kind: 'batch', genesisHash: genesis.hash, bytes }))
  const decoded = decodeBatch({ bytes, signature }, { limits: genesis.limits, sha256 })
  assert.ok(decoded.ok)
  return decoded.value
}
