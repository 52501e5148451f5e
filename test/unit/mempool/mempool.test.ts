import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { chargeOf, Mempool } from '../../../src/mempool/index.ts'
import type { Batch, MessageId, TimeMs } from '../../../src/types/index.ts'
import { aBatch, batchId, messageId, peer } from './builders.ts'

function aPool(nextHeight = 1): Mempool {
  return new Mempool({ maxBytes: 10_000_000, maxBatches: 10_000, reservedAuthors: [], nextHeight })
}

function add(
  pool: Mempool,
  batch: Batch,
  options: { receivedAt?: TimeMs; isPinned?: boolean; deadMessages?: ReadonlySet<MessageId> } = {},
) {
  return pool.add({
    batch,
    receivedAt: 1,
    from: { kind: 'peer', peer: peer('p') },
    isPinned: false,
    ...options,
  })
}

function poolOf(...batches: Batch[]): Mempool {
  const pool = aPool()
  for (const batch of batches) assert.equal(add(pool, batch).kind, 'added')
  return pool
}

const heldIn = (pool: Mempool) => [...pool.held().keys()]
const nothing = { batchIds: [], messageIds: [], nextHeight: 2 }

describe('a batch', () => {
  test('is held from its reception on', () => {
    const pool = aPool()
    const batch = aBatch('a', { messages: ['x', 'y'] })
    assert.deepEqual(add(pool, batch, { receivedAt: 77 }), { kind: 'added' })
    assert.deepEqual([...pool.held()], [[batchId('a'), 77]])
    assert.equal(pool.get(batchId('a')), batch)
    assert.equal(pool.hasMessage(messageId('x')), true)
    assert.equal(pool.hasMessage(messageId('z')), false)
    assert.equal(pool.get(batchId('b')), undefined)
  })

  test('that is known keeps its first time', () => {
    const pool = aPool()
    add(pool, aBatch('a'), { receivedAt: 5 })
    assert.deepEqual(add(pool, aBatch('a'), { receivedAt: 9 }), { kind: 'known' })
    assert.equal(pool.held().get(batchId('a')), 5)
    assert.equal(pool.stats().batches, 1)
  })

  test('with no message that the next block could take is refused, with one it is taken', () => {
    const pool = aPool(8)
    const batch = aBatch('a', { messages: ['in chain', 'expired@7', 'last@8'] })
    const deadMessages = new Set([messageId('in chain'), messageId('last@8')])
    assert.deepEqual(add(pool, batch, { deadMessages }), { kind: 'refused', reason: 'no-new-message' })
    assert.deepEqual(add(pool, batch, { deadMessages: new Set([messageId('in chain')]) }), { kind: 'added' })
    assert.equal(pool.hasMessage(messageId('last@8')), true)
    assert.equal(pool.hasMessage(messageId('expired@7')), false)
    assert.equal(pool.hasMessage(messageId('in chain')), false)
  })

  test('leaves when it is in the chain', () => {
    const pool = poolOf(aBatch('a'), aBatch('b'))
    const settled = pool.settle({ batchIds: [batchId('a')], messageIds: [messageId('of a')], nextHeight: 2 })
    assert.deepEqual(settled, { removed: [batchId('a')], expired: [] })
    assert.deepEqual(heldIn(pool), [batchId('b')])
    assert.equal(pool.hasMessage(messageId('of a')), false)
  })

  test('leaves with its last live message, not before', () => {
    const pool = poolOf(aBatch('a', { messages: ['x', 'y'] }))
    assert.deepEqual(pool.settle({ ...nothing, messageIds: [messageId('x')] }).removed, [])
    assert.deepEqual(heldIn(pool), [batchId('a')])
    const settled = pool.settle({ ...nothing, nextHeight: 3, messageIds: [messageId('y')] })
    assert.deepEqual(settled.removed, [batchId('a')])
    assert.deepEqual(heldIn(pool), [])
  })

  test('that holds a message twice counts it once', () => {
    const pool = poolOf(aBatch('a', { messages: ['x', 'x'] }))
    assert.deepEqual(pool.settle({ ...nothing, messageIds: [messageId('x')] }).removed, [batchId('a')])
  })

  test('shares the fate of a message with all that hold it', () => {
    const pool = poolOf(
      aBatch('a', { messages: ['x'] }),
      aBatch('b', { messages: ['x', 'y'] }),
      aBatch('c', { messages: ['x'] }),
    )
    const settled = pool.settle({ ...nothing, messageIds: [messageId('x')] })
    assert.deepEqual(settled.removed, [batchId('a'), batchId('c')])
    assert.deepEqual(heldIn(pool), [batchId('b')])
  })

  test('that leaves keeps what another holds too', () => {
    const pool = poolOf(aBatch('a', { messages: ['x'] }), aBatch('b', { messages: ['x'] }))
    pool.settle({ ...nothing, batchIds: [batchId('a')] })
    assert.equal(pool.hasMessage(messageId('x')), true)
    assert.deepEqual(heldIn(pool), [batchId('b')])
  })

  test('leaves when its last message became invalid', () => {
    const pool = poolOf(aBatch('a', { messages: ['x'] }))
    assert.deepEqual(pool.settle({ ...nothing, invalid: [messageId('x')] }).removed, [batchId('a')])
  })
})

