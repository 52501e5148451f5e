import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CoreState, createState, type Input, type Output } from '../../../../src/consensus/index.ts'
import { HeightClock } from '../../../../src/node/metrics/height-clock.ts'
import { thresholdsOf } from '../../../../src/quorum/index.ts'

const powers = [1, 1, 1, 1]

/** A core that the test sets as the real one would be after a step. */
function aWatch() {
  const core = createState({ powers, thresholds: thresholdsOf(powers, 'byzantine') })
  const clock = new HeightClock()
  core.context = { ...core.context, height: 1 }
  const input = { kind: 'pool', hasWork: true } satisfies Input
  const at = (nowMs: number, outputs: readonly Output[] = []) =>
    clock.onStep({ input, outputs, core, nowMs }).map(({ phase, ms }) => `${phase} ${ms}`)
  return { core, at, clock }
}

const view = (rest: object) =>
  ({ notarizes: new Map(), nullifies: new Map(), finalizes: new Map(), own: {}, ...rest }) as never

function commit(core: CoreState, ...validators: number[]): void {
  for (const validator of validators) core.commitments.set(validator, { validator } as never)
}

const finalise = { kind: 'finalise' } as Output

test('tells the phases of a height as they end', () => {
  const { core, at } = aWatch()
  assert.deepEqual(at(0), [])
  commit(core, 0)
  assert.deepEqual(at(100), [])
  commit(core, 1, 2)
  assert.deepEqual(at(130), ['collect 30'])
  core.views.set(0, view({ proposal: {} }))
  assert.deepEqual(at(150), ['propose 20'])
  core.views.set(0, view({ proposal: {}, notarization: {} }))
  assert.deepEqual(at(190), ['notarize 40'])
  assert.deepEqual(at(200, [finalise]), ['finalize 10'])
  assert.deepEqual(at(203), [])
  core.context = { ...core.context, height: 2 }
  core.commitments.clear()
  core.views.clear()
  assert.deepEqual(at(205), ['store 5'])
  assert.deepEqual(at(900), [])
})

test('phases that end in one step have no length but for the first', () => {
  const { core, at } = aWatch()
  commit(core, 0)
  at(10)
  assert.deepEqual(at(25, [finalise]), ['collect 15', 'propose 0', 'notarize 0', 'finalize 0'])
})

test('a height that block sync ended leaves its phase unfinished', () => {
  const { core, at } = aWatch()
  commit(core, 0)
  at(10)
  core.context = { ...core.context, height: 5 }
  core.commitments.clear()
  assert.deepEqual(at(500), [])
  commit(core, 1, 2, 3)
  assert.deepEqual(at(510), ['collect 0'])
})
