import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type ChainView,
  messageOfEvidence,
  type OrderedBatch,
  type Selection,
  selectContent,
} from '../../../src/sequencing/index.ts'
import type { Batch, BatchId, Message, MessageId } from '../../../src/types/index.ts'
import { aBatch, aMessage, batchId } from './builders.ts'
import { someEvidence } from './evidence-builders.ts'

const roomy = { maxBlockBatches: 100, maxBlockBytes: 100_000 }

/** Selects from batches in this order; one that is only an id is not in hand. */
function select(
  batches: readonly (Batch | BatchId)[],
  options: Partial<ChainView> & { height?: number; limits?: typeof roomy } = {},
): Selection {
  const ordered: OrderedBatch[] = batches.map((batch, at) => ({
    batchId: typeof batch === 'string' ? batch : batch.id,
    fairTime: at,
  }))
  const inHand = new Map(batches.flatMap((batch) => (typeof batch === 'string' ? [] : [[batch.id, batch]])))
  return selectContent({
    ordered,
    batchOf: (id) => inHand.get(id),
    isInChain: () => false,
    isMessageInChain: () => false,
    isReservedValid: () => false,
    height: 5,
    limits: roomy,
    ...options,
  })
}

function contentOf(selection: Selection) {
  assert.equal(selection.kind, 'content')
  if (selection.kind !== 'content') throw new Error('unreachable')
  return selection.content
}

function textsOf(selection: Selection): string[] {
  return contentOf(selection).messages.map(({ message }) => new TextDecoder().decode(message.data))
}

const [one, two, three] = ['one', 'two', 'three'].map((text) => aBatch([aMessage(text)])) as [
  Batch,
  Batch,
  Batch,
]

describe('batches', () => {
  test('are taken in order, their messages in the order of the batch', () => {
    const pair = aBatch([aMessage('b'), aMessage('a')])
    const selection = select([pair, one])
    assert.deepEqual(textsOf(selection), ['b', 'a', 'one'])
    assert.deepEqual(contentOf(selection).batchIds, [pair.id, one.id])
    assert.deepEqual(contentOf(selection).batches, [pair, one])
    assert.deepEqual(contentOf(selection).skipped, [])
  })

  test('that are in the chain are passed over and count for no limit', () => {
    const limits = { maxBlockBatches: 1, maxBlockBytes: two.bytes.length }
    const selection = select([one, two], { isInChain: (id) => id === one.id, limits })
    assert.deepEqual(contentOf(selection).batchIds, [two.id])
  })

  test('stop at maxBlockBatches', () => {
    const selection = select([one, two, three], { limits: { ...roomy, maxBlockBatches: 2 } })
    assert.deepEqual(contentOf(selection).batchIds, [one.id, two.id])
  })

  test('fill maxBlockBytes to the last byte', () => {
    const maxBlockBytes = one.bytes.length + two.bytes.length
    assert.deepEqual(contentOf(select([one, two], { limits: { ...roomy, maxBlockBytes } })).batchIds, [
      one.id,
      two.id,
    ])
    const less = { ...roomy, maxBlockBytes: maxBlockBytes - 1 }
    assert.deepEqual(contentOf(select([one, two], { limits: less })).batchIds, [one.id])
  })

  test('stop at the first that is too large: none behind it slips in', () => {
    const large = aBatch([aMessage('x'.repeat(500))])
    const maxBlockBytes = large.bytes.length + one.bytes.length - 1
    assert.deepEqual(contentOf(select([one, large, two], { limits: { ...roomy, maxBlockBytes } })).batchIds, [
      one.id,
    ])
  })

  test('of duplicates only stand in the block and count for its size', () => {
    const again = aBatch([aMessage('one'), aMessage('one')])
    const selection = select([one, again, two], { limits: { ...roomy, maxBlockBatches: 2 } })
    assert.deepEqual(contentOf(selection).batchIds, [one.id, again.id])
    assert.deepEqual(contentOf(selection).skipped, [
      { batch: 1, message: 0 },
      { batch: 1, message: 1 },
    ])
  })
})

