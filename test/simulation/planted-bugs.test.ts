// The simulator can fail: bugs planted on purpose are found, at the seeds at which they were found first (the table in
// docs/reliability.md has all of them; `node test/simulation/find-bugs.ts` searches for each anew).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withBug } from './plant.ts'
import { plantedBugs } from './planted-bugs.ts'
import { searchedIn } from './planted-changes.ts'

/** The quick ones, and where they were found last. A change of the code or of the generator moves the seeds, so others
 *  are tried too: what counts is that the bug is found, in a bounded search. */
const foundAt: Readonly<Record<string, number>> = {
  'vote-before-sync': 4,
  'proposal-not-persisted': 44,
  'proposal-lost-after-notarize': 9,
  'quorum-off-by-one': 1,
  'nullify-after-finalize': 3,
  'finalize-after-nullify': 4,
  'missing-notarization-justification': 9,
  'missing-nullification-justification': 6,
  'pool-commitment-not-persisted': 1,
  'next-commitment-lists-this-height': 1,
  'fair-time-as-maximum': 2,
  'duplicate-id-not-skipped': 2,
  'certificate-not-forwarded': 1,
  'restart-with-old-record': 3,
  'nullify-not-persisted': 9,
  'order-by-clamped-time': 6,
  'view-certificate-not-persisted': 48,
  'one-lister-is-enough': 1,
  'leader-not-checked': 1,
  'checkpoint-before-its-pages': 3,
  'cleaned-page-lost': 8,
}

const seedsMax = 60

for (const [name, seed] of Object.entries(foundAt)) {
  test(`finds the planted bug ${name}`, async () => {
    const { run, scenarioOf } = await withBug(name)
    for (const tried of [seed, ...Array.from({ length: seedsMax }, (_, at) => at + 1)]) {
      const { violation } = await run(scenarioOf({ seed: tried, ...searchedIn(name) }))
      if (violation !== undefined) return
    }
    assert.fail(`seeds up to ${seedsMax} pass with the bug`)
  })
}

for (const { name } of plantedBugs) {
  if (Object.hasOwn(foundAt, name)) continue
  test(`can still plant the bug ${name}`, async () => {
    await withBug(name)
  })
}
