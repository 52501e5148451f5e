// The fixed budget of seeds that every test run spends: half of them in each of two files, so that two cores share it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run, scenarioOf, Tally } from '../../src/simulation/index.ts'

const seedsPerTest = 10

/** Registers tests for seeds `first` to `last`; each failure says how to see it again. */
export function testSeeds(first: number, last: number): void {
  const tally = new Tally()
  for (let from = first; from <= last; from += seedsPerTest) {
    const to = Math.min(last, from + seedsPerTest - 1)
    test(`keeps every invariant in seeds ${from} to ${to}`, async () => {
      for (let seed = from; seed <= to; seed++) {
        const report = await run(scenarioOf({ seed }))
        tally.add(report)
        const { violation } = report
        assert.equal(
          violation,
          undefined,
          `seed ${seed} breaks ${violation?.check}: ${violation?.text}\nsee it again: npx diseq simulate --seed ${seed} --trace`,
        )
      }
    })
  }
  test('has tried faults and liars of every kind it knows in these seeds, or nearly', () => {
    const { faults, heightsUnderFaults } = tally.summary()
    assert.ok(Object.keys(faults).length >= 20, Object.keys(faults).join(', '))
    assert.ok(heightsUnderFaults > 100)
  })
}
