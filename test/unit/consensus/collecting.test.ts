import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { aCoreWithContext, aFinalization, aPoolCommitment, only } from '../../support/consensus.ts'

const pool = (hasWork: boolean) => ({ kind: 'pool', hasWork }) as const
const own = (height: number) =>
  ({ kind: 'pool-commitment', commitment: aPoolCommitment({ validator: 3, height }) }) as const
const asks = (outputs: Parameters<typeof only>[0]) =>
  only(outputs, 'make-commitment').map(({ height, evenIfEmpty }) => ({ height, evenIfEmpty }))

describe('a commitment that was asked for because there was work', () => {
  test('is asked for again when the pool had emptied and has work anew', () => {
    // The pool still held the last block's batches when the height began; the driver made nothing of an empty pool.
    const core = aCoreWithContext({ hasWork: true })
    assert.deepEqual(asks(core.said), [{ height: 1, evenIfEmpty: false }])
    assert.deepEqual(asks(core.gets(pool(false))), [])
    assert.deepEqual(asks(core.gets(pool(true))), [{ height: 1, evenIfEmpty: false }])
  })

  test('is asked for again, even if empty, when the pool had emptied and others work', () => {
    const core = aCoreWithContext({ hasWork: true })
    core.getsCommitmentsOf([0, 1])
    assert.equal(asks(core.said).length, 1, 'while the pool holds work there is no need')
    assert.deepEqual(asks(core.gets(pool(false))), [{ height: 1, evenIfEmpty: true }])
  })

  test('is not asked for again once it was made', () => {
    const core = aCoreWithContext({ hasWork: true })
    core.gets(own(1))
    assert.deepEqual(asks(core.gets(pool(false), pool(true))), [])
  })

  test('is not asked for again when it had to be made even if empty', () => {
    const core = aCoreWithContext()
    core.getsCommitmentsOf([0, 1])
    assert.equal(asks(core.said).length, 1)
    assert.deepEqual(asks(core.gets(pool(true), pool(false), pool(true))), [])
  })
})

describe('a commitment of the next height', () => {
  test('made ahead is not asked for when that height begins', () => {
    const core = aCoreWithContext({ hasWork: true })
    core.gets(own(1), own(2))
    core.getsCertificate(aFinalization(0))
    assert.deepEqual(asks(core.startsHeight(2)), [])
  })

  test('is not asked for again when peers send back the one of this height', () => {
    const core = aCoreWithContext({ hasWork: true })
    core.gets(own(1), own(2), own(1))
    core.getsCertificate(aFinalization(0))
    assert.deepEqual(asks(core.startsHeight(2)), [])
  })
})

test('a height that is final asks for no commitment of its own any more', () => {
  const core = aCoreWithContext()
  core.getsCertificate(aFinalization(0))
  assert.deepEqual(asks(core.gets(pool(true))), [])
  assert.deepEqual(asks(core.startsHeight(2)), [{ height: 2, evenIfEmpty: false }])
})

describe('two pool commitments of one validator', () => {
  const first = aPoolCommitment({ validator: 1 })

  test('are evidence if they differ, and the first counts', () => {
    const core = aCoreWithContext()
    const second = aPoolCommitment({ validator: 1, content: 1 })
    core.gets({ kind: 'pool-commitment', commitment: first })
    const outputs = core.gets({ kind: 'pool-commitment', commitment: second })
    assert.deepEqual(only(outputs, 'evidence'), [
      {
        kind: 'evidence',
        pair: [
          { kind: 'pool-commitment', commitment: first },
          { kind: 'pool-commitment', commitment: second },
        ],
      },
    ])
    assert.equal(core.state.commitments.get(1), first)
  })

  test('are none if they are the same bytes', () => {
    const core = aCoreWithContext()
    const copy = aPoolCommitment({ validator: 1 })
    const outputs = core.gets(
      { kind: 'pool-commitment', commitment: first },
      { kind: 'pool-commitment', commitment: copy },
    )
    assert.deepEqual(only(outputs, 'evidence'), [])
  })
})
