import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecentMap } from '../../../src/crypto/recent-map.ts'

test('holds as many entries as it may and forgets the one not used for longest', () => {
  const map = new RecentMap<string, { n: number }>(2)
  map.set('a', { n: 1 })
  map.set('b', { n: 2 })
  assert.deepEqual(map.get('a'), { n: 1 })
  map.set('c', { n: 3 })
  assert.equal(map.size, 2)
  assert.equal(map.get('b'), undefined)
  assert.deepEqual(map.get('a'), { n: 1 })
  assert.deepEqual(map.get('c'), { n: 3 })
})

test('replaces the value of a key without forgetting another', () => {
  const map = new RecentMap<string, { n: number }>(2)
  map.set('a', { n: 1 })
  map.set('b', { n: 2 })
  map.set('a', { n: 3 })
  assert.equal(map.size, 2)
  assert.deepEqual(map.get('a'), { n: 3 })
  assert.deepEqual(map.get('b'), { n: 2 })
})

test('refuses a capacity of less than one entry', () => {
  for (const capacity of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(() => new RecentMap(capacity), RangeError)
  assert.equal(new RecentMap(1).size, 0)
})
