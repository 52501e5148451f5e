import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ViewPace } from '../../../src/node/view-pace.ts'

const [minMs, maxMs] = [250, 1_500]

/** Heights whose first view brings a block after each of these times. */
function heights(pace: ViewPace, tookMs: readonly number[], from = 1): void {
  for (const [at, took] of tookMs.entries()) {
    const height = from + at
    const nowMs = height * 10_000
    pace.onViewTimer({ height, view: 0, nowMs })
    pace.onNotarized({ height, view: 0, nowMs: nowMs + took })
  }
}

/** A height whose first views bring nothing, and the next one a block after `tookMs`. */
function failing(pace: ViewPace, height: number, views: number, tookMs = 100): void {
  for (let view = 0; view <= views; view++) pace.onViewTimer({ height, view, nowMs: height * 10_000 + view })
  pace.onNotarized({ height, view: views, nowMs: height * 10_000 + views + tookMs })
}

describe('the time of a first view', () => {
  test('is the longest allowed until a view was measured', () => {
    const pace = new ViewPace({ minMs, maxMs })
    assert.equal(pace.timeoutMs, maxMs)
    failing(pace, 1, 1)
    assert.equal(pace.timeoutMs, maxMs)
  })

  test('follows what views take, with room for twice that', () => {
    const pace = new ViewPace({ minMs, maxMs })
    heights(pace, Array(40).fill(200))
    assert.ok(pace.timeoutMs >= 400 && pace.timeoutMs < 450, `${pace.timeoutMs}`)
    heights(pace, Array(40).fill(400), 100)
    assert.ok(pace.timeoutMs >= 800 && pace.timeoutMs < 900, `${pace.timeoutMs}`)
  })

  test('is longer where views differ', () => {
    const [even, uneven] = [new ViewPace({ minMs, maxMs }), new ViewPace({ minMs, maxMs })]
    heights(even, Array(40).fill(200))
    heights(
      uneven,
      Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? 100 : 300)),
    )
    assert.ok(uneven.timeoutMs > 1.5 * even.timeoutMs)
  })

  test('stays within what is allowed', () => {
    const pace = new ViewPace({ minMs, maxMs })
    heights(pace, Array(40).fill(1))
    assert.equal(pace.timeoutMs, minMs)
    heights(pace, Array(40).fill(60_000), 100)
    assert.equal(pace.timeoutMs, maxMs)
  })

  test('doubles with each view that brings no block, until one does', () => {
    const pace = new ViewPace({ minMs, maxMs })
    heights(pace, Array(60).fill(150))
    const before = pace.timeoutMs
    failing(pace, 100, 1)
    assert.equal(pace.timeoutMs, 2 * before)
    failing(pace, 101, 2)
    assert.equal(pace.timeoutMs, maxMs)
    heights(pace, [150], 102)
    assert.ok(pace.timeoutMs <= before)
  })

  test('doubles from the shortest allowed where views take less, however many bring no block', () => {
    for (const tookMs of [0, 1, 20]) {
      const pace = new ViewPace({ minMs, maxMs })
      heights(pace, Array(60).fill(tookMs))
      assert.equal(pace.timeoutMs, minMs)
      failing(pace, 100, 1)
      assert.ok(pace.timeoutMs >= 2 * minMs, `${pace.timeoutMs} after views of ${tookMs} ms`)
      failing(pace, 101, 2)
      assert.equal(pace.timeoutMs, maxMs)
      failing(pace, 102, 1_100)
      assert.equal(pace.timeoutMs, maxMs)
    }
  })

  test('learns from a later view that took longer than first views have, though small blocks come in between', () => {
    const pace = new ViewPace({ minMs, maxMs })
    let lostViews = 0
    for (let height = 1; height <= 200; height++) {
      const tookMs = height % 3 === 0 ? 1_000 : 50
      let view = 0
      for (; ; view++) {
        pace.onViewTimer({ height, view, nowMs: height * 100_000 })
        if (tookMs <= pace.timeoutMs * 2 ** view) break
      }
      pace.onNotarized({ height, view, nowMs: height * 100_000 + tookMs })
      lostViews += view
    }
    assert.ok(lostViews <= 3, `${lostViews} of 200 heights`)
  })

  test('stays short where later views take no longer than first ones: leaders are down', () => {
    const pace = new ViewPace({ minMs, maxMs })
    heights(pace, Array(60).fill(100))
    for (let height = 100; height < 200; height += 2) {
      failing(pace, height, 1, 200)
      heights(pace, [100], height + 1)
    }
    assert.equal(pace.timeoutMs, minMs)
  })

  test('is kept for all views of a height, which double it', () => {
    const pace = new ViewPace({ minMs, maxMs })
    heights(pace, Array(60).fill(150))
    const before = pace.timeoutMs
    const due = [0, 1, 2].map((view) => pace.onViewTimer({ height: 100, view, nowMs: 1_000_000 + view }))
    assert.deepEqual(due, [before, before, before])
    assert.equal(pace.onViewTimer({ height: 101, view: 0, nowMs: 1_100_000 }), Math.min(maxMs, 4 * before))
  })

  test('learns nothing from a clock that was set back, or from a block of another height', () => {
    const pace = new ViewPace({ minMs, maxMs })
    pace.onViewTimer({ height: 5, view: 0, nowMs: 1_000 })
    pace.onNotarized({ height: 5, view: 0, nowMs: 900 })
    pace.onViewTimer({ height: 6, view: 0, nowMs: 1_000 })
    pace.onNotarized({ height: 7, view: 0, nowMs: 1_001 })
    pace.onNotarized({ height: 6, view: 0, nowMs: 1_001 })
    assert.equal(pace.timeoutMs, maxMs)
  })

  test('is always the same where the shortest allowed is not below the longest', () => {
    const pace = new ViewPace({ minMs: 30_000, maxMs })
    heights(pace, Array(40).fill(1))
    assert.equal(pace.timeoutMs, maxMs)
  })
})
