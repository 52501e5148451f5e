// Every decoder of what strangers send, with a small budget of inputs; test/full spends a larger one.
import { test } from 'node:test'
import { fuzz } from '../../support/fuzz.ts'
import { fuzzTargets } from '../../support/fuzz-targets.ts'

const runs = 4_000

for (const target of await fuzzTargets()) {
  test(`bytes that are no ${target.name} are refused without harm, whatever they are`, async () => {
    await fuzz(target, { runs, seed: 1 })
  })
}
