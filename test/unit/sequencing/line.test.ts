import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Line, lineWindowBlocks } from '../../../src/sequencing/index.ts'
import type { BatchId } from '../../../src/types/index.ts'
import { aCommitment, batchId } from './builders.ts'

/** What one block's attached commitments list: labels by validator. */
type Lists = Readonly<Record<number, readonly string[]>>

function append(line: Line, height: number, lists: Lists = {}, inBlock: readonly string[] = []): void {
  const commitments = Object.entries(lists).map(([validator, labels]) =>
    aCommitment({
      validator: Number(validator),
      height,
      received: Object.fromEntries(labels.map((label) => [label, 1])),
    }),
  )
  line.appendBlock({ height, commitments, batchIds: inBlock.map(batchId) })
}

/** A line whose last block is at a height where the lister of lowest index begins. */
function lineOf(...blocks: Lists[]): Line {
  const line = new Line()
  const listers = new Set(blocks.flatMap((lists) => Object.keys(lists))).size
  const first = 1000 * listers - blocks.length + 1
  for (const [at, lists] of blocks.entries()) append(line, first + at, lists)
  return line
}

const everyLabel = ['a', 'b', 'c', 'd', 'e', 'late', 'old', 'x', 'y', 'z']

function order(line: Line, labels: readonly string[] = everyLabel): BatchId[] {
  return [...line.heldInTurn(labels.map(batchId))]
}

const byId = (labels: readonly string[]) => labels.map(batchId).sort()

describe('the line', () => {
  test('takes a batch of each lister in turn, by validator index', () => {
    const line = lineOf({ 0: ['a', 'b'] }, { 1: ['c'] }, { 2: ['d', 'e'] })
    const [[a, b], [d, e]] = [byId(['a', 'b']), byId(['d', 'e'])]
    assert.deepEqual(order(line), [a, batchId('c'), d, b, e])
  })

  test('takes those of a lister by the height at which it first listed them, then by batch id', () => {
    const line = lineOf({ 0: ['late'] }, { 0: ['late', 'x', 'y'] }, { 0: ['x', 'z'] })
    assert.deepEqual(order(line), [batchId('late'), ...byId(['x', 'y']), batchId('z')])
  })

  test('looks at when that lister listed it, not at when others did', () => {
    const line = lineOf({ 0: ['a'], 1: ['b'] }, { 0: ['b'], 1: ['c'] })
    assert.deepEqual(order(line), ['a', 'b', 'c'].map(batchId))
  })

  test('holds no batch twice, however many list it', () => {
    const line = lineOf({ 0: ['a'], 1: ['a'], 2: ['a', 'b'] }, { 0: ['a'], 1: ['b'] })
    assert.deepEqual(order(line), ['a', 'b'].map(batchId))
  })

  test('passes over what is not wanted without losing a turn', () => {
    const line = lineOf({ 0: ['junk', 'more junk', 'a'], 1: ['b', 'c'] })
    const [b, c] = byId(['b', 'c'])
    assert.deepEqual(order(line, ['a', 'b', 'c', 'held by us alone']), [batchId('a'), b, c])
  })

  test('can be looked at whole', () => {
    const line = lineOf({ 0: ['a', 'b'], 1: ['c'] })
    assert.deepEqual([...line.inTurn(() => true)], order(line))
    assert.deepEqual([...line.inTurn((id) => id === batchId('c'))], [batchId('c')])
  })

  test('lets a batch go when a block holds it', () => {
    const line = lineOf({ 0: ['a', 'b'] })
    assert.equal(line.has(batchId('a')), true)
    append(line, 1001, { 0: ['a', 'b'] }, ['a'])
    assert.equal(line.has(batchId('a')), false)
    assert.deepEqual(order(line), [batchId('b')])
    assert.deepEqual(order(line), [batchId('b')])
  })

  test('remembers 64 blocks', () => {
    const line = new Line()
    append(line, 1, { 0: ['old'] })
    for (let height = 2; height <= lineWindowBlocks; height++) append(line, height)
    assert.deepEqual(order(line), [batchId('old')])
    append(line, lineWindowBlocks + 1)
    assert.deepEqual(order(line), [])
    assert.equal(line.has(batchId('old')), false)
  })

  test('orders by the first height in the window, as after a restart', () => {
    const lists = (height: number): Lists =>
      height === 1 ? { 0: ['a'] } : height === 3 ? { 0: ['a', 'b'] } : {}
    const grown = new Line()
    const restarted = new Line()
    for (let height = 1; height <= 66; height++) append(grown, height, lists(height))
    for (let height = 3; height <= 66; height++) append(restarted, height, lists(height))
    assert.deepEqual(order(grown), byId(['a', 'b']))
    assert.deepEqual(order(restarted), order(grown))
  })

  test('begins at another lister each height', () => {
    const line = new Line()
    append(line, 1, { 0: ['a'], 5: ['b'], 9: ['c'] })
    const firsts = [1, 2, 3, 4].map((height) => {
      if (height > 1) append(line, height)
      return order(line)[0]
    })
    assert.deepEqual(firsts, ['b', 'c', 'a', 'b'].map(batchId))
  })

  test('refuses a block that does not follow', () => {
    const line = new Line()
    append(line, 7)
    assert.throws(() => append(line, 9), RangeError)
    assert.throws(() => append(line, 7), RangeError)
  })
})
