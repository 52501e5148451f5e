import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { decodePoolCommitment, encodePoolCommitmentBody } from '../../../src/codec/index.ts'
import { Line, selectEntries } from '../../../src/sequencing/index.ts'
import type { BatchId, TimeMs } from '../../../src/types/index.ts'
import { aCommitment, batchId } from './builders.ts'

function lineOf(lists: Readonly<Record<number, readonly string[]>>): Line {
  const line = new Line()
  const commitments = Object.entries(lists).map(([validator, labels]) =>
    aCommitment({
      validator: Number(validator),
      received: Object.fromEntries(labels.map((label) => [label, 1])),
    }),
  )
  // A height at which the lister of lowest index has the first turn.
  line.appendBlock({ height: 1000 * Math.max(1, commitments.length), commitments, batchIds: [] })
  return line
}

function select(
  received: Readonly<Record<string, TimeMs>>,
  { line = new Line(), entriesMax = 4, time = 1000, isPending = (_: BatchId): boolean => true } = {},
) {
  const held = new Map(Object.entries(received).map(([label, receivedAt]) => [batchId(label), receivedAt]))
  return selectEntries({ held, line, isPending, time, entriesMax })
}

function idsOf(selected: ReturnType<typeof selectEntries>): BatchId[] {
  return selected.entries.map((entry) => entry.batchId)
}

const ids = (...labels: string[]) => labels.map(batchId).sort()

describe('entries', () => {
  test('are what is held, ascending by batch id, when all of it fits', () => {
    const selected = select({ a: 3, b: 1, c: 2 })
    assert.deepEqual(idsOf(selected), ids('a', 'b', 'c'))
    assert.deepEqual(
      selected.entries.find((entry) => entry.batchId === batchId('a')),
      { batchId: batchId('a'), receivedAt: 3 },
    )
    assert.equal(selected.time, 1000)
  })

  test('are the oldest where nothing is in line, ties by batch id', () => {
    const [x, y] = ids('x', 'y')
    const selected = select({ young: 9, x: 5, y: 5, old: 1 }, { entriesMax: 2 })
    assert.deepEqual(idsOf(selected), [batchId('old'), x].sort())
    assert.ok(!idsOf(selected).includes(y as BatchId))
  })

  test('are the smallest ids among many that came at once, in whatever order they are held', () => {
    const labels = Array.from({ length: 40 }, (_, at) => `n${at}`)
    const byId = labels.toSorted((a, b) => (batchId(a) < batchId(b) ? -1 : 1))
    for (const order of [byId, byId.toReversed()]) {
      const selected = select(Object.fromEntries(order.map((label) => [label, 5])), { entriesMax: 3 })
      assert.deepEqual(idsOf(selected), ids(...labels).slice(0, 3))
    }
  })

  test('go by half to the line and by half to the rest', () => {
    const line = lineOf({ 0: ['l1', 'l2', 'l3'] })
    const selected = select({ l1: 1, l2: 1, l3: 1, r1: 5, r2: 6, r3: 7 }, { line })
    const [first, second] = ids('l1', 'l2', 'l3')
    assert.deepEqual(idsOf(selected), [first, second, ...ids('r1', 'r2')].sort())
  })

  test('of an odd number: the line has the smaller half', () => {
    const line = lineOf({ 0: ['l1', 'l2'] })
    const selected = select({ l1: 1, l2: 1, r1: 5, r2: 6 }, { line, entriesMax: 3 })
    assert.equal(idsOf(selected).filter((id) => ids('l1', 'l2').includes(id)).length, 1)
  })

  test('give the rest what the line leaves over', () => {
    const line = lineOf({ 0: ['l1'] })
    assert.deepEqual(
      idsOf(select({ l1: 9, r1: 1, r2: 2, r3: 3, r4: 4 }, { line })),
      ids('l1', 'r1', 'r2', 'r3'),
    )
  })

  test('give the line what the rest leaves over', () => {
    const line = lineOf({ 0: ['l1', 'l2', 'l3', 'l4'] })
    assert.equal(idsOf(select({ l1: 1, l2: 1, l3: 1, l4: 1, r1: 9 }, { line })).length, 4)
    assert.ok(idsOf(select({ l1: 1, l2: 1, l3: 1, l4: 1, r1: 9 }, { line })).includes(batchId('r1')))
  })

  test('hold nothing that is not held, or waits no more', () => {
    const line = lineOf({ 0: ['not held', 'l1', 'taken'] })
    const gone = new Set(ids('taken', 'r1'))
    const selected = select({ l1: 1, taken: 1, r1: 1, r2: 1 }, { line, isPending: (id) => !gone.has(id) })
    assert.deepEqual(idsOf(selected), ids('l1', 'r2'))
  })

  test('are none of an empty pool', () => {
    assert.deepEqual(select({}, { line: lineOf({ 0: ['x'] }) }), { time: 1000, entries: [] })
  })

  test('make the time of a commitment as late as the last reception, if the clock stepped back', () => {
    assert.equal(select({ a: 1000 }).time, 1000)
    assert.equal(select({ a: 1001, b: 3 }).time, 1001)
    assert.equal(select({ a: 1, late: 5000 }, { entriesMax: 1 }).time, 1000)
  })

  test('make a commitment that decodes, at most K, none twice, half of them the oldest of the rest', () => {
    const labels = Array.from({ length: 30 }, (_, at) => `${at}`)
    const pool = fc.dictionary(fc.constantFrom(...labels), fc.oneof(fc.nat(3), fc.nat(2000)))
    const lists = fc.dictionary(fc.constantFrom('0', '1', '2'), fc.uniqueArray(fc.constantFrom(...labels)))
    fc.assert(
      fc.property(pool, lists, fc.integer({ min: 1, max: 12 }), (received, listed, entriesMax) => {
        const line = lineOf(listed)
        const { time, entries } = select(received, { line, entriesMax })
        assert.equal(entries.length, Math.min(entriesMax, Object.keys(received).length))
        const bytes = encodePoolCommitmentBody({ height: 2, time, entries })
        assert.ok(decodePoolCommitment({ validator: 0, bytes, signature: new Uint8Array(64) }, entriesMax).ok)

        const rest = Object.entries(received)
          .map(([label, receivedAt]) => ({ batchId: batchId(label), receivedAt }))
          .filter((entry) => !line.has(entry.batchId))
          .sort((a, b) => a.receivedAt - b.receivedAt || (a.batchId < b.batchId ? -1 : 1))
        const chosen = new Set(entries.map((entry) => entry.batchId))
        const chosenRest = rest.filter((entry) => chosen.has(entry.batchId))
        assert.ok(chosenRest.length >= Math.min(rest.length, Math.ceil(entriesMax / 2)))
        assert.deepEqual(chosenRest, rest.slice(0, chosenRest.length))
      }),
    )
  })
})

