import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BlockPace } from '../../../src/node/block-pace.ts'

test('the time from block to block follows what blocks take', () => {
  const pace = new BlockPace()
  assert.equal(pace.intervalMs, 0)
  for (let block = 1; block <= 40; block++) pace.onBlock(1e12 + block * 200)
  assert.ok(Math.abs(pace.intervalMs - 200) < 1, String(pace.intervalMs))
  pace.onBlock(1e12 + 40 * 200 + 400)
  assert.ok(pace.intervalMs > 249 && pace.intervalMs < 251, 'a quarter of the way')
})

test('neither a pause nor a clock that is set back counts for more than it can say', () => {
  const pace = new BlockPace()
  pace.onBlock(1e12)
  assert.equal(pace.intervalMs, 250, 'the time before the first block is a pause')
  pace.onBlock(0)
  assert.equal(pace.intervalMs, 187.5)
})
