// A flood at one validator's ports: it refuses and cuts off, and what the others answer is final as before.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { heightOf } from '../support/chains.ts'
import { type Flood, floodHttp, floodP2p } from '../support/flood.ts'
import { TestNetwork } from '../support/processes.ts'

const messages = 40

/** Sends messages one after another through the nodes that are not flooded; resolves with the times until final, in ms
 *  and in order. */
async function sendThrough(network: TestNetwork): Promise<number[]> {
  const times: number[] = []
  for (let sent = 0; sent < messages; sent++) {
    const startedAt = performance.now()
    const data = randomBytes(200).toString('base64')
    const { status, text } = await network.node(1 + (sent % 3)).post('/v1/messages?wait=final', { data })
    assert.equal(status, 200, text)
    times.push(performance.now() - startedAt)
  }
  return times.sort((a, b) => a - b)
}

async function assertOthersUnharmed(
  t: TestContext,
  network: TestNetwork,
  { begin, isRefused }: { begin: () => Flood; isRefused: (counts: ReadonlyMap<string, number>) => boolean },
): Promise<void> {
  const before = await sendThrough(network)
  const flood = begin()
  t.after(() => flood.stop())
  await network.until('the flood is refused', () => isRefused(flood.counts))
  const heightBefore = await heightOf(network.node(1))
  const during = await sendThrough(network)
  const made = (await heightOf(network.node(1))) - heightBefore
  assert.ok(made > 0)
  await flood.stop()
  const counted = [...flood.counts].map(([what, count]) => `${what} ${count}`).join(', ')
  t.diagnostic(`time to final without and with the flood: p50 ${ms(before, 0.5)} and ${ms(during, 0.5)}`)
  t.diagnostic(`p90 ${ms(before, 0.9)} and ${ms(during, 0.9)}; the flood: ${counted}`)
  assert.ok(network.node(0).isRunning)
  await network.until('the flooded node has all blocks', async () => {
    const [flooded, other] = [await heightOf(network.node(0)), await heightOf(network.node(1))]
    return flooded >= other
  })
  const { data } = { data: randomBytes(50).toString('base64') }
  assert.equal((await network.node(0).post('/v1/messages?wait=final', { data })).status, 200)
}

function ms(sorted: readonly number[], part: number): string {
  return `${Math.round(sorted[Math.floor(part * (sorted.length - 1))] ?? 0)} ms`
}

test('a flood of HTTP requests at one validator is answered 429, and the finality of the others goes on', async (t) => {
  const network = await TestNetwork.running(t, { config: { trustedProxies: ['127.0.0.1'] } })
  await assertOthersUnharmed(t, network, {
    begin: () => floodHttp(network.node(0).url),
    isRefused: (counts) => (counts.get('429') ?? 0) > 1_000,
  })
})

test('a flood of connections and garbage at one validator is cut off, and the finality of the others goes on', async (t) => {
  const network = await TestNetwork.running(t)
  await assertOthersUnharmed(t, network, {
    begin: () => floodP2p(network.node(0).p2pAddress, network.genesis.chainId),
    isRefused: (counts) => (counts.get('noise cut') ?? 0) > 100 && (counts.get('stranger cut off') ?? 0) > 1,
  })
})