describe('a liar', () => {
  /** Runs blocks in which validator 0 (honest, with us) lists what we list and the liar, on top of it, ever new batches
   *  that we hold and nobody else lists; tells at which block `victim` was listed by us. */
  function heightsUntilListed({ isVictimInLine }: { isVictimInLine: boolean }): number {
    const entriesMax = 4
    const line = new Line()
    const held = new Map<BatchId, TimeMs>()
    const victim = batchId('victim')
    const junkOf = (height: number) => Array.from({ length: entriesMax }, (_, at) => `junk ${height}.${at}`)
    for (let height = 1; height <= 40; height++) {
      for (const label of junkOf(height)) held.set(batchId(label), height)
      if (height === 20) held.set(victim, height)
      const { entries } = selectEntries({ held, line, isPending: () => true, time: height, entriesMax })
      if (entries.some((entry) => entry.batchId === victim)) return height - 20
      const liar = aCommitment({
        validator: 1,
        height,
        received: Object.fromEntries(junkOf(height).map((label) => [label, height])),
      })
      const isListedNow = isVictimInLine && height === 20
      const honest = aCommitment({ validator: 2, height, received: isListedNow ? { victim: height } : {} })
      line.appendBlock({ height, commitments: [liar, honest], batchIds: [] })
    }
    throw new Error('shut out')
  }

  test('that fills the line does not shut out what is not in it', () => {
    assert.ok(heightsUntilListed({ isVictimInLine: false }) <= 1)
  })

  test('that fills the line does not shut out what another lists', () => {
    assert.ok(heightsUntilListed({ isVictimInLine: true }) <= 1)
  })

  test('of low index does not take every turn, where half of K is less than the listers', () => {
    const line = new Line()
    const held = new Map<BatchId, TimeMs>([[batchId('victim'), 1]])
    const listedAt = [1, 2, 3].findIndex((height) => {
      const junk = [0, 1].map((validator) => `junk ${height}.${validator}`)
      for (const label of junk) held.set(batchId(label), height)
      const commitments = [0, 1, 2].map((validator) =>
        aCommitment({ validator, height, received: { [junk[validator] ?? 'victim']: height } }),
      )
      line.appendBlock({ height, commitments, batchIds: [] })
      const { entries } = selectEntries({ held, line, isPending: () => true, time: 9, entriesMax: 2 })
      return entries.some((entry) => entry.batchId === batchId('victim'))
    })
    assert.ok(listedAt >= 0)
  })
})
