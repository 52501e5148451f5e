// As in test/e2e/crashes.test.ts, for as long as the first version of this network is asked to stand it.
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { crashAllInMidLoad, crashAtRandom } from '../support/crash-rounds.ts'
import { Random } from '../support/random.ts'

test('all four killed at once in mid-load, twenty times', async (t) => {
  await crashAllInMidLoad(t, { rounds: 20 })
})

test('nodes killed by chance, forty times: nothing accepted is lost, nobody signs twice', async (t) => {
  const seed = randomInt(2 ** 31)
  t.diagnostic(`seed ${seed}`)
  await crashAtRandom(t, { kills: 40, random: new Random(seed) })
})
