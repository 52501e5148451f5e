import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bundleBytesMax, bundleFramesMax, decodeBundle, encodeBundle } from '../../../src/network/bundles.ts'

const aFrame = fc
  .tuple(fc.integer({ min: 1, max: 7 }), fc.uint8Array({ maxLength: 300 }))
  .map(([tag, body]) => Uint8Array.from([tag, ...body]))

test('frames come out of a bundle as they went in, and one alone is not wrapped', () => {
  fc.assert(
    fc.property(fc.array(aFrame, { minLength: 1, maxLength: 20 }), (frames) => {
      const bytes = encodeBundle(frames)
      assert.deepEqual(decodeBundle(bytes), frames)
      assert.equal(frames.length === 1, bytes[0] !== 0xff)
    }),
  )
})

test('a bundle that is cut off anywhere is none, or has fewer whole frames', () => {
  const frames = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5), Uint8Array.of(5)]
  const bytes = encodeBundle(frames)
  for (let length = 1; length < bytes.length; length++) {
    const decoded = decodeBundle(bytes.subarray(0, length))
    assert.ok(decoded === undefined || decoded.length === 2, `at ${length}`)
  }
})

test('refuses bundles of one frame, in bundles, with empty frames, of too many or too large', () => {
  const bundleOf = (...frames: Uint8Array[]) => {
    const parts = frames.flatMap((frame) => [0, 0, frame.length >> 8, frame.length & 0xff, ...frame])
    return Uint8Array.from([0xff, ...parts])
  }
  const frame = Uint8Array.of(4, 1)
  assert.equal(decodeBundle(bundleOf()), undefined)
  assert.equal(decodeBundle(bundleOf(frame)), undefined)
  assert.equal(decodeBundle(bundleOf(frame, new Uint8Array(0))), undefined)
  assert.equal(decodeBundle(bundleOf(frame, bundleOf(frame, frame))), undefined)
  const most = Array.from({ length: bundleFramesMax }, () => frame)
  assert.equal(decodeBundle(bundleOf(...most))?.length, bundleFramesMax)
  assert.equal(decodeBundle(bundleOf(...most, frame)), undefined)
  assert.equal(decodeBundle(encodeBundle([frame, new Uint8Array(bundleBytesMax).fill(1)])), undefined)
})
