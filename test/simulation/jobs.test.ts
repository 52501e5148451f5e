// Seeds that several processes share: the sums are those of one process, since a seed gives one run wherever it runs.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { run, scenarioOf, Tally } from '../../src/simulation/index.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

test('two processes that share seeds find what one finds', async () => {
  const tally = new Tally()
  for (let seed = 3; seed < 8; seed++) tally.add(await run(scenarioOf({ seed, longer: 2 })))
  const words = ['simulate', '--seed', '3', '--count', '5', '--longer', '2', '--jobs', '2', '--json']
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...words])
  assert.deepEqual(JSON.parse(stdout), JSON.parse(JSON.stringify(tally.summary())))
})

test('a run that is longer has as many more faults, and gets further', async () => {
  const [plain, longer] = [scenarioOf({ seed: 14 }), scenarioOf({ seed: 14, longer: 3 })]
  assert.equal(longer.healMs, 3 * plain.healMs)
  assert.ok(longer.faults.length > 2 * plain.faults.length)
  assert.ok(longer.submissions.length > 2 * plain.submissions.length)
})
