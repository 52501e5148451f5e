// As in test/e2e/crashes.test.ts, for as long as the issue of this network's first version asks.
import { test } from 'node:test'
import { crashAllInMidLoad } from '../support/crash-rounds.ts'

test('all four killed at once in mid-load, twenty times', async (t) => {
  await crashAllInMidLoad(t, { rounds: 20 })
})
