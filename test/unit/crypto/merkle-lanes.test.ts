import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sha256, sha256Hex } from '../../../src/crypto/native/hash.ts'
import { merkleRootOfIds } from '../../../src/crypto/native/merkle-lanes.ts'
import { merkleRoot } from '../../../src/sequencing/merkle.ts'

describe('the root of ids, four hashes at a time', () => {
  it('is that of one hash after another, for every number of leaves', () => {
    const ids = Array.from({ length: 300 }, (_, index) => sha256Hex(Uint8Array.of(index >> 8, index)))
    for (let count = 0; count <= ids.length; count += 1) {
      const some = ids.slice(0, count)
      const leaves = some.map((id) => new Uint8Array(Buffer.from(id, 'hex')))
      assert.deepEqual(merkleRootOfIds(some), merkleRoot(leaves, sha256), `${count} leaves`)
    }
  })

  it('refuses what is no id', () => {
    const id = '0f'.repeat(32)
    for (const text of ['', '0f', id.slice(1), `${id}0f`, `${id.slice(2)}zz`]) {
      assert.throws(() => merkleRootOfIds([id, text]), RangeError)
    }
  })
})
