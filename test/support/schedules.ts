// Random schedules of the voting core: what a seed makes of a network, its liars and its weather. Chaos first, then a
// timely network, in which two more heights must become final.
import assert from 'node:assert/strict'
import { powerOf, thresholdsOf } from '../../src/quorum/index.ts'
import type { FaultModel, ValidatorIndex, View } from '../../src/types/index.ts'
import { Random } from './random.ts'
import type { CoreStep } from './voting-node.ts'
import { VotingWorld, type Weather } from './voting-world.ts'

export interface ScheduleResult {
  readonly heightsFinal: number
  readonly viewHighest: View
  readonly crashCount: number
  readonly liarCount: number
}

const climates = {
  /** Little is lost, timers seldom end too soon. */
  calm: {
    deliver: 60,
    drop: 3,
    duplicate: 3,
    timer: 3,
    crash: 0,
    restart: 2,
    push: 4,
    serve: 30,
    lie: 10,
    work: 2,
  },
  stormy: {
    deliver: 50,
    drop: 15,
    duplicate: 5,
    timer: 12,
    crash: 1,
    restart: 2,
    push: 4,
    serve: 30,
    lie: 15,
    work: 2,
  },
  crashing: {
    deliver: 60,
    drop: 3,
    duplicate: 3,
    timer: 4,
    crash: 6,
    restart: 8,
    push: 4,
    serve: 30,
    lie: 10,
    work: 2,
  },
  /** Views end before anything comes of them: long heights. */
  hasty: {
    deliver: 70,
    drop: 2,
    duplicate: 1,
    timer: 40,
    crash: 0.2,
    restart: 2,
    push: 3,
    serve: 2,
    lie: 3,
    work: 2,
  },
} satisfies Record<string, Weather>

/** Runs the schedule of a seed; what must not be throws. */
export function runSchedule(seed: number, options: { readonly step?: CoreStep } = {}): ScheduleResult {
  const random = new Random(seed)
  const faultModel: FaultModel = random.chance(0.25) ? 'crash' : 'byzantine'
  const count = 4 + random.below(4)
  const isWeighted = random.chance(0.5)
  const powers = Array.from({ length: count }, () => (isWeighted ? 1 + random.below(5) : 1))
  const thresholds = thresholdsOf(powers, faultModel)
  const liars: ValidatorIndex[] = []
  for (const validator of random.shuffled([...powers.keys()])) {
    const power = powerOf(powers, [...liars, validator])
    if (power <= thresholds.lyingMax && random.chance(0.8)) liars.push(validator)
  }
  const world = new VotingWorld({ ...options, powers, faultModel, liars, random })
  world.start()
  for (const node of world.nodes) node.setWork(random.chance(0.8))
  const climate = random.pick(Object.values(climates)) ?? climates.calm
  const isolated = random.chance(0.25) ? random.pick(world.nodes)?.self : undefined
  world.chaos(300 + random.below(1_200), isolated === undefined ? climate : { ...climate, isolated })
  const height = Math.max(...world.nodes.map((node) => node.height))
  const viewsNeeded = world.becomeTimely(height + 2, { liesGoOn: random.chance(0.5) })
  // The view that was under way, and one for each liar, who is silent or goes on.
  assert.ok(viewsNeeded <= liars.length + 1, `${viewsNeeded} views, and ${liars.length} liars`)
  const viewHighest = Math.max(...[...world.finals.keys()].map((at) => world.ledger.highestView(at)))
  return {
    heightsFinal: world.finals.size,
    viewHighest,
    crashCount: world.crashCount,
    liarCount: liars.length,
  }
}