describe('expiry', () => {
  test('a message lives while the next block is at most the height it names', () => {
    const pool = poolOf(aBatch('a', { messages: ['x@5'] }))
    assert.deepEqual(pool.settle({ ...nothing, nextHeight: 5 }), { removed: [], expired: [] })
    const settled = pool.settle({ ...nothing, nextHeight: 6 })
    assert.deepEqual(settled, { removed: [batchId('a')], expired: [messageId('x@5')] })
  })

  test('a message that the block took at its last height has not expired', () => {
    const pool = poolOf(aBatch('a', { messages: ['x@5', 'y@5'] }))
    const settled = pool.settle({ batchIds: [], messageIds: [messageId('x@5')], nextHeight: 6 })
    assert.deepEqual(settled.expired, [messageId('y@5')])
  })

  test('is found across a jump of heights', () => {
    const pool = poolOf(aBatch('a', { messages: ['x@5', 'y@70', 'z@2000000000'] }))
    assert.deepEqual(pool.settle({ ...nothing, nextHeight: 1_000_000_000 }).expired, [
      messageId('x@5'),
      messageId('y@70'),
    ])
    assert.deepEqual(heldIn(pool), [batchId('a')])
  })

  test('is not reported of what left before', () => {
    const pool = poolOf(aBatch('a', { messages: ['x@5'] }))
    pool.settle({ ...nothing, batchIds: [batchId('a')], messageIds: [messageId('x@5')] })
    assert.deepEqual(pool.settle({ ...nothing, nextHeight: 9 }), { removed: [], expired: [] })
  })

  test('the chain does not go back', () => {
    const pool = aPool(5)
    assert.throws(() => pool.settle({ ...nothing, nextHeight: 4 }), RangeError)
  })
})

describe('a pool as it would be with a block', () => {
  test('is empty when the block takes all of it, batch by batch or message by message', () => {
    const pool = poolOf(aBatch('a', { messages: ['x'] }), aBatch('b', { messages: ['x', 'y@1'] }))
    assert.equal(pool.wouldBeEmptyWith(nothing), false)
    assert.equal(pool.wouldBeEmptyWith({ ...nothing, batchIds: [batchId('a')] }), false)
    const block = { ...nothing, batchIds: [batchId('a')], messageIds: [messageId('x')] }
    assert.equal(pool.wouldBeEmptyWith(block), true)
    assert.equal(pool.wouldBeEmptyWith({ ...block, nextHeight: 1 }), false, 'y has not expired yet')
    assert.equal(pool.wouldBeEmptyWith({ ...block, nextHeight: 1, invalid: [messageId('y@1')] }), true)
  })

  test('holds what stays, and the pool itself stays as it is', () => {
    const pool = poolOf(aBatch('a'), aBatch('b'), aBatch('c'))
    const block = { ...nothing, batchIds: [batchId('a')], messageIds: [messageId('of c')] }
    assert.deepEqual([...pool.leavingWith(block)], [batchId('a'), batchId('c')])
    assert.deepEqual([...pool.heldWithout(block).keys()], [batchId('b')])
    assert.deepEqual(heldIn(pool), ['a', 'b', 'c'].map(batchId))
  })

  test('an empty pool is empty', () => {
    assert.equal(aPool().wouldBeEmptyWith(nothing), true)
  })
})

