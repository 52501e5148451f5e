import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message } from '../../../src/types/index.ts'
import { aMessage, ChainBuilder } from '../../support/chain-builder.ts'

/** A batch of these that waits in the pool, and its messages' ids. */
function pooled(builder: ChainBuilder, messages: readonly Message[]) {
  const batch = builder.batch(messages)
  const added = builder.mempool.add({ batch, receivedAt: 1, from: { kind: 'local' }, isPinned: true })
  assert.equal(added.kind, 'added')
  return batch
}

test('what expires while it waits is remembered as expired, with what expires in the block itself', async () => {
  const builder = await ChainBuilder.create()
  const waiting = pooled(builder, [
    aMessage('too late', { expiresAt: 1 }),
    aMessage('in time', { expiresAt: 2 }),
    aMessage('any time'),
  ])
  const [late = '', inTime = '', any = ''] = waiting.messageIds
  const event = await builder.addBlock({ messages: [aMessage('another')] })
  assert.deepEqual(event.expired, [late])
  assert.deepEqual(builder.store.refusalOf(late as never)?.state, 'expired')
  assert.equal(builder.store.refusalOf(late as never)?.reason, 'its expiresAt passed')
  const next = await builder.addBlock({ batches: [waiting] })
  assert.deepEqual([next.messageIds, next.expired], [[inTime, any], [late]])
  assert.equal(builder.store.refusalOf(inTime as never), undefined)
})

test('evidence against one who is convicted already is refused with that reason, in the pool and in a block', async () => {
  const builder = await ChainBuilder.create()
  const reason = 'evidence against validator 2 is in the chain already'
  const other = builder.evidenceMessage(2, { view: 1 })
  const waiting = pooled(builder, [other, aMessage('any time')])
  const [id = ''] = waiting.messageIds
  const first = await builder.addBlock({ messages: [builder.evidenceMessage(2)] })
  assert.deepEqual(first.refused, [{ id, reason }])
  const second = await builder.addBlock({ batches: [waiting] })
  assert.deepEqual(second.refused, [{ id, reason }])
  assert.equal(builder.store.refusalOf(id as never)?.reason, reason)
})
