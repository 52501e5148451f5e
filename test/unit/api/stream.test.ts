import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { StreamEvents } from '../../../src/api/stream/events.ts'
import { type StreamBounds, StreamReaders, type StreamSink } from '../../../src/api/stream/readers.ts'
import { callsTo } from '../../support/api-calls.ts'
import { FakeNode } from '../../support/api-node.ts'

const bounds: StreamBounds = {
  maxReaders: 2_000,
  readerBufferBytes: 3_000,
  maxBufferedBytes: 1_000_000,
  stallTimeoutMs: 30_000,
  heartbeatMs: 15_000,
}

/** A connection that takes what it is given at once, or only when the test says so. */
class FakeSink implements StreamSink {
  text = ''
  isSlow = false
  isEnded = false
  isDestroyed = false
  readonly written: Uint8Array[] = []
  readonly #unflushed: (() => void)[] = []

  write(bytes: Uint8Array, flushed: () => void): void {
    this.text += Buffer.from(bytes).toString()
    this.written.push(bytes)
    if (this.isSlow) this.#unflushed.push(flushed)
    else queueMicrotask(flushed)
  }

  end(bytes: Uint8Array): void {
    this.text += Buffer.from(bytes).toString()
    this.isEnded = true
  }

  destroy(): void {
    this.isDestroyed = true
  }

  /** Takes the oldest thing it was given. */
  take(): void {
    this.#unflushed.shift()?.()
  }

