// How much of a block's order a leader decides by choosing whose commitments it attaches: pairs of batches, received by
// validators in twelve regions, ordered by the real rule over all commitments and over quorums of the leader's choice.
import { sha256 } from '../../src/crypto/native/index.ts'
import { thresholdsOf } from '../../src/quorum/index.ts'
import { orderBatches } from '../../src/sequencing/index.ts'
import { Random } from '../../src/simulation/random.ts'
import { Weather } from '../../src/simulation/weather.ts'
import type { BatchId, Hash, PoolCommitment } from '../../src/types/index.ts'

export interface ChoicePoint {
  readonly validators: number
  /** Between the submissions of the two. */
  readonly gapMs: number
  /** Share of the pairs that stand the other way round with a quorum drawn by chance, and with the best one found. */
  readonly byChance: number
  readonly byChoice: number
}

const [x, y] = ['0a'.repeat(32) as BatchId, '0b'.repeat(32) as BatchId]
const beacon = '07'.repeat(32) as Hash
const chanceQuorums = 20

/** Pairs submitted `gapMs` apart at two nodes drawn by chance. */
export function quorumChoice(options: { validators: number; gapMs: number; pairs: number }): ChoicePoint {
  const { validators, gapMs, pairs } = options
  const random = Random.stream(validators, `quorum choice ${gapMs}`)
  const powers = Array.from({ length: validators }, () => 1)
  const thresholds = thresholdsOf(powers, 'byzantine')
  const leftOut = validators - thresholds.quorum
  let [chanced, chosen] = [0, 0]
  for (let pair = 0; pair < pairs; pair++) {
    // Each pair in a network of its own, its validators in other regions.
    const weather = new Weather({ random, distance: { kind: 'wan' } })
    const commitments = commitmentsOf({ validators, gapMs, random, weather })
    const isFirst = (without: ReadonlySet<number>) => {
      const attached = commitments.filter(({ validator }) => !without.has(validator))
      return orderBatches({ commitments: attached, powers, thresholds, beacon, sha256 })[0]?.batchId === x
    }
    const whole = isFirst(new Set())
    const turned = Array.from({ length: chanceQuorums }, () => {
      return isFirst(new Set(random.shuffle([...powers.keys()]).slice(0, leftOut))) !== whole
    })
    chanced += turned.filter(Boolean).length / chanceQuorums
    const isChosen =
      turned.some(Boolean) || candidates(commitments, leftOut).some((out) => isFirst(out) !== whole)
    if (isChosen) chosen += 1
  }
  return { validators, gapMs, byChance: chanced / pairs, byChoice: chosen / pairs }
}

function commitmentsOf(options: {
  validators: number
  gapMs: number
  random: Random
  weather: Weather
}): PoolCommitment[] {
  const { validators, gapMs, random, weather } = options
  const [first, second] = [random.between(0, validators - 1), random.between(0, validators - 1)]
  const arrival = (from: number, to: number) => (from === to ? 0 : (weather.fateOf(from, to)[0] ?? 0))
  return Array.from({ length: validators }, (_, validator) => ({
    height: 1,
    time: 100_000,
    entries: [
      { batchId: x, receivedAt: Math.round(1_000 + arrival(first, validator)) },
      { batchId: y, receivedAt: Math.round(1_000 + gapMs + arrival(second, validator)) },
    ],
    validator,
    bytes: new Uint8Array(),
    signature: new Uint8Array(),
  }))
}

/** Who is best left out: those that had one of the two soonest or latest, or much sooner than the other. */
function candidates(commitments: readonly PoolCommitment[], leftOut: number): ReadonlySet<number>[] {
  const timesOf = ({ entries }: PoolCommitment) =>
    [entries[0]?.receivedAt ?? 0, entries[1]?.receivedAt ?? 0] as const
  const rules: ((a: number, b: number) => number)[] = [(a) => a, (_, b) => b, (a, b) => a - b]
  return rules.flatMap((rule) => {
    const sorted = [...commitments].sort((one, other) => rule(...timesOf(one)) - rule(...timesOf(other)))
    const names = sorted.map(({ validator }) => validator)
    return [new Set(names.slice(0, leftOut)), new Set(names.slice(names.length - leftOut))]
  })
}
