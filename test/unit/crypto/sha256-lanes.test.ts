import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { sha256 } from '../../../src/crypto/native/hash.ts'
import { blocksOf, createSha256Lanes, LANES, padInto } from '../../../src/crypto/native/sha256-lanes.ts'

describe('four hashes at a time', () => {
  it('are those of one at a time, at every end of a block and of its padding', () => {
    for (const length of [
      0, 1, 3, 31, 54, 55, 56, 57, 63, 64, 65, 91, 92, 93, 118, 119, 120, 128, 183, 247,
    ]) {
      const lanes = createSha256Lanes(blocksOf(length))
      const message = fc.uint8Array({ minLength: length, maxLength: length })
      fc.assert(
        fc.property(fc.tuple(message, message, message, message), (messages) => {
          for (const [lane, each] of messages.entries()) {
            const input = lanes.inputs[lane] ?? assert.fail('there are four lanes')
            input.set(each)
            padInto(input, length)
          }
          lanes.run()
          const digests = messages.map((_, lane) => lanes.digests.slice(32 * lane, 32 * lane + 32))
          assert.deepEqual(digests, messages.map(sha256))
        }),
        { numRuns: 3 },
      )
    }
  })

  it('need no more than what changed to be written again', () => {
    const lanes = createSha256Lanes(2)
    const message = new Uint8Array(92)
    for (const input of lanes.inputs) padInto(input, 92)
    for (let round = 0; round < 5; round += 1) {
      message[60] = round
      for (const input of lanes.inputs) input[60] = round
      lanes.run()
      for (let lane = 0; lane < LANES; lane += 1) {
        assert.deepEqual(lanes.digests.slice(32 * lane, 32 * lane + 32), sha256(message))
      }
    }
  })

  it('refuses a number of blocks that it has no room for', () => {
    for (const blocks of [0, 65, 1.5]) assert.throws(() => createSha256Lanes(blocks), RangeError)
  })

  it('knows how many blocks padding makes of a message', () => {
    assert.deepEqual([0, 55, 56, 64, 92, 119, 120].map(blocksOf), [1, 1, 2, 2, 2, 2, 3])
  })
})
