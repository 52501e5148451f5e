// The stream at its size: every one of 100,000 messages exactly once while nodes are killed under the reader, and a
// thousand readers on one node.
import assert from 'node:assert/strict'
import { Agent, get, type IncomingMessage } from 'node:http'
import { type TestContext, test } from 'node:test'
import { Client } from '../../src/client/index.ts'
import { TestNetwork } from '../support/processes.ts'

const messagesTotal = 100_000
const groupSize = 500
/** A node is killed each time the readers have been told of so many more. */
const messagesPerKill = 5_000
const readersTotal = 1_000
const samples = 40

test('a reader counts each of 100,000 messages once, in one order, while nodes are killed under it', {
  timeout: 900_000,
}, async (context) => {
  const network = await TestNetwork.running(context, { logLevel: 'warn' })
  const urls = network.nodes.map(({ url }) => url)
  const client = new Client({ nodes: urls, busyTimeoutMs: 300_000 })
  const stop = new AbortController()
  context.after(() => stop.abort())
  const readers = [urls, [...urls].reverse()].map((nodes) => readAll(nodes, stop.signal))

  let isSending = true
  let kills = 0
  const killing = (async () => {
    for (let turn = 0; isSending; turn++) {
      const node = network.node(turn % 4)
      const seen = Math.max(...readers.map(({ length }) => length))
      await network.until(
        'the chain goes on',
        () => !isSending || readers.some(({ length }) => length >= seen + messagesPerKill),
      )
      await node.kill()
      kills += 1
      await network.start([turn % 4])
    }
  })()
  const accepted: string[] = []
  for (let from = 0; from < messagesTotal; from += groupSize) {
    const group = Array.from({ length: groupSize }, (_, at) => ({
      data: new TextEncoder().encode(`message ${from + at}`),
    }))
    for (const { id } of await client.send(group)) accepted.push(id)
  }
  isSending = false
  await killing
  assert.ok(kills > 0)

  await network.until(
    'all messages were streamed',
    () => readers.every(({ length }) => length >= messagesTotal),
    {
      timeoutMs: 300_000,
    },
  )
  stop.abort()
  for (const ids of readers) {
    assert.equal(ids.length, messagesTotal)
    assert.deepEqual(new Set(ids), new Set(accepted))
  }
  assert.deepEqual(readers[0], readers[1])
  context.diagnostic(`${kills} kills`)
})

test('a thousand readers all get every block, and finality goes on', {
  timeout: 300_000,
}, async (context) => {
  const network = await TestNetwork.running(context, { logLevel: 'warn' })
  const { url } = network.node(0)
  const client = new Client({ nodes: [url] })
  await finalityOf(client, 'warm')
  const without = await finalityOf(client, 'without')
  const readers = await openReaders(context, `${url}/v1/stream`)
  const withReaders = await finalityOf(client, 'with')
  await network.until('all readers have every block', () => readers.every(({ blocks }) => blocks >= samples))
  context.diagnostic(`median finality: ${without} ms without readers, ${withReaders} ms with ${readersTotal}`)
})

/** Ids in the order in which the stream told of them. */
function readAll(nodes: readonly string[], signal: AbortSignal): string[] {
  const ids: string[] = []
  void (async () => {
    for await (const { messages } of new Client({ nodes }).stream({ from: 1, signal })) {
      for (const { id } of messages) ids.push(id)
    }
  })()
  return ids
}

/** Median of the times from sending a message to its being final, one after another, in milliseconds. */
async function finalityOf(client: Client, name: string): Promise<number> {
  const times: number[] = []
  for (let at = 0; at < samples; at++) {
    const sentAt = performance.now()
    await client.send([{ data: new TextEncoder().encode(`${name} ${at}`) }], { isFinalAwaited: true })
    times.push(performance.now() - sentAt)
  }
  return Math.round(times.sort((a, b) => a - b)[samples / 2] ?? 0)
}

async function openReaders(context: TestContext, url: string): Promise<{ blocks: number }[]> {
  const agent = new Agent({ keepAlive: false, maxSockets: readersTotal })
  context.after(() => agent.destroy())
  const responses = await Promise.all(
    Array.from(
      { length: readersTotal },
      () =>
        new Promise<IncomingMessage>((resolve, reject) => {
          get(url, { agent }, resolve).once('error', reject)
        }),
    ),
  )
  return responses.map((response) => {
    assert.equal(response.statusCode, 200)
    const reader = { blocks: 0 }
    response.on('data', (chunk: Buffer) => {
      for (let at = chunk.indexOf('event: block'); at >= 0; at = chunk.indexOf('event: block', at + 1))
        reader.blocks += 1
    })
    response.on('error', () => undefined)
    context.after(() => response.destroy())
    return reader
  })
}
