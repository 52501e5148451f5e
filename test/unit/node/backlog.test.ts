import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Backlog } from '../../../src/node/backlog.ts'

const MiB = 1024 * 1024

/** `count` blocks, `everyMs` apart, that take and leave so much. */
function blocks(
  backlog: Backlog,
  {
    fromMs,
    count,
    everyMs = 100,
    takenBytes,
    waitingBytes,
  }: { fromMs: number; count: number; everyMs?: number; takenBytes: number; waitingBytes: number },
): number {
  for (let at = 0; at < count; at++)
    backlog.onBlock({ nowMs: fromMs + at * everyMs, takenBytes, waitingBytes })
  return fromMs + count * everyMs
}

test('nothing is refused where little waits, however little blocks take', () => {
  const backlog = new Backlog(4_000)
  blocks(backlog, { fromMs: 0, count: 1_000, takenBytes: 10, waitingBytes: MiB - 1 })
  assert.equal(backlog.maxBytes, Number.POSITIVE_INFINITY)
})

test('a burst after a pause is taken as it comes, and measured as blocks take it', () => {
  const backlog = new Backlog(4_000)
  const at = blocks(backlog, { fromMs: 0, count: 100, takenBytes: 10, waitingBytes: 0 })
  assert.equal(backlog.maxBytes, Number.POSITIVE_INFINITY)
  const later = blocks(backlog, { fromMs: at, count: 5, takenBytes: MiB / 2, waitingBytes: 50 * MiB })
  assert.equal(backlog.maxBytes, Number.POSITIVE_INFINITY, 'after four tenths of a second')
  blocks(backlog, { fromMs: later, count: 1, takenBytes: MiB / 2, waitingBytes: 50 * MiB })
  // Half a mebibyte in a tenth of a second: twenty in four seconds.
  assert.ok(Math.abs(backlog.maxBytes / MiB - 20) < 0.001, String(backlog.maxBytes / MiB))
})

test('follows what blocks take, up and down', () => {
  const backlog = new Backlog(4_000)
  const busy = { waitingBytes: 50 * MiB }
  let at = blocks(backlog, { fromMs: 0, count: 100, takenBytes: MiB, ...busy })
  assert.ok(Math.abs(backlog.maxBytes / MiB - 40) < 0.1)
  at = blocks(backlog, { fromMs: at, count: 300, takenBytes: MiB / 4, ...busy })
  assert.ok(Math.abs(backlog.maxBytes / MiB - 10) < 0.2, String(backlog.maxBytes / MiB))
  blocks(backlog, { fromMs: at, count: 300, takenBytes: 2 * MiB, ...busy })
  assert.ok(Math.abs(backlog.maxBytes / MiB - 80) < 0.4, String(backlog.maxBytes / MiB))
})

test('a mebibyte always has room, and what was measured is forgotten with the backlog', () => {
  const backlog = new Backlog(4_000)
  const at = blocks(backlog, { fromMs: 0, count: 20, takenBytes: 100, waitingBytes: MiB })
  assert.equal(backlog.maxBytes, MiB)
  const later = blocks(backlog, { fromMs: at, count: 1, takenBytes: 100, waitingBytes: MiB / 2 })
  assert.equal(backlog.maxBytes, MiB)
  blocks(backlog, { fromMs: later, count: 1, takenBytes: 100, waitingBytes: MiB / 2 - 1 })
  assert.equal(backlog.maxBytes, Number.POSITIVE_INFINITY)
})

test('a clock that steps back measures nothing', () => {
  const backlog = new Backlog(4_000)
  const at = blocks(backlog, { fromMs: 1e6, count: 50, takenBytes: MiB, waitingBytes: 50 * MiB })
  backlog.onBlock({ nowMs: at - 1e6, takenBytes: MiB, waitingBytes: 50 * MiB })
  assert.ok(backlog.maxBytes > 40 * MiB && backlog.maxBytes < 45 * MiB, String(backlog.maxBytes / MiB))
})

test('a chain that stood still, or a clock set ahead, is soon forgotten', () => {
  for (const pauseMs of [600_000, 86_400_000]) {
    const backlog = new Backlog(4_000)
    const busy = { takenBytes: MiB, waitingBytes: 50 * MiB }
    const at = blocks(backlog, { fromMs: 0, count: 100, ...busy })
    blocks(backlog, { fromMs: at + pauseMs, count: 1, ...busy })
    assert.equal(backlog.maxBytes, MiB)
    blocks(backlog, { fromMs: at + pauseMs + 100, count: 50, ...busy })
    // Of the 40 that blocks take in four seconds, two thirds after five.
    assert.ok(backlog.maxBytes > 25 * MiB && backlog.maxBytes < 40 * MiB, String(backlog.maxBytes / MiB))
  }
})
