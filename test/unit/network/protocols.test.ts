import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeFrames } from '../../../src/codec/index.ts'
import { fitting } from '../../../src/network/protocols.ts'

test('a reply holds the first frames that fit it, the last byte included', () => {
  const frames = [new Uint8Array(10), new Uint8Array(20), new Uint8Array(30)]
  const sizeOfTwo = encodeFrames(frames.slice(0, 2)).length
  assert.equal(fitting(frames, sizeOfTwo).length, 2)
  assert.equal(fitting(frames, sizeOfTwo - 1).length, 1)
  assert.equal(fitting(frames, 1_000).length, 3)
  assert.equal(fitting([], 1_000).length, 0)
})

test('a reply holds no more frames than an asker would take', () => {
  const frames = Array.from({ length: 5_000 }, () => new Uint8Array(1))
  assert.equal(fitting(frames).length, 4_096)
})