describe('batches not in hand', () => {
  test('are named, all of them', () => {
    const selection = select([one, batchId('x'), two, batchId('y')])
    assert.deepEqual(selection, { kind: 'missing', batchIds: [batchId('x'), batchId('y')] })
  })

  test('are not asked for when they are in the chain', () => {
    const selection = select([batchId('x'), one], { isInChain: (id) => id === batchId('x') })
    assert.deepEqual(contentOf(selection).batchIds, [one.id])
  })

  test('are not asked for beyond maxBlockBatches, and count for it', () => {
    const limits = { ...roomy, maxBlockBatches: 2 }
    const selection = select([one, batchId('x'), batchId('y')], { limits })
    assert.deepEqual(selection, { kind: 'missing', batchIds: [batchId('x')] })
    assert.equal(select([one, two, batchId('y')], { limits }).kind, 'content')
  })

  test('are not asked for where the sizes known exceed the limit before them', () => {
    const limits = { ...roomy, maxBlockBytes: one.bytes.length + two.bytes.length - 1 }
    assert.deepEqual(contentOf(select([one, two, batchId('x')], { limits })).batchIds, [one.id])
    const selection = select([one, batchId('x'), two, batchId('y')], {
      limits: { ...roomy, maxBlockBytes: one.bytes.length + two.bytes.length },
    })
    assert.deepEqual(selection, { kind: 'missing', batchIds: [batchId('x')] })
  })

  test('are not asked for where even the smallest batch would be too large', () => {
    const smallest = aBatch([aMessage('')]).bytes.length
    const full = { ...roomy, maxBlockBytes: one.bytes.length + smallest - 1 }
    assert.deepEqual(contentOf(select([one, batchId('x')], { limits: full })).batchIds, [one.id])
    const room = { ...roomy, maxBlockBytes: one.bytes.length + smallest }
    assert.equal(select([one, batchId('x')], { limits: room }).kind, 'missing')
  })
})

describe('messages', () => {
  test('in the chain already are skipped', () => {
    const batch = aBatch([aMessage('old'), aMessage('new')])
    const selection = select([batch], { isMessageInChain: (id) => id === batch.messageIds[0] })
    assert.deepEqual(textsOf(selection), ['new'])
    assert.deepEqual(contentOf(selection).skipped, [{ batch: 0, message: 0 }])
  })

  test('earlier in the block are skipped, in the same batch or another', () => {
    const selection = select([aBatch([aMessage('a'), aMessage('a')]), aBatch([aMessage('b'), aMessage('a')])])
    assert.deepEqual(textsOf(selection), ['a', 'b'])
    assert.deepEqual(contentOf(selection).skipped, [
      { batch: 0, message: 1 },
      { batch: 1, message: 1 },
    ])
  })

  test('are taken at the height they name and expired at the next', () => {
    const batch = aBatch([aMessage('named', { expiresAt: 5 }), aMessage('before', { expiresAt: 4 })])
    assert.deepEqual(textsOf(select([batch], { height: 5 })), ['named'])
    assert.deepEqual(textsOf(select([batch], { height: 6 })), [])
  })

  test('in reserved namespaces are taken if valid by the chain', () => {
    const batches = [
      aBatch([aMessage('no', { namespace: 'diseq/x' })]),
      aBatch([aMessage('yes', { namespace: 'diseq/y' }), aMessage('free', { namespace: 'diseq' })]),
    ]
    const isReservedValid = (message: Message) => message.namespace === 'diseq/y'
    assert.deepEqual(textsOf(select(batches, { isReservedValid })), ['yes', 'free'])
  })

  test('of evidence: only the first against a validator, within a block too', () => {
    const [first, second, other] = [
      messageOfEvidence(someEvidence({ validator: 1, view: 0 })),
      messageOfEvidence(someEvidence({ validator: 1, view: 1 })),
      messageOfEvidence(someEvidence({ validator: 2, view: 0 })),
    ]
    const selection = select([aBatch([first]), aBatch([second]), aBatch([other])], {
      isReservedValid: () => true,
    })
    assert.deepEqual(
      contentOf(selection).messages.map(({ message }) => message),
      [first, other],
    )
    assert.deepEqual(contentOf(selection).skipped, [{ batch: 1, message: 0 }])
  })

  test('of evidence that is not valid do not use up the first', () => {
    const [bad, good] = [
      someEvidence({ validator: 1, view: 0 }),
      someEvidence({ validator: 1, view: 1 }),
    ].map(messageOfEvidence) as [Message, Message]
    const batches = [aBatch([bad]), aBatch([good])] as const
    const isReservedValid = (_: Message, id: MessageId) => id === batches[1].messageIds[0]
    const selection = select(batches, { isReservedValid })
    assert.deepEqual(
      contentOf(selection).messages.map(({ message }) => message),
      [good],
    )
  })
})
