// What a failure is cut down to: the least that still fails the same check.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withBug } from './plant.ts'

test('cuts a failing run down to what it needs to fail', async () => {
  const { run, scenarioOf, shrink } = await withBug('pool-commitment-not-persisted')
  const scenario = scenarioOf({ seed: 1 })
  const report = await run(scenario)
  assert.equal(report.violation?.check, 'double signing')
  const shrunk = await shrink(scenario, report, { runsMax: 60 })
  assert.equal(shrunk.report.violation?.check, 'double signing')
  assert.ok(shrunk.scenario.faults.length <= 2, 'a crash is enough')
  assert.ok(shrunk.scenario.submissions.length < scenario.submissions.length / 4)
})
