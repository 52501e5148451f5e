import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Flatness, flatnessOf, growthOf, memoryRunMinMs, type Sample } from '../../hostile/flatness.ts'

const mebibyte = 2 ** 20
const runMs = 300_000

/** One a second, with the memory and files of its moment. */
function samples(at: (second: number) => Partial<Sample>): Sample[] {
  return Array.from({ length: runMs / 1_000 }, (_, second) => ({
    atMs: second * 1_000,
    pid: 1,
    memoryBytes: 100 * mebibyte,
    openFiles: 40,
    ...at(second),
  }))
}

test('what goes up and down is flat', () => {
  const flatness = flatnessOf(
    samples((second) => ({ memoryBytes: (100 + (second % 60)) * mebibyte, openFiles: 40 + (second % 10) })),
    runMs,
  )
  assert.ok(flatness !== undefined)
  assert.deepEqual(growthOf(flatness, memoryRunMinMs), [])
})

test('what goes up and up is not: memory, and open files', () => {
  const leaking = (perSecond: Partial<Record<'memoryBytes' | 'openFiles', number>>) =>
    flatnessOf(
      samples((second) => ({
        memoryBytes: 100 * mebibyte + second * (perSecond.memoryBytes ?? 0),
        openFiles: 40 + Math.floor(second * (perSecond.openFiles ?? 0)),
      })),
      runMs,
    ) as Flatness
  assert.match(
    growthOf(leaking({ memoryBytes: mebibyte }), memoryRunMinMs).join(),
    /^memory grew from 250 MiB to 350 MiB$/,
  )
  assert.match(
    growthOf(leaking({ openFiles: 0.5 }), memoryRunMinMs).join(),
    /^open files grew from \d+ to \d+$/,
  )
})

test('what began high and came down is flat, and the first third does not count', () => {
  const flatness = flatnessOf(
    samples((second) => ({ memoryBytes: (second < 100 ? 10 : 200) * mebibyte })),
    runMs,
  )
  assert.ok(flatness !== undefined)
  assert.deepEqual(growthOf(flatness, memoryRunMinMs), [])
})

test('the last value that passes, and the first that does not', () => {
  const files = (last: number): Flatness => ({ memoryBytes: [0, 0], openFiles: [40, last] })
  assert.deepEqual(growthOf(files(56), memoryRunMinMs), [])
  assert.equal(growthOf(files(57), memoryRunMinMs).length, 1)
  const memory = (last: number): Flatness => ({
    memoryBytes: [100 * mebibyte, last * mebibyte],
    openFiles: [0, 0],
  })
  assert.deepEqual(growthOf(memory(152), memoryRunMinMs), [])
  assert.equal(growthOf(memory(153), memoryRunMinMs).length, 1)
})

test('memory is not judged of a run in which the heap still grows to its size', () => {
  const growing: Flatness = { memoryBytes: [100 * mebibyte, 300 * mebibyte], openFiles: [40, 60] }
  assert.equal(growthOf(growing, memoryRunMinMs).length, 2)
  assert.match(growthOf(growing, memoryRunMinMs - 1).join(), /^open files grew from 40 to 60$/)
})

test('a process that ended in the middle, or was not seen, is no witness', () => {
  assert.equal(flatnessOf([], runMs), undefined)
  assert.equal(
    flatnessOf(
      samples((second) => ({ pid: second < 199 ? 1 : 2 })),
      runMs,
    ),
    undefined,
  )
})
