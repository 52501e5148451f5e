import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Caught } from '../../../src/node/caught.ts'
import type { Submission } from '../../../src/node/submission.ts'
import { evidenceOfMessage } from '../../../src/sequencing/index.ts'
import type { Evidence, Message, ValidatorIndex } from '../../../src/types/index.ts'
import { ChainBuilder } from '../../support/chain-builder.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }
const full: Submission = { kind: 'refused', code: 'pool-full', reason: 'full' } as Submission
const accepted: Submission = { kind: 'accepted', ids: [] }

async function aKeeper() {
  const pool = { answer: full, offered: [] as ValidatorIndex[] }
  const convicted = new Set<ValidatorIndex>()
  const saved: Evidence[] = []
  const caught = new Caught({
    store: {
      saveStep: async ({ evidence = [] }) => {
        saved.push(...evidence)
      },
    },
    log,
    submit: async ([message]: readonly Message[]) => {
      const evidence = message === undefined ? undefined : evidenceOfMessage(message)
      assert.ok(evidence?.ok)
      pool.offered.push(evidence.value.validator)
      return pool.answer
    },
    isConvicted: (validator) => convicted.has(validator),
    onFatal: (error) => assert.fail(String(error)),
  })
  const evidence = (await ChainBuilder.create()).evidence(2)
  return { caught, pool, convicted, saved, evidence }
}

test('evidence that a full pool refused is offered again with each block until it is taken', async () => {
  const { caught, pool, saved, evidence } = await aKeeper()
  assert.equal(caught.add(evidence), true)
  assert.equal(caught.add(evidence), false, 'it is known')
  assert.deepEqual([saved, pool.offered], [[evidence], [2]])
  caught.offer()
  assert.deepEqual(pool.offered, [2], 'not while the first offer is under way')
  await turn()
  caught.offer()
  await turn()
  pool.answer = accepted
  caught.offer()
  await turn()
  assert.deepEqual(pool.offered, [2, 2, 2])
  caught.offer()
  assert.deepEqual(pool.offered, [2, 2, 2], 'it is in the pool')
})

test('evidence of before a restart is offered, unless the chain has some already', async () => {
  const { caught, pool, convicted, evidence } = await aKeeper()
  caught.restore([evidence])
  await turn()
  convicted.add(2)
  caught.offer()
  assert.deepEqual(pool.offered, [2])
  assert.deepEqual(caught.evidence, [evidence])
})
