// Bugs of the node that the simulator found. Each is planted again, and found again at its seed; without it the seed
// passes. So that what was mended stays mended, and what is tested is that. And longer runs that failed once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run, scenarioOf } from '../../src/simulation/index.ts'
import { withBug } from './plant.ts'
import { searchedIn } from './planted-changes.ts'

/** Less than a run has by itself: who stands still does so at once. */
const settleMs = 60_000

/** A change of the code or of the generator moves the seeds, so others are tried after them. */
const seedsMax = 60

const once: readonly { readonly bug: string; readonly seed: number; readonly breaks: string }[] = [
  { bug: 'once: listed batch dropped', seed: 7, breaks: 'liveness' },
  { bug: 'once: commitment made ahead forgotten', seed: 38, breaks: 'liveness' },
  { bug: 'once: sync believed claims', seed: 1, breaks: 'liveness' },
  { bug: 'once: sync took batches in any order', seed: 85, breaks: 'agreement' },
]

for (const { bug, seed, breaks } of once) {
  test(`seed ${seed} shows the bug "${bug}", or another that passes without it`, async () => {
    const planted = await withBug(bug)
    for (const tried of [seed, ...Array.from({ length: seedsMax }, (_, at) => at + 1)]) {
      const options = { seed: tried, ...searchedIn(bug) }
      const before = await planted.run({ ...planted.scenarioOf(options), settleMs })
      if (before.violation === undefined) continue
      assert.equal(before.violation.check, breaks)
      const after = await run(scenarioOf(options))
      assert.equal(after.violation, undefined, after.violation?.text)
      return
    }
    assert.fail(`seeds up to ${seedsMax} pass with the bug`)
  })
}

/** Runs that failed, of longer ones: for the node, for the judge, or for the imagined world. */
const longRuns: readonly { readonly why: string; readonly seed: number; readonly longer: number }[] = [
  {
    why: 'a node notarized three blocks behind, and the votes it rested on were forgotten',
    seed: 1000179,
    longer: 2,
  },
  {
    why: 'the copy of a record that was to be brought back was damaged with the record',
    seed: 2000477,
    longer: 2,
  },
  {
    why: 'a batch came when the height that it was asked for was over, and was thrown away, each height anew',
    seed: 5000453,
    longer: 3,
  },
  {
    why: 'heights were shorter than the patience with a listed batch, which was forgotten with each and never asked for',
    seed: 60000383,
    longer: 3,
  },
  {
    why: 'a liar handed a batch over after half a minute, and the block was a tenth of a second old when it was looked for',
    seed: 7084,
    longer: 1,
  },
  {
    why: 'a node far away was five blocks behind a chain that a liar kept moving, and three were allowed',
    seed: 20000598,
    longer: 3,
  },
  {
    why: 'the power took the last note of the signing number, then an old copy of the record was put back: a liar by D3',
    seed: 40003979,
    longer: 3,
  },
]

for (const { why, ...options } of longRuns) {
  test(`seed ${options.seed} passes: ${why}`, async () => {
    const { violation } = await run(scenarioOf(options))
    assert.equal(violation, undefined, violation?.text)
  })
}

// Seed 4000134 of runs three times as long: blocks of three batches had no more time for three times the messages. It takes
// too long to be run here.
test('a longer run has longer to settle', () => {
  const { settleMs: longer } = scenarioOf({ seed: 4000134, longer: 3 })
  assert.equal(longer, 3 * scenarioOf({ seed: 4000134 }).settleMs)
})
