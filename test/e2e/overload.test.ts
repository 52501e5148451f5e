// More than the network can do: the rest is refused in time, and what was accepted is final all the same.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { assertOneSequence, isSettled, sequenceOf } from '../support/chains.ts'
import { TestNetwork } from '../support/processes.ts'

const requestMessages = 1_000
const requestsMax = 200
const clients = 4

test('a node that accepts faster than blocks take says 503 with Retry-After; all that was accepted is final, each once', async (t) => {
  const network = await TestNetwork.running(t, { config: { backlogMaxMs: 100 } })
  const node = network.node(0)
  const accepted: string[] = []
  let requests = 0
  let isRefused = false
  const offer = async () => {
    while (!isRefused && requests < requestsMax) {
      requests += 1
      const messages = Array.from({ length: requestMessages }, () => ({
        data: randomBytes(200).toString('base64'),
      }))
      const { status, text, headers } = await node.post('/v1/messages', messages)
      if (status === 202) {
        accepted.push(...(JSON.parse(text) as { ids: string[] }).ids)
        continue
      }
      assert.equal(status, 503, text)
      assert.equal(JSON.parse(text).code, 'pool-full')
      assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/)
      isRefused = true
    }
  }
  await Promise.all(Array.from({ length: clients }, offer))
  assert.ok(isRefused, `${accepted.length} messages were accepted, and none refused`)
  t.diagnostic(`${accepted.length} accepted before the first refusal`)

  await network.until('what was accepted is final everywhere', () => isSettled(network.nodes, 1))
  const blocks = await assertOneSequence(network.nodes, accepted)
  assert.equal(sequenceOf(blocks).length, accepted.length)
  // It takes messages again.
  const again = await node.post('/v1/messages?wait=final', { data: randomBytes(200).toString('base64') })
  assert.equal(again.status, 200, again.text)
})
