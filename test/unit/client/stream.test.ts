import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client, ClientError } from '../../../src/client/index.ts'

const block = (height: number) => {
  const data = { height, id: 'b', time: 1, messages: [{ index: 0, id: 'm', data: 'AQI=', timestamp: 0 }] }
  return `id: ${height}\nevent: block\ndata: ${JSON.stringify(data)}\n\n`
}

/** Nodes that answer each request for the stream with the next of their scripts, cut into small pieces. */
function aClient(scripts: Record<string, (string | number | Error)[]>) {
  const asked: string[] = []
  const slept: number[] = []
  const client = new Client({
    nodes: Object.keys(scripts),
    sleep: async (ms) => void slept.push(ms),
    fetch: async (input) => {
      const url = String(input)
      asked.push(url)
      const script = scripts[new URL(url).origin]?.shift()
      if (script === undefined || script instanceof Error) throw script ?? new TypeError('refused')
      if (typeof script === 'number') return new Response('{}', { status: script })
      const pieces = script.match(/[\s\S]{1,7}/g) ?? []
      return new Response(ReadableStream.from(pieces.map((piece) => new TextEncoder().encode(piece))))
    },
  })
  return { client, asked, slept }
}

async function heightsOf(client: Client, options: { from?: number; namespace?: string }, count: number) {
  const heights: number[] = []
  for await (const { height } of client.stream(options)) {
    heights.push(height)
    if (heights.length === count) break
  }
  return heights
}

test('goes on where it was, with another node, and tells of no block twice', async () => {
  const { client, asked } = aClient({
    'http://a': [`retry: 700\n: hello\n\n${block(5)}${block(6)}:\n\n`, block(8)],
    'http://b': [`${block(6)}${block(7)}`],
  })
  assert.deepEqual(await heightsOf(client, { from: 5 }, 4), [5, 6, 7, 8])
  assert.deepEqual(asked, [
    'http://a/v1/stream?from=5',
    'http://b/v1/stream?from=7',
    'http://a/v1/stream?from=8',
  ])
})

test('comes back to its place in a namespace that was quiet, and decodes its messages', async () => {
  const { client, asked } = aClient({ 'http://a': ['id: 90\n\n', block(95)] })
  const { value } = await client.stream({ from: 1, namespace: 'a b' }).next()
  assert.deepEqual(value?.messages[0]?.data, Uint8Array.of(1, 2))
  assert.equal(asked[1], 'http://a/v1/stream?from=91&namespace=a+b')
})

test('an event of another kind, such as lagging, ends nothing and is no block', async () => {
  const lagging = 'retry: 900\nevent: lagging\ndata: {"height":5,"finalHeight":9}\n\n'
  const { client, slept } = aClient({ 'http://a': [`${block(5)}${lagging}`, block(6)] })
  assert.deepEqual(await heightsOf(client, { from: 5 }, 2), [5, 6])
  assert.deepEqual(slept, [900])
})

test('waits for nodes that are gone for a while, but not where none was ever there', async () => {
  const gone = () => new TypeError('refused')
  const { client } = aClient({ 'http://a': [block(1), gone(), gone(), 503, block(2)] })
  assert.deepEqual(await heightsOf(client, { from: 1 }, 2), [1, 2])
  const nobody = aClient({ 'http://a': [gone()], 'http://b': [gone()] })
  await assert.rejects(
    heightsOf(nobody.client, {}, 1),
    (error) => error instanceof ClientError && error.code === 'unreachable',
  )
})

test('what a node refuses is not asked again', async () => {
  const { client, asked } = aClient({ 'http://a': [400], 'http://b': [block(1)] })
  await assert.rejects(
    heightsOf(client, {}, 1),
    (error) => error instanceof ClientError && error.code === 'refused',
  )
  assert.equal(asked.length, 1)
})

test('a stream that tells of nothing without an end is left for another node', async () => {
  let isCancelled = false
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(1 << 20).fill(0x61)),
    cancel: () => {
      isCancelled = true
    },
  })
  const client = new Client({
    nodes: ['http://endless', 'http://a'],
    sleep: async () => undefined,
    fetch: async (input) => new Response(String(input).startsWith('http://a/') ? block(5) : endless),
  })
  assert.deepEqual(await heightsOf(client, { from: 5 }, 1), [5])
  assert(isCancelled)
})

test('ends without an error when it is told to', async () => {
  const { client } = aClient({ 'http://a': [block(1)] })
  const controller = new AbortController()
  const heights: number[] = []
  for await (const { height } of client.stream({ signal: controller.signal })) {
    heights.push(height)
    controller.abort()
  }
  assert.deepEqual(heights, [1])
})
