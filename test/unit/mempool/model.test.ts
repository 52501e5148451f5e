// The pool against the plainest model of it: a list of batches and a set of dead messages, counted anew each time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chargeOf, Mempool, type Settlement } from '../../../src/mempool/index.ts'
import type { Batch, BatchId, MessageId } from '../../../src/types/index.ts'
import { aBatch, author, messageId, peer } from './builders.ts'

class Model {
  batches: { batch: Batch; isPinned: boolean }[] = []
  readonly dead = new Set<MessageId>()
  nextHeight = 1

  liveOf(batch: Batch, { dead = this.dead, nextHeight = this.nextHeight } = {}): Set<MessageId> {
    const isLive = (id: MessageId, at: number) =>
      !dead.has(id) && (batch.messages[at]?.expiresAt ?? Number.POSITIVE_INFINITY) >= nextHeight
    return new Set(batch.messageIds.filter(isLive))
  }

  afterwards({ batchIds, messageIds, nextHeight, invalid = [] }: Settlement): Model['batches'] {
    const dead = new Set([...this.dead, ...messageIds, ...invalid])
    return this.batches.filter(
      ({ batch }) => !batchIds.includes(batch.id) && this.liveOf(batch, { dead, nextHeight }).size > 0,
    )
  }
}

interface Real {
  readonly pool: Mempool
}

function check({ pool }: Real, model: Model): void {
  const stats = pool.stats()
  const messages = new Set(model.batches.flatMap(({ batch }) => [...model.liveOf(batch)]))
  const pinned = model.batches.filter(({ isPinned }) => isPinned)
  assert.deepEqual([...pool.held().keys()].sort(), model.batches.map(({ batch }) => batch.id).sort())
  assert.equal(stats.batches, model.batches.length)
  assert.equal(stats.pinnedBatches, pinned.length)
  assert.equal(stats.messages, messages.size)
  assert.equal(
    stats.bytes,
    model.batches.reduce((sum, { batch }) => sum + chargeOf(batch), 0),
  )
  const used = Object.values(stats.parts).reduce((sum, part) => sum + part.used.bytes, 0)
  assert.equal(used, stats.bytes)
  for (const name of messageNames) {
    const id = messageId(name)
    assert.equal(pool.hasMessage(id), messages.has(id))
    assert.equal(
      pool.pinnedHasMessage(id),
      pinned.some(({ batch }) => model.liveOf(batch).has(id)),
    )
  }
}

const messageNames = ['a', 'b', 'c', 'd', 'e@3', 'f@4', 'g@4', 'h@9']
const batchNames = ['1', '2', '3', '4', '5', '6']
const messagesOf = fc.array(fc.constantFrom(...messageNames), { minLength: 1, maxLength: 5 })
const origins = [
  { kind: 'local' },
  { kind: 'restored' },
  { kind: 'block' },
  { kind: 'peer', peer: peer('p') },
  { kind: 'lister', validator: 0 },
] as const

const adding = fc
  .record({
    name: fc.constantFrom(...batchNames),
    messages: messagesOf,
    by: fc.constantFrom('v0', 'w'),
    from: fc.constantFrom(...origins),
    isPinned: fc.boolean(),
  })
  .map(({ name, messages, by, from, isPinned }) => ({
    check: () => true,
    run(model: Model, real: Real): void {
      // A name with its content, as the id of a batch is the hash of it.
      const batch = aBatch(`${name} ${messages.join()} ${by}`, { messages, by })
      const result = real.pool.add({ batch, receivedAt: 1, from, deadMessages: model.dead, isPinned })
      const known = model.batches.find((entry) => entry.batch.id === batch.id)
      if (known !== undefined) {
        assert.equal(result.kind, 'known')
        known.isPinned ||= isPinned
      } else if (model.liveOf(batch).size === 0) {
        assert.deepEqual(result, { kind: 'refused', reason: 'no-new-message' })
      } else {
        assert.equal(result.kind, 'added')
        model.batches.push({ batch, isPinned })
      }
      check(real, model)
    },
    toString: () => `add ${name} ${messages} by ${by} from ${from.kind}${isPinned ? ' pinned' : ''}`,
  }))

const settling = fc
  .record({
    places: fc.array(fc.nat(5), { maxLength: 3 }),
    names: fc.array(fc.constantFrom(...messageNames), { maxLength: 3 }),
    invalid: fc.array(fc.constantFrom(...messageNames), { maxLength: 1 }),
    heights: fc.constantFrom(0, 1, 1, 1, 2, 40),
  })
  .map(({ places, names, invalid, heights }) => ({
    check: () => true,
    run(model: Model, real: Real): void {
      const settlement = {
        batchIds: places.flatMap((place) => model.batches[place]?.batch.id ?? []),
        messageIds: names.map(messageId),
        invalid: invalid.map(messageId),
        nextHeight: model.nextHeight + heights,
      }
      const ids = (batches: Model['batches']) => batches.map(({ batch }) => batch.id)
      const stay = model.afterwards(settlement)
      const leave: BatchId[] = ids(model.batches).filter((id) => !ids(stay).includes(id))
      assert.deepEqual([...real.pool.leavingWith(settlement)].sort(), [...leave].sort())
      assert.deepEqual([...real.pool.heldWithout(settlement).keys()].sort(), ids(stay).sort())
      assert.equal(real.pool.wouldBeEmptyWith(settlement), stay.length === 0)
      check(real, model)

      assert.deepEqual([...real.pool.settle(settlement).removed].sort(), leave.sort())
      model.batches = stay
      model.nextHeight = settlement.nextHeight
      for (const id of [...settlement.messageIds, ...settlement.invalid]) model.dead.add(id)
      check(real, model)
    },
    toString: () => `settle ${places} ${names} invalid ${invalid} +${heights}`,
  }))

test('the pool counts what the plainest model counts, whatever comes and goes', () => {
  fc.assert(
    fc.property(fc.commands([adding, settling], { maxCommands: 40 }), (commands) => {
      const options = { maxBytes: 1e9, maxBatches: 1e6, reservedAuthors: [author('v0')], nextHeight: 1 }
      fc.modelRun(() => ({ model: new Model(), real: { pool: new Mempool(options) } }), commands)
    }),
    { numRuns: 200 },
  )
})
