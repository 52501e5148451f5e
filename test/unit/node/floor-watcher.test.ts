import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FloorWatcher } from '../../../src/node/floor-watcher.ts'
import { thresholdsOf } from '../../../src/quorum/index.ts'

function aWatcher({ working = 10, powers = [1, 1, 1, 1] } = {}) {
  const floors: number[] = []
  const at = { height: working }
  const silent = () => undefined
  const watcher = new FloorWatcher({
    powers,
    thresholds: thresholdsOf(powers, 'byzantine'),
    self: 0,
    workingHeight: () => at.height,
    setSignFrom: async (height) => void floors.push(height),
    log: { debug: silent, info: silent, warn: silent, error: silent },
    onFatal: (error) => assert.fail(String(error)),
  })
  return { watcher, floors, at }
}

test('signs from three above the highest once others of a quorum’s power told', () => {
  const { watcher, floors } = aWatcher()
  watcher.onStatus(1, 9)
  watcher.onStatus(2, 11)
  assert.deepEqual(floors, [])
  watcher.onStatus(3, 10)
  assert.deepEqual(floors, [14])
  watcher.onStatus(3, 11)
  assert.deepEqual(floors, [14])
})

test('counts power, not heads, and not this validator itself', () => {
  const { watcher, floors } = aWatcher({ powers: [1, 5, 1] })
  watcher.onStatus(0, 10)
  watcher.onStatus(2, 10)
  assert.deepEqual(floors, [])
  watcher.onStatus(1, 10)
  assert.deepEqual(floors, [13])
})

test('a validator that tells twice counts once, with the higher', () => {
  const { watcher, floors } = aWatcher()
  watcher.onStatus(1, 11)
  watcher.onStatus(1, 10)
  watcher.onStatus(2, 10)
  assert.deepEqual(floors, [])
  watcher.onStatus(3, 10)
  assert.deepEqual(floors, [14])
})

test('a height far ahead counts only once this node has come there', () => {
  const { watcher, floors, at } = aWatcher()
  watcher.onStatus(1, 10)
  watcher.onStatus(2, 10)
  watcher.onStatus(3, 12)
  watcher.check()
  assert.deepEqual(floors, [])
  at.height = 11
  watcher.check()
  assert.deepEqual(floors, [15])
})

test('never goes below what this node works on itself', () => {
  const { watcher, floors } = aWatcher({ working: 50 })
  for (const validator of [1, 2, 3]) watcher.onStatus(validator, 10)
  assert.deepEqual(floors, [53])
})
