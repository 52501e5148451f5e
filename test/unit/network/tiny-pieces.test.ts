import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TinyPieces, tinyBytes } from '../../../src/network/tiny-pieces.ts'

const [data, windowUpdate] = [0, 1]

/** A frame of yamux; only those of data have a payload. */
function frameOf(type: number, length: number): Uint8Array {
  const bytes = new Uint8Array(12 + (type === data ? length : 0)).fill(0xff)
  bytes.fill(0, 0, 12)
  bytes[1] = type
  new DataView(bytes.buffer).setUint32(8, length)
  return bytes
}

/** How many of these come before it says no. */
function takenOf(pieces: TinyPieces, bytes: Uint8Array, max = 100_000): number {
  for (let count = 0; count < max; count++) if (!pieces.feed(bytes)) return count
  return max
}

test('takes twenty thousand tiny pieces at once, then five hundred a second', () => {
  const clock = { ms: 0 }
  const pieces = new TinyPieces(() => clock.ms)
  assert.equal(takenOf(pieces, frameOf(data, 1)), 20_000)
  const later = new TinyPieces(() => clock.ms)
  for (let second = 0; second < 100; second++) {
    clock.ms += 1_000
    assert.equal(takenOf(later, frameOf(data, tinyBytes - 1), 500), 500)
  }
})

test('counts neither larger pieces, nor those without payload, nor other frames', () => {
  const pieces = new TinyPieces(() => 0)
  for (const frame of [
    frameOf(data, tinyBytes),
    frameOf(data, 4_096),
    frameOf(data, 0),
    frameOf(windowUpdate, 1),
  ])
    assert.equal(takenOf(pieces, frame, 30_000), 30_000)
})

test('finds the frames however their bytes are cut', () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(lengths, fc.array(fc.nat(3_000)), (sizes, cuts) => {
      const bytes = new Uint8Array(Buffer.concat(sizes.map((size) => frameOf(data, size))))
      const whole = new TinyPieces(() => 0)
      const cut = new TinyPieces(() => 0)
      whole.feed(bytes)
      let start = 0
      for (const at of [
        ...cuts.filter((place) => place <= bytes.length).sort((a, b) => a - b),
        bytes.length,
      ]) {
        cut.feed(bytes.subarray(start, at))
        start = at
      }
      const tiny = sizes.filter((size) => size < tinyBytes).length
      assert.equal(takenOf(whole, frameOf(data, 1)), 20_000 - tiny)
      assert.equal(takenOf(cut, frameOf(data, 1)), 20_000 - tiny)
    }),
    { numRuns: 20 },
  )
})
