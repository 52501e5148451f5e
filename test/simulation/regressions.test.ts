// Seeds that found bugs in the node, kept as they were found: each ran into the one it is named after.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FaultGroup, run, scenarioOf } from '../../src/simulation/index.ts'

const found: readonly {
  readonly seed: number
  readonly faults?: readonly FaultGroup[]
  readonly bug: string
}[] = [
  {
    seed: 52,
    faults: ['liars'],
    bug: 'a batch listed ahead, made useless by the block before, was dropped by all who had listed it',
  },
  {
    seed: 42,
    faults: ['liars'],
    bug: 'evidence that two nodes put into the pool in two forms stopped the height after the conviction',
  },
  { seed: 9, bug: 'a commitment made ahead was forgotten by a restart, and no other could be made' },
  { seed: 38, bug: 'after a restart with an old database the commitment made ahead was missing' },
  { seed: 79, bug: 'a peer that claims more blocks than there are was the only one asked for them' },
  {
    seed: 12,
    faults: ['network', 'crash', 'clock', 'disk'],
    bug: 'a read that failed while a block was checked was nobody to catch',
  },
]

for (const { seed, faults, bug } of found) {
  test(`seed ${seed} passes, in which ${bug}`, async () => {
    const { violation } = await run(scenarioOf({ seed, ...(faults === undefined ? {} : { faults }) }))
    assert.equal(violation, undefined, violation?.text)
  })
}
