import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AddResult, chargeOf, Mempool, type Origin } from '../../../src/mempool/index.ts'
import { aBatch, author, batchId, peer } from './builders.ts'

/** Room for 1,600 batches of one message: 100 a sixteenth. */
const unitBytes = chargeOf(aBatch('unit'))

function aPool({ validators = 4, maxBytes = 1600 * unitBytes, maxBatches = 1_000_000 } = {}): Mempool {
  const reservedAuthors = Array.from({ length: validators }, (_, index) => author(`v${index}`))
  return new Mempool({ maxBytes, maxBatches, reservedAuthors, nextHeight: 1 })
}

let made = 0
function add(pool: Mempool, from: Origin, { by = 'someone', isPinned = false } = {}): AddResult {
  made += 1
  return pool.add({ batch: aBatch(`made ${made}`, { by }), receivedAt: made, from, isPinned })
}

/** Adds until refused, at most 5,000; how many went in, and why the next did not. */
function flood(pool: Mempool, from: Origin, authorOf: (at: number) => string = () => 'spammer') {
  for (let at = 0; at < 5000; at++) {
    const result = add(pool, from, { by: authorOf(at) })
    if (result.kind === 'refused') return { count: at, reason: result.reason }
  }
  throw new Error('never refused')
}

const local: Origin = { kind: 'local' }
const block: Origin = { kind: 'block' }
const fromPeer = (name: string): Origin => ({ kind: 'peer', peer: peer(name) })
const fromLister = (validator: number): Origin => ({ kind: 'lister', validator })
const sybil = (at: number) => `sybil ${made} ${at}`

describe('the shared part', () => {
  test('stops one author at a fifth, whoever brings it', () => {
    const pool = aPool()
    assert.deepEqual(flood(pool, fromPeer('p')), { count: 60, reason: 'author-quota' })
    assert.deepEqual(add(pool, fromPeer('q'), { by: 'spammer' }), { kind: 'refused', reason: 'author-quota' })
    assert.equal(add(pool, fromPeer('p'), { by: 'another' }).kind, 'added')
  })

  test('stops one peer at a third, however many authors it makes up', () => {
    const pool = aPool()
    assert.deepEqual(flood(pool, fromPeer('p'), sybil), { count: 100, reason: 'peer-quota' })
    assert.equal(add(pool, fromPeer('q')).kind, 'added')
  })

  test('has room for newcomers after several spammers', () => {
    const pool = aPool()
    for (const name of ['p', 'q', 'r']) flood(pool, fromPeer(name), sybil)
    assert.ok(flood(pool, fromPeer('newcomer')).count >= 10)
  })

  test('lets a peer in again as its batches leave', () => {
    const pool = aPool()
    flood(pool, fromPeer('p'), sybil)
    pool.settle({ batchIds: [[...pool.held().keys()][0] ?? batchId('')], messageIds: [], nextHeight: 2 })
    assert.equal(add(pool, fromPeer('p'), { by: 'fresh' }).kind, 'added')
    assert.deepEqual(add(pool, fromPeer('p'), { by: 'fresher' }), { kind: 'refused', reason: 'peer-quota' })
  })

  test('is full when no batch fits any more', () => {
    const pool = aPool()
    for (let at = 0; at < 400; at++) add(pool, fromPeer(`p${at}`), { by: sybil(at) })
    // Blocks under vote overflow into it, unbounded by shares.
    assert.deepEqual(flood(pool, block, sybil).reason, 'full')
    assert.deepEqual(add(pool, fromPeer('q')), { kind: 'refused', reason: 'full' })
  })

  test('counts batches as well as bytes', () => {
    const pool = aPool({ maxBytes: 1e12, maxBatches: 1600 })
    assert.equal(flood(pool, fromPeer('p')).count, 60)
    assert.equal(flood(pool, fromPeer('q'), sybil).count, 80)
  })

  test('weighs a large batch by its size', () => {
    const pool = aPool()
    const large = (name: string, sizeBytes: number) =>
      pool.add({
        batch: aBatch(name, { by: 'large', sizeBytes: sizeBytes - unitBytes + 100 }),
        receivedAt: 1,
        from: fromPeer('p'),
        isPinned: false,
      })
    assert.deepEqual(large('over', 60 * unitBytes + 1), { kind: 'refused', reason: 'author-quota' })
    assert.deepEqual(large('within', 60 * unitBytes), { kind: 'added' })
  })
})