  takeAll(): void {
    while (this.#unflushed.length > 0) this.take()
  }

  /** Heights of the block events, in order. */
  get heights(): number[] {
    return [...this.text.matchAll(/^id: (\d+)\nevent: block\n/gm)].map(([, id]) => Number(id))
  }
}

interface World {
  readonly node: FakeNode
  readonly readers: StreamReaders
  readonly reads: number[]
  readonly clock: { nowMs: number }
  readonly follow: (from: number, options?: { namespace?: string; isSlow?: boolean }) => FakeSink
  readonly makeBlocks: (count: number, namespace?: string) => Promise<void>
}

function aWorld(test: TestContext, overrides: Partial<StreamBounds> = {}): World {
  test.mock.timers.enable({ apis: ['setInterval'] })
  const node = new FakeNode()
  const reads: number[] = []
  const clock = { nowMs: 0 }
  const events = new StreamEvents((height) => {
    reads.push(height)
    return node.block(height)
  })
  const source = {
    events,
    tipHeight: () => node.tipHeight(),
    onFinalBlock: (listener: () => void) => node.onFinalBlock(listener),
    now: () => clock.nowMs,
  }
  const readers = new StreamReaders(source, { ...bounds, ...overrides })
  readers.start()
  test.after(() => readers.stop())
  return {
    node,
    readers,
    reads,
    clock,
    follow: (from, { namespace, isSlow = false } = {}) => {
      const sink = new FakeSink()
      sink.isSlow = isSlow
      readers.add(sink, { from, namespace })
      return sink
    },
    makeBlocks: async (count, namespace) => {
      for (let made = 0; made < count; made++) {
        const data = Buffer.alloc(100, node.tipHeight())
        const named = namespace === undefined ? {} : { namespace }
        await node.submitMessages([{ data, timestamp: node.tipHeight(), ...named }], { address: '' })
        node.finalise()
      }
    },
  }
}

/** Lets everything that is under way come to its end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 400; turn++) await nextTurn()
}

const upTo = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at)

test('tells of every block once, those before and those that come', async (test) => {
  const { follow, makeBlocks } = aWorld(test)
  await makeBlocks(20)
  const sink = follow(0)
  await makeBlocks(5)
  await settle()
  await makeBlocks(5)
  await settle()
  assert.deepEqual(sink.heights, upTo(0, 30))
})

test('waits for a height that is not final yet', async (test) => {
  const { follow, makeBlocks } = aWorld(test)
  const sink = follow(3)
  await makeBlocks(2)
  await settle()
  assert.deepEqual(sink.heights, [])
  await makeBlocks(2)
  await settle()
  assert.deepEqual(sink.heights, [3, 4])
})

test('encodes a block once for a thousand readers, who are given the same bytes', async (test) => {
  const { follow, makeBlocks, reads } = aWorld(test)
  const sinks = Array.from({ length: 1_000 }, () => follow(1))
  await makeBlocks(3)
  await settle()
  for (const sink of sinks) assert.deepEqual(sink.heights, [1, 2, 3])
  assert.deepEqual(reads, [1, 2, 3])
  assert.equal(sinks[0]?.written.at(-1), sinks[999]?.written.at(-1))
})

test('a slow reader holds a bounded buffer and misses nothing, and others do not wait for it', async (test) => {
  const { follow, makeBlocks, readers } = aWorld(test)
  const slow = follow(1, { isSlow: true })
  const quick = follow(1)
  await makeBlocks(50)
  await settle()
  assert.deepEqual(quick.heights, upTo(1, 50))
  assert.ok(slow.heights.length < 10)
  // One event more than the bound, at most.
  assert.ok(readers.bufferedBytes < bounds.readerBufferBytes + 4_000)
  for (let turn = 0; turn < 100; turn++) {
    slow.take()
    await nextTurn()
    await nextTurn()
  }
  await settle()
  slow.takeAll()
  await settle()
  assert.deepEqual(slow.heights, upTo(1, 50))
})

test('a reader that takes nothing is told and let go; one that takes a little is not', async (test) => {
  const { follow, makeBlocks, readers, clock } = aWorld(test)
  const stuck = follow(1, { isSlow: true })
  const slow = follow(1, { isSlow: true })
  await makeBlocks(30)
  await settle()
  clock.nowMs = 20_000
  slow.take()
  slow.take()
  clock.nowMs = 30_000
  test.mock.timers.tick(30_000)
  assert.ok(stuck.isEnded)
  assert.match(stuck.text, /retry: \d+\nevent: lagging\ndata: \{"height":\d,"finalHeight":30\}\n\n$/)
  assert.ok(!slow.isEnded)
  assert.equal(readers.count, 1)
  assert.equal(readers.letGoCount, 1)
})

test('all connections together hold a bounded number of bytes', async (test) => {
  const { follow, makeBlocks, readers } = aWorld(test, {
    maxBufferedBytes: 5_000,
    readerBufferBytes: 100_000,
  })
  await makeBlocks(40)
  const first = follow(1, { isSlow: true })
  const second = follow(20, { isSlow: true })
  await settle()
  assert.ok(readers.bufferedBytes < 5_000 + 4_000, String(readers.bufferedBytes))
  for (let turn = 0; turn < 200; turn++) {
    first.takeAll()
    second.takeAll()
    await nextTurn()
  }
  assert.deepEqual(first.heights, upTo(1, 40))
  assert.deepEqual(second.heights, upTo(20, 40))
  assert.equal(readers.bufferedBytes, 0)
})

test('what a connection held is free again when the connection is gone', async (test) => {
  const { node, readers, makeBlocks } = aWorld(test)
  const sink = new FakeSink()
  sink.isSlow = true
  const gone = readers.add(sink, { from: 1, namespace: undefined })
  await makeBlocks(5)
  await settle()
  assert.ok(readers.bufferedBytes > 0)
  gone()
  assert.equal(readers.bufferedBytes, 0)
  assert.equal(readers.count, 0)
  sink.takeAll()
  assert.equal(readers.bufferedBytes, 0)
  assert.equal(node.listenerCount, 1)
})

test('of a namespace it tells the messages with their places, and nothing of blocks without any', async (test) => {
  const { follow, makeBlocks, node } = aWorld(test)
  await makeBlocks(2, 'rollup')
  await makeBlocks(3)
  await node.submitMessages([{ data: Buffer.from('other'), timestamp: 0 }], { address: '' })
  await makeBlocks(1, 'rollup')
  const sink = follow(0, { namespace: 'rollup' })
  await settle()
  assert.deepEqual(sink.heights, [1, 2, 6])
  const last = JSON.parse(sink.text.match(/id: 6\nevent: block\ndata: (.*)\n/)?.[1] ?? '')
  assert.equal(last.messages.length, 1)
  assert.equal(last.messages[0].index, 1)
  assert.equal(last.messages[0].namespace, 'rollup')
})

test('the place in a quiet namespace is told with the heartbeat, so that coming back is cheap', async (test) => {
  const { follow, makeBlocks } = aWorld(test)
  const sink = follow(1, { namespace: 'rollup' })
  await makeBlocks(7)
  await settle()
  test.mock.timers.tick(15_000)
  assert.match(sink.text, /\n\nid: 7\n\n$/)
  test.mock.timers.tick(15_000)
  assert.match(sink.text, /\n\nid: 7\n\n:\n\n$/)
})

test('a block that cannot be read ends the stream instead of being passed over', async (test) => {
  const { follow, makeBlocks, node } = aWorld(test)
  await makeBlocks(2)
  node.block = async (height) => {
    if (height === 2) throw new Error('the disk failed')
    return FakeNode.prototype.block.call(node, height)
  }
  const sink = follow(1)
  await settle()
  assert.deepEqual(sink.heights, [1])
  assert.ok(sink.isEnded)
})

test('over HTTP it goes on after Last-Event-ID, whatever the address says, and ends when the server closes', async (test) => {
  const { node, server } = callsTo(test)
  for (let made = 0; made < 5; made++) node.finalise()
  const reply = await server.app.inject({
    url: '/v1/stream?from=0',
    headers: { 'last-event-id': '2' },
    payloadAsStream: true,
  })
  assert.equal(reply.statusCode, 200)
  assert.equal(reply.headers['content-type'], 'text/event-stream; charset=utf-8')
  const chunks: string[] = []
  const ended = (async () => {
    for await (const chunk of reply.stream()) chunks.push(String(chunk))
  })()
  await settle()
  node.finalise()
  await settle()
  await server.close()
  await ended
  const ids = [...chunks.join('').matchAll(/^id: (\d+)\nevent/gm)].map(([, id]) => Number(id))
  assert.deepEqual(ids, [3, 4, 5, 6])
})

test('without a height it begins with the next block', async (test) => {
  const { node, server } = callsTo(test)
  for (let made = 0; made < 3; made++) node.finalise()
  const reply = await server.app.inject({ url: '/v1/stream', payloadAsStream: true })
  node.finalise()
  await settle()
  await server.close()
  let text = ''
  for await (const chunk of reply.stream()) text += String(chunk)
  assert.deepEqual(text.match(/^id: .*$/gm), ['id: 3', 'id: 4'])
})

test('refuses what is no height, a namespace that is too long, and more readers than it has room for', async (test) => {
  const { get } = callsTo(test, { maxStreamReaders: 0 })
  assert.equal((await get('/v1/stream', { 'last-event-id': 'x' })).json().code, 'invalid-parameter')
  assert.equal((await get('/v1/stream?from=-1')).statusCode, 400)
  assert.equal((await get(`/v1/stream?namespace=${encodeURIComponent('é'.repeat(33))}`)).statusCode, 400)
  const full = await get('/v1/stream')
  assert.equal(full.statusCode, 503)
  assert.equal(full.headers['retry-after'], '5')
})
