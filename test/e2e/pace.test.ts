// How long a message takes at a steady, moderate pace, and what a chain does that nobody sends anything to. The figures
// are printed, not judged: the machine of a test is anybody's.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { assertOneSequence, heightOf, idOf, isSettled, statusOf } from '../support/chains.ts'
import { type NodeProcess, TestNetwork } from '../support/processes.ts'

const perSecond = 20
const seconds = 15
const idleMs = 4_000

test('20 messages a second on four validators become final; an idle chain makes no blocks and next to no traffic', async (t) => {
  const network = await TestNetwork.running(t)
  // The first blocks pay for code that was never run before.
  for (let at = 0; at < 10; at++) await timeToFinal(network.node(at % 4))

  const alone: number[] = []
  for (let at = 0; at < 20; at++) alone.push(await timeToFinal(network.node(at % 4)))
  t.diagnostic(`one at a time: ${summaryOf(alone)}`)

  const ids: string[] = []
  const steady: Promise<number>[] = []
  const startedAt = performance.now()
  for (let at = 0; at < perSecond * seconds; at++) {
    const data = randomBytes(200)
    ids.push(idOf(data))
    steady.push(timeToFinal(network.node(at % 4), data))
    await pause(startedAt + ((at + 1) * 1_000) / perSecond - performance.now())
  }
  t.diagnostic(`${perSecond} a second: ${summaryOf(await Promise.all(steady))}`)
  await network.until('nothing is pending', () => isSettled(network.nodes, 1))
  const blocks = await assertOneSequence(network.nodes, ids)
  t.diagnostic(
    `${blocks.length} blocks; memory ${(await Promise.all(network.nodes.map(memoryOf))).join(', ')} MiB`,
  )

  const [before, bytesBefore] = [await statusOf(network.node(0)), await bytesSentBy(network.nodes)]
  await pause(idleMs)
  const [after, bytesAfter] = [await statusOf(network.node(0)), await bytesSentBy(network.nodes)]
  assert.equal(after.finalHeight, before.finalHeight)
  assert.ok((await Promise.all(network.nodes.map(heightOf))).every((height) => height === before.finalHeight))
  const rate = (bytesAfter - bytesBefore) / (idleMs / 1_000) / network.nodes.length
  t.diagnostic(`idle: ${Math.round(rate)} bytes a second and node`)
  // Pings, gossip heartbeats and statuses, some 2 KB; ten times as much would still be nothing, and no loop of any kind.
  assert.ok(rate < 20_000, `${rate} bytes a second and node`)
})

/** Milliseconds from sending to the answer that says it is final. */
async function timeToFinal(node: NodeProcess, data = randomBytes(200)): Promise<number> {
  const sentAt = performance.now()
  const { status, text } = await node.post('/v1/messages?wait=final', { data: data.toString('base64') })
  assert.equal(status, 200, text)
  return performance.now() - sentAt
}

/** Of all connections, whatever they carry. */
async function bytesSentBy(nodes: readonly NodeProcess[]): Promise<number> {
  const counts = await Promise.all(
    nodes.map((node) => metricOf(node, /^libp2p_data_transfer_bytes_total\{protocol="global sent"/)),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

async function memoryOf(node: NodeProcess): Promise<number> {
  return Math.round((await metricOf(node, /^process_resident_memory_bytes /)) / 1024 / 1024)
}

async function metricOf(node: NodeProcess, line: RegExp): Promise<number> {
  const { text } = await node.get('/metrics')
  const found = text.split('\n').find((candidate) => line.test(candidate))
  assert.ok(found !== undefined, `no metric ${line}`)
  return Number(found.split(' ').at(-1))
}

function summaryOf(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0)
  return `${sorted.length} messages, median ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, ms))
  })
}
