import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLoopback, RateLimiter } from '../../../src/api/rate-limit.ts'

const limit = { requestsPerSecond: 2, burst: 3 }

test('lets a burst pass, then what the rate gives', () => {
  const limiter = new RateLimiter(limit)
  const at = (nowMs: number): number => limiter.take('192.0.2.1', nowMs)
  assert.deepEqual([at(0), at(0), at(0), at(0)], [0, 0, 0, 1])
  assert.equal(at(499), 1)
  assert.equal(at(500), 0)
  assert.equal(at(500), 1)
})

test('counts each address apart, of IPv6 each /64', () => {
  const limiter = new RateLimiter({ requestsPerSecond: 1, burst: 1 })
  assert.equal(limiter.take('192.0.2.1', 0), 0)
  assert.equal(limiter.take('192.0.2.2', 0), 0)
  assert.equal(limiter.take('::ffff:192.0.2.2', 0), 1)
  assert.equal(limiter.take('2001:db8::1', 0), 0)
  assert.equal(limiter.take('2001:0db8:0:0:ffff:1:2:3', 0), 1)
  assert.equal(limiter.take('2001:db8:0:1::1', 0), 0)
})

test('makes a large body cost more, beyond what is there', () => {
  const limiter = new RateLimiter(limit)
  limiter.charge('192.0.2.1', 16 * 1024 - 1, 0)
  assert.equal(limiter.take('192.0.2.1', 0), 0)
  limiter.charge('192.0.2.1', 16 * 1024 * 10, 0)
  assert.equal(limiter.take('192.0.2.1', 0), 5)
})

test('does not gain by a clock that goes back', () => {
  const limiter = new RateLimiter({ requestsPerSecond: 1, burst: 1 })
  assert.equal(limiter.take('192.0.2.1', 10_000), 0)
  assert.equal(limiter.take('192.0.2.1', 0), 1)
})

test('forgets the address unused longest where there are too many', () => {
  const limiter = new RateLimiter({ requestsPerSecond: 0.001, burst: 1 })
  for (let index = 0; index <= 20_000; index += 1) limiter.take(`10.0.${index >> 8}.${index & 255}`, 0)
  assert.equal(limiter.take('10.0.78.32', 0) > 0, true)
  assert.equal(limiter.take('10.0.0.0', 0), 0)
})

test('knows the addresses of the machine itself', () => {
  for (const address of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) assert.ok(isLoopback(address))
  for (const address of ['128.0.0.1', '::2', '10.127.0.1', '2001:db8::1']) assert.ok(!isLoopback(address))
})
