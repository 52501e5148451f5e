import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fillChain } from '../../../src/bench/fill.ts'
import type { FinalMessages, SubmitResult, Target } from '../../../src/bench/target.ts'

type Answer = (groupNumber: number) => SubmitResult

/** A system that makes final what it accepts with the next turn of the event loop, as far as it is not to lose it. */
function aTarget({
  answer,
  loses = () => false,
}: {
  answer: Answer
  loses?: (groupNumber: number) => boolean
}) {
  let onFinal: ((block: FinalMessages) => void) | undefined
  let onLost: ((error: Error) => void) | undefined
  const state = { groups: 0, finalCount: 0, isFollowed: false }
  const target: Target = {
    name: 'test',
    entranceCount: 1,
    processes: [],
    submit: async (_entrance, messages) => {
      state.groups += 1
      const group = state.groups
      const result = answer(group)
      if (result.kind !== 'accepted' || loses(group)) return result
      setImmediate(() => {
        state.finalCount += messages.length
        onFinal?.({ heads: messages, dataBytes: 0 })
      })
      return result
    },
    follow: async (told, lost) => {
      onFinal = told
      onLost = lost
      state.isFollowed = true
      return () => {
        state.isFollowed = false
      }
    },
  }
  return { target, state, lose: (error: Error) => onLost?.(error) }
}

test('at least as many as asked for are final when it returns, and it says how many', async () => {
  const { target, state } = aTarget({ answer: () => ({ kind: 'accepted' }) })
  const told: number[] = []
  const put = await fillChain(target, { count: 1_050, onProgress: (count) => told.push(count) })
  assert.ok(put >= 1_050, `${put}`)
  assert.equal(put, state.finalCount)
  assert.equal(told.at(-1), put)
  assert.equal(state.isFollowed, false)
})

test('what is refused does not count', async () => {
  const refused: SubmitResult = { kind: 'refused', retryAfterMs: 1 }
  const { target, state } = aTarget({ answer: (group) => (group % 2 === 0 ? refused : { kind: 'accepted' }) })
  const put = await fillChain(target, { count: 500 })
  assert.ok(put >= 500, `${put}`)
  assert.equal(put, state.finalCount)
})

test('what a system accepts and loses is made up for', async () => {
  const { target, state } = aTarget({ answer: () => ({ kind: 'accepted' }), loses: (group) => group === 1 })
  const put = await fillChain(target, { count: 500, quietMs: 100 })
  assert.ok(put >= 500, `${put}`)
  assert.equal(put, state.finalCount)
})

test('a system that can no longer be followed ends it', async () => {
  const { target, state, lose } = aTarget({ answer: () => ({ kind: 'refused', retryAfterMs: 1 }) })
  const filling = fillChain(target, { count: 500 })
  setImmediate(() => lose(new Error('gone')))
  await assert.rejects(filling, /gone/)
  assert.equal(state.isFollowed, false)
})

test('a system that makes nothing final is given up, with what it said last', async () => {
  const { target, state } = aTarget({
    answer: () => {
      throw new Error('no such route')
    },
  })
  const filling = fillChain(target, { count: 500, stallMs: 200 })
  await assert.rejects(filling, /test made nothing final for 0.2 s \(Error: no such route\)/)
  assert.equal(state.isFollowed, false)
})
