import assert from 'node:assert/strict'
import { test } from 'node:test'
import { orderOf, ratiosOf, ratioTableOf, type Turn } from '../../../../bench/compare/ratios.ts'

function turn(round: number, target: string, finalPerSecond: number, offered: number | 'max' = 'max'): Turn {
  const latency = { p50: 10, p90: 20, p99: 30, max: 40, count: 5 }
  return {
    round,
    loadAverage: 1,
    figures: {
      target,
      offered,
      finalPerSecond,
      latency,
      messages: '',
      seconds: 1,
      finalBytesPerSecond: 200 * finalPerSecond,
      blocksPerSecond: 1,
      sent: 1,
      accepted: 1,
      refused: 0,
      failedRequests: 0,
      missing: 0,
      doubled: 0,
      processes: [],
      generatorCpuShare: 0,
      cpuMicrosPerMessage: Number.NaN,
      loopbackBytesPerMessage: undefined,
      counters: {},
    },
  }
}

function throughput(turns: readonly Turn[]) {
  return ratiosOf(turns).filter(({ figure }) => figure === 'final/s')
}

test('divides figures of the same round and load, and takes the median of the rounds', () => {
  const rounds = [
    [400, 100],
    [900, 300],
    [100, 50],
  ] as const
  const turns = rounds.flatMap(([ours, theirs], round) => [
    turn(round, 'diseq', ours),
    turn(round, 'other', theirs),
  ])
  const [ratio, ...more] = throughput(turns)
  assert.deepEqual(ratio?.rounds, [4, 3, 2])
  assert.equal(ratio?.median, 3)
  assert.deepEqual(more, [])
})

test('with an even number of rounds the median lies between the two in the middle', () => {
  const turns = [8, 2, 4, 6].flatMap((ours, round) => [turn(round, 'other', 2), turn(round, 'diseq', ours)])
  assert.equal(throughput(turns)[0]?.median, 2.5)
})

test('a round in which one of the two has no figure has no ratio', () => {
  const turns = [turn(0, 'diseq', 4), turn(1, 'other', 2), turn(1, 'diseq', 6), turn(0, 'third', 0)]
  const [other, third] = throughput(turns)
  assert.deepEqual([other?.peer, other?.rounds, other?.median], ['other', [undefined, 3], 3])
  // Nothing became final: there is no ratio to nothing.
  assert.deepEqual([third?.peer, third?.rounds, third?.median], ['third', [undefined, undefined], undefined])
  assert.match(ratioTableOf([third ?? assert.fail()]), /\| third \| max \| final\/s \| – \| – \| – \|$/)
})

test('different loads are different pairs', () => {
  const turns = [turn(0, 'diseq', 20, 20), turn(0, 'diseq', 9), turn(0, 'other', 20, 20), turn(0, 'other', 3)]
  assert.deepEqual(
    throughput(turns).map(({ offered, median }) => [offered, median]),
    [
      [20, 1],
      ['max', 3],
    ],
  )
})

test('everyone takes each place of the order in turn', () => {
  const orders = [0, 1, 2, 3].map((round) => orderOf(['a', 'b', 'c'], round).join(''))
  assert.deepEqual(orders, ['abc', 'bca', 'cab', 'abc'])
})
