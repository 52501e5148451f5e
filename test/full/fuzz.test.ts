// Fuzzing with a larger budget than npm test has: every decoder and route, from a seed that differs from run to run and that
// a failure prints. FUZZ_SEED and FUZZ_RUNS choose others.
import { test } from 'node:test'
import { fuzz } from '../support/fuzz.ts'
import { routesTarget } from '../support/fuzz-routes.ts'
import { fuzzTargets } from '../support/fuzz-targets.ts'

const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Date.now() / 1000))
const runs = Number(process.env.FUZZ_RUNS ?? 100_000)

for (const target of await fuzzTargets()) {
  test(`${runs} inputs that are mostly no ${target.name} do no harm (seed ${seed})`, async (t) => {
    const { kept, blocks } = await fuzz(target, { runs, seed })
    t.diagnostic(`${blocks} blocks of source reached, ${kept} inputs kept`)
  })
}

test(`${runs / 10} requests are answered as the document says (seed ${seed})`, async (t) => {
  await fuzz(routesTarget(t), { runs: runs / 10, seed })
})