describe('a spammer with ever new authors and peers', () => {
  const spammed = () => {
    const pool = aPool()
    for (let at = 0; at < 50; at++) flood(pool, fromPeer(`spam ${at}`), sybil)
    return pool
  }

  test('does not keep out what clients submit here', () => {
    assert.ok(flood(spammed(), local, () => 'me').count >= 400)
  })

  test('does not keep out what validators made, brought by the same peers', () => {
    const pool = spammed()
    for (const validator of [0, 1, 2, 3])
      assert.ok(flood(pool, fromPeer('spam 0'), () => `v${validator}`).count >= 75)
  })

  test('does not keep out what a validator lists', () => {
    const pool = spammed()
    for (const validator of [0, 1, 2, 3]) assert.ok(flood(pool, fromLister(validator), sybil).count >= 50)
  })

  test('does not keep out what a block under vote holds', () => {
    assert.ok(flood(spammed(), block, sybil).count >= 400)
  })

  test('never makes the pool larger than its bound', () => {
    const pool = spammed()
    for (const from of [local, block, ...[0, 1, 2, 3].map(fromLister)]) flood(pool, from, sybil)
    for (const validator of [0, 1, 2, 3]) flood(pool, fromPeer('p'), () => `v${validator}`)
    const { bytes, parts } = pool.stats()
    assert.ok(bytes <= 1600 * unitBytes)
    for (const { used, max } of Object.values(parts)) assert.ok(used.bytes <= max.bytes)
  })
})

describe('a liar among the validators', () => {
  test('whose own batches fill its part leaves the others theirs', () => {
    const pool = aPool()
    const { count } = flood(pool, fromPeer('p'), () => 'v0')
    assert.ok(count >= 75 && count < 150)
    assert.ok(flood(pool, fromPeer('p'), () => 'v1').count >= 75)
  })

  test("that lists a spammer's batches fills its own part only", () => {
    const pool = aPool()
    const { count, reason } = flood(pool, fromLister(0), sybil)
    assert.deepEqual({ count, reason }, { count: 50 + 100, reason: 'peer-quota' })
    assert.ok(flood(pool, fromLister(1), sybil).count >= 50)
  })

  test('that genesis does not know has no part', () => {
    const pool = aPool()
    assert.equal(flood(pool, fromLister(4), sybil).count, 100)
  })
})

test('clients fill their part, then a share of the rest, and are refused before the 202', () => {
  const pool = aPool()
  assert.deepEqual(
    flood(pool, local, () => 'me'),
    { count: 400 + 60, reason: 'author-quota' },
  )
})

test('what this node stored itself is never refused at its next start', () => {
  const pool = aPool({ maxBytes: 10 * unitBytes })
  for (let at = 0; at < 50; at++) {
    assert.equal(add(pool, { kind: 'restored' }, { isPinned: at % 2 === 0 }).kind, 'added')
  }
  assert.equal(pool.stats().pinnedBatches, 25)
  assert.equal(add(pool, fromPeer('p')).kind, 'refused')
  assert.equal(add(pool, local).kind, 'refused')
})

test('without validators all but the local and the block part is shared', () => {
  const { parts } = aPool({ validators: 0 }).stats()
  assert.equal(parts.shared.max.bytes, 800 * unitBytes)
  assert.equal(parts.authors.max.bytes, 0)
})

test('refusals are counted by reason', () => {
  const pool = aPool()
  flood(pool, fromPeer('p'))
  flood(pool, fromPeer('q'), sybil)
  assert.deepEqual(pool.stats().refused, {
    'author-quota': 1,
    'peer-quota': 1,
    full: 0,
    'no-new-message': 0,
  })
})
