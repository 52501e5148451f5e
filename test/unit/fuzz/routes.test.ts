// The HTTP routes, with a small budget of requests; test/full spends a larger one.
import { test } from 'node:test'
import { fuzz } from '../../support/fuzz.ts'
import { routesTarget } from '../../support/fuzz-routes.ts'

test('every request is answered as the document says, and none makes the node fail', async (t) => {
  await fuzz(routesTarget(t), { runs: 3_000, seed: 1 })
})
