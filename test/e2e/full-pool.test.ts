// A pool that is full says so, and when to come again; nothing that was accepted is given up for it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSettled } from '../support/chains.ts'
import { TestNetwork } from '../support/processes.ts'

/** A quarter of it is for what clients submit; the rest must take what other nodes bring. */
const poolMaxBytes = 16 * 1024 * 1024
const messageBytes = 100_000

test('a node whose pool is full answers 503 with Retry-After, keeps what it has, and takes more once there is room', async (t) => {
  const network = await TestNetwork.make(t, { config: { poolMaxBytes } })
  const node = network.node(0)
  // Alone, without a quorum: nothing leaves the pool.
  await node.start()
  const messageOf = (number: number) => ({
    data: Buffer.alloc(messageBytes, number).toString('base64'),
    timestamp: number,
  })
  const accepted: string[] = []
  for (;;) {
    const { status, text, headers } = await node.post('/v1/messages', messageOf(accepted.length))
    if (status === 202) {
      accepted.push(...(JSON.parse(text) as { ids: string[] }).ids)
      continue
    }
    assert.equal(status, 503)
    assert.equal(JSON.parse(text).code, 'pool-full')
    assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/)
    break
  }
  assert.ok(accepted.length > 1 && accepted.length * messageBytes <= poolMaxBytes)
  // The original's route too; and what is known already is still accepted.
  const original = await node.post('/schedule', { data: [...Buffer.alloc(messageBytes)], timestamp: 99 })
  assert.equal(original.status, 503)
  assert.match(original.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
  assert.equal((await node.post('/v1/messages', messageOf(0))).status, 202)

  await network.start([1, 2, 3])
  await network.until('the pool is empty', () => isSettled(network.nodes, 1))
  const again = await node.post('/v1/messages?wait=final', messageOf(accepted.length))
  assert.equal(again.status, 200, again.text)
  for (const id of accepted) {
    assert.equal((await node.json<{ state: string }>(`/v1/messages/${id}`)).state, 'final')
  }
})