describe('a pinned batch', () => {
  test('is known by its messages', () => {
    const pool = poolOf(aBatch('a', { messages: ['x'] }))
    assert.equal(pool.pinnedHasMessage(messageId('x')), false)
    add(pool, aBatch('b', { messages: ['x'] }), { isPinned: true })
    assert.equal(pool.pinnedHasMessage(messageId('x')), true)
    assert.equal(pool.stats().pinnedBatches, 1)
  })

  test('can be one that came otherwise before', () => {
    const pool = poolOf(aBatch('a'))
    assert.deepEqual(add(pool, aBatch('a'), { isPinned: true }), { kind: 'known' })
    assert.equal(pool.pin(batchId('a')), true)
    assert.equal(pool.pin(batchId('b')), false)
    assert.equal(pool.stats().pinnedBatches, 1)
    assert.equal(pool.oldest(1)[0]?.isPinned, true)
  })

  test('leaves only with the chain or its last message', () => {
    const pool = aPool()
    add(pool, aBatch('a', { messages: ['x@9'] }), { isPinned: true })
    pool.settle({ ...nothing, nextHeight: 9 })
    assert.deepEqual(heldIn(pool), [batchId('a')])
    pool.settle({ ...nothing, nextHeight: 10 })
    assert.equal(pool.stats().pinnedBatches, 0)
  })
})

describe('the oldest', () => {
  test('come first, at most as many as asked for', () => {
    const pool = aPool()
    for (const [name, receivedAt] of Object.entries({ a: 1, b: 2, c: 3 }))
      add(pool, aBatch(name), { receivedAt })
    assert.deepEqual(
      pool.oldest(2).map(({ batch, receivedAt }) => [batch.id, receivedAt]),
      [
        [batchId('a'), 1],
        [batchId('b'), 2],
      ],
    )
    assert.equal(pool.oldest(9).length, 3)
    assert.deepEqual(pool.oldest(0), [])
  })

  test('come first when the clock stepped back, too', () => {
    const pool = aPool()
    for (const [name, receivedAt] of Object.entries({ a: 100, b: 5, c: 50 }))
      add(pool, aBatch(name), { receivedAt })
    assert.deepEqual(
      pool.oldest(3).map(({ receivedAt }) => receivedAt),
      [5, 50, 100],
    )
    add(pool, aBatch('d'), { receivedAt: 60 })
    assert.deepEqual(
      pool.oldest(4).map(({ receivedAt }) => receivedAt),
      [5, 50, 60, 100],
    )
  })
})

test('stats count batches, distinct messages and charged bytes', () => {
  const [a, b] = [aBatch('a', { messages: ['x', 'y'] }), aBatch('b', { messages: ['y'], sizeBytes: 500 })]
  const pool = poolOf(a, b)
  add(pool, aBatch('c'), { deadMessages: new Set([messageId('of c')]) })
  const { batches, messages, bytes, parts, refused } = pool.stats()
  assert.deepEqual(
    { batches, messages, bytes },
    { batches: 2, messages: 2, bytes: chargeOf(a) + chargeOf(b) },
  )
  assert.equal(refused['no-new-message'], 1)
  assert.deepEqual(parts.shared.used, { bytes, batches: 2 })
  pool.settle({ ...nothing, batchIds: [a.id, b.id] })
  assert.equal(pool.stats().bytes, 0)
  assert.deepEqual(pool.stats().parts.shared.used, { bytes: 0, batches: 0 })
})

test('many small messages cost more than their bytes', () => {
  const many = aBatch('a', { messages: Array.from({ length: 1000 }, (_, at) => `${at}`) })
  assert.ok(chargeOf(many) > 300 * 1000)
})
