import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  debugBytes,
  debugMessage,
  jsonBytes,
  jsonMessage,
  jsonStateRoot,
} from '../../../src/api/original-text.ts'
import { hexToBytes } from '../../../src/codec/index.ts'

interface Vectors {
  readonly chain: {
    readonly messages: readonly { dataHex: string; timestamp: number; json: string; scheduleReply: string }[]
  }
  readonly tries: readonly {
    rootText: string
    rootJson: Record<'hash' | 'left' | 'right', number[] | null>
  }[]
}
const path = new URL('../../vectors/trie-and-chain.json', import.meta.url)
const vectors = JSON.parse(readFileSync(path, 'utf8')) as Vectors

test("prints messages as the original's JSON and Debug texts", () => {
  for (const { dataHex, timestamp, json, scheduleReply } of vectors.chain.messages) {
    const message = { data: hexToBytes(dataHex), timestamp }
    assert.equal(jsonMessage(message), json)
    assert.equal(`[Ok] Message is being sequenced: ${debugMessage(message)}`, scheduleReply)
  }
})

test("prints roots as the original's JSON", () => {
  const bytesOf = (list: number[] | null): Uint8Array | null => (list === null ? null : Uint8Array.from(list))
  for (const { rootText, rootJson } of vectors.tries) {
    const { hash, left, right } = rootJson
    assert.equal(jsonStateRoot({ hash: bytesOf(hash), left: bytesOf(left), right: bytesOf(right) }), rootText)
  }
})

test('prints every byte value, and no bytes', () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  assert.equal(jsonBytes(all), JSON.stringify([...all]))
  assert.equal(debugBytes(all), `[${[...all].join(', ')}]`)
  assert.equal(debugBytes(new Uint8Array()), '[]')
})
