import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { FinalityWaiters, Waits } from '../../../src/api/waiting.ts'
import type { Message } from '../../../src/types/index.ts'
import { FakeNode, idOf } from '../../support/api-node.ts'

const aMessage = (byte: number): Message => ({ data: Uint8Array.of(byte), timestamp: 0 })
const context = { address: '192.0.2.1' }

function waitersOf(node: FakeNode, maxMessages = 100): FinalityWaiters {
  const waiters = new FinalityWaiters(node, maxMessages)
  waiters.start()
  return waiters
}

test('resolves once every message is final or dropped, in the order asked', async () => {
  const node = new FakeNode()
  const waiters = waitersOf(node)
  const [a, b] = [aMessage(1), aMessage(2)]
  await node.submitMessages([a, b], context)
  const settled = waiters.settled([idOf(b), idOf(a)], new AbortController().signal)
  node.expire(idOf(b), 'too old')
  node.finalise()
  assert.deepEqual(await settled, [
    { state: 'expired', reason: 'too old' },
    { state: 'final', height: 1, index: 0 },
  ])
})

test('sees what was final before it began to wait', async () => {
  const node = new FakeNode()
  await node.submitMessages([aMessage(1)], context)
  node.finalise()
  const states = await waitersOf(node).settled([idOf(aMessage(1))], new AbortController().signal)
  assert.deepEqual(states, [{ state: 'final', height: 1, index: 0 }])
})

test('ends at the signal with what is true then', async () => {
  const node = new FakeNode()
  const waiters = waitersOf(node)
  const [a, b] = [aMessage(1), aMessage(2)]
  await node.submitMessages([a], context)
  node.finalise()
  await node.submitMessages([b], context)
  const controller = new AbortController()
  const settled = waiters.settled([idOf(a), idOf(b)], controller.signal)
  controller.abort()
  assert.deepEqual(await settled, [{ state: 'final', height: 1, index: 0 }, { state: 'pending' }])
})

test('wakes all who wait for one message, and then has room again', async () => {
  const node = new FakeNode()
  const waiters = waitersOf(node, 2)
  await node.submitMessages([aMessage(1)], context)
  const ids = [idOf(aMessage(1))]
  const { signal } = new AbortController()
  const both = Promise.all([waiters.settled(ids, signal), waiters.settled(ids, signal)])
  assert.equal(waiters.hasRoomFor(1), false)
  node.finalise()
  const [first, second] = await both
  assert.deepEqual(first, second)
  assert.equal(waiters.hasRoomFor(2), true)
})

test('unsubscribes when stopped', () => {
  const node = new FakeNode()
  const waiters = waitersOf(node)
  assert.equal(node.listenerCount, 1)
  waiters.stop()
  assert.equal(node.listenerCount, 0)
})

const aResponse = (): ServerResponse => new EventEmitter() as ServerResponse
const untilAborted = (signal: AbortSignal): Promise<string> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve('ended'), { once: true }))

test('ends a wait when the client is gone, and when the server closes', async () => {
  const waits = new Waits(10)
  const response = aResponse()
  const gone = waits.run({ response, timeoutMs: 60_000 }, untilAborted)
  response.emit('close')
  assert.equal(await gone, 'ended')
  assert.equal(response.listenerCount('close'), 0)

  const closed = waits.run({ response: aResponse(), timeoutMs: 60_000 }, untilAborted)
  waits.close()
  assert.equal(await closed, 'ended')
  assert.equal(await waits.run({ response: aResponse(), timeoutMs: 60_000 }, untilAborted), undefined)
})

test('lets only so many wait', async () => {
  const waits = new Waits(1)
  const first = waits.run({ response: aResponse(), timeoutMs: 60_000 }, untilAborted)
  assert.equal(await waits.run({ response: aResponse(), timeoutMs: 60_000 }, untilAborted), undefined)
  waits.close()
  await first
})

test('ends a wait by its time', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const wait = new Waits(1).run({ response: aResponse(), timeoutMs: 60_000 }, untilAborted)
  context.mock.timers.tick(60_000)
  assert.equal(await wait, 'ended')
})
