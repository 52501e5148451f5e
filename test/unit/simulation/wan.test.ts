// The latencies that the simulator ships are those that were measured.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { wanRegions, wanRoundTrips } from '../../../src/simulation/wan.ts'

test('the simulated wide-area network has the measured round trips', () => {
  const text = readFileSync(new URL('../../data/wan-rtt-ms.csv', import.meta.url), 'utf8')
  const measured = new Map(
    text.split('\n').map((line) => {
      const [from, to, p50, p90] = line.trim().split(',')
      return [`${from},${to}`, [Number(p50), Number(p90)]]
    }),
  )
  for (const [from, row] of wanRoundTrips.entries()) {
    for (const [to, trip] of row.entries()) {
      assert.deepEqual([...trip], measured.get(`${wanRegions[from]},${wanRegions[to]}`))
    }
  }
})
