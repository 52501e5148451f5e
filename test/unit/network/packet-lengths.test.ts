import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packetLength } from '../../../src/network/packet-lengths.ts'
import { withTwoNodes } from './two-nodes.ts'

function buffered(...bytes: number[]) {
  return { byteLength: bytes.length, get: (at: number) => bytes[at] ?? assert.fail(`no byte ${at}`) }
}

test('a length is of two bytes, the higher first, and no number before both are there', () => {
  assert.equal(packetLength(buffered(0, 0)), 0)
  assert.equal(packetLength(buffered(1, 2, 3)), 258)
  assert.equal(packetLength(buffered(255, 255)), 65_535)
  assert.ok(Number.isNaN(packetLength(buffered())))
  assert.ok(Number.isNaN(packetLength(buffered(1))))
})

test('connected nodes learn without an exception that no packet is left', async () => {
  // Opening a stream makes some of its own, with other lengths.
  const count = countingRangeErrors(/int16/)
  try {
    await withTwoNodes(async ({ here, there }) => {
      // The handshake, over on both sides with this, reads lengths in the library's way.
      await here.services.ping.ping(there.peerId)
      assert.ok(count.errors > 0, 'the library says something else, or nothing')
      count.errors = 0
      for (let turn = 0; turn < 5; turn++) await here.services.ping.ping(there.peerId)
      assert.equal(count.errors, 0)
    })
  } finally {
    count.stop()
  }
})

/** Counts those made anywhere in this process, whose text is such. */
function countingRangeErrors(text: RegExp) {
  const counted = globalThis.RangeError
  const count = { errors: 0, stop: () => void Object.assign(globalThis, { RangeError: counted }) }
  const made = ([message]: readonly unknown[]) => {
    if (text.test(String(message))) count.errors += 1
  }
  globalThis.RangeError = new Proxy(counted, {
    apply: (target, self, given) => {
      made(given)
      return Reflect.apply(target, self, given)
    },
    construct: (target, given, as) => {
      made(given)
      return Reflect.construct(target, given, as)
    },
  })
  return count
}
