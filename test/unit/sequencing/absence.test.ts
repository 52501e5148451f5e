import assert from 'node:assert/strict'
import { test } from 'node:test'
import { absentValidators } from '../../../src/sequencing/index.ts'

const everybody = new Set([0, 1, 2, 3])
const withoutThree = new Set([0, 1, 2])
const blocks = (count: number, attached: Set<number>) => Array.from({ length: count }, () => attached)

function absent(height: number, recentAttached: Set<number>[]) {
  return [...absentValidators({ height, recentAttached, validatorCount: 4 })]
}

test('nobody is absent up to height 16', () => {
  assert.deepEqual(absent(1, []), [])
  assert.deepEqual(absent(16, blocks(15, withoutThree)), [])
})

test('from height 17 on, who is attached to none of the last 16 blocks is absent', () => {
  assert.deepEqual(absent(17, blocks(16, withoutThree)), [3])
  assert.deepEqual(absent(17, blocks(16, everybody)), [])
  assert.deepEqual(absent(40, blocks(16, new Set())), [0, 1, 2, 3])
})

test('one attached commitment in the window is enough, one before it is not', () => {
  assert.deepEqual(absent(17, [everybody, ...blocks(15, withoutThree)]), [])
  assert.deepEqual(absent(18, [everybody, ...blocks(16, withoutThree)]), [3])
  assert.deepEqual(absent(18, [...blocks(16, withoutThree), everybody]), [])
})

test('refuses to judge by fewer blocks', () => {
  assert.throws(() => absent(17, blocks(15, everybody)), RangeError)
})
