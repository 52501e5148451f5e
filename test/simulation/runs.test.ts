// Runs of the simulator: a network without faults gets somewhere, and a seed decides everything.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run, scenarioOf } from '../../src/simulation/index.ts'

test('a network without faults makes all accepted messages final', async () => {
  const report = await run(scenarioOf({ seed: 2, validators: 4, faults: [] }))
  assert.equal(report.violation, undefined)
  assert.ok(report.heightsWithMessages > 10)
})

test('a seed gives one run, bit for bit', async () => {
  const scenario = scenarioOf({ seed: 4, validators: 4 })
  const [first, second] = [await run(scenario), await run(scenario)]
  assert.deepEqual(first, second)
})
