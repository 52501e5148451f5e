import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plotOf } from '../../../src/bench/plot.ts'
import { tableOf } from '../../../src/bench/report.ts'
import type { StageFigures } from '../../../src/bench/stage.ts'

function stage(finalPerSecond: number, p50: number): StageFigures {
  return {
    target: 'a<b',
    offered: finalPerSecond,
    messages: 'random',
    seconds: 10,
    finalPerSecond,
    finalBytesPerSecond: 200 * finalPerSecond,
    blocksPerSecond: 20,
    latency: { p50, p90: 2 * p50, p99: 3 * p50, max: 4 * p50, count: 100 },
    sent: 100,
    accepted: 100,
    refused: 0,
    failedRequests: 0,
    missing: 0,
    doubled: 0,
    processes: [{ name: 'node0', cpuShare: 0.5, residentMaxBytes: 2 ** 27, diskBytesPerSecond: 1_000 }],
    generatorCpuShare: 0.1,
    cpuMicrosPerMessage: 50,
    loopbackBytesPerMessage: 900,
    counters: {},
  }
}

test('draws a curve for the median and one for the 99th percentile, with names that cannot break the picture', () => {
  const svg = plotOf([stage(20, 10), stage(1_000, 40)], 'a & b')
  assert.equal(svg.match(/<polyline/g)?.length, 2)
  assert.ok(svg.includes('a &amp; b') && svg.includes('a&lt;b p50') && !svg.includes('a<b'))
  assert.ok(!svg.includes('NaN'))
})

test('draws nothing where there is nothing', () => {
  assert.equal(plotOf([], 'none'), '')
  assert.equal(plotOf([stage(0, Number.NaN)], 'none'), '')
})

test('a table has a line for each stage, and cells for all columns', () => {
  const lines = tableOf([stage(20, 10), stage(1_000, 40)]).split('\n')
  assert.equal(lines.length, 4)
  assert.equal(new Set(lines.map((line) => line.split('|').length)).size, 1)
  assert.ok(!lines.join().includes('undefined'))
})
