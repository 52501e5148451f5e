import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { bytesToHex, decodeHeader, encodeHeader, hexToBytes } from '../../../src/codec/index.ts'
import { thresholdsOf } from '../../../src/quorum/index.ts'
import {
  batchesHash,
  blockTime,
  checkAttached,
  checkHeader,
  commitmentsHash,
  type HeaderParts,
  makeHeader,
  namespaceTree,
  sequenceRoot,
} from '../../../src/sequencing/index.ts'
import type { BlockId, Hash, Header, MessageId } from '../../../src/types/index.ts'
import { aCommitment, aMessage, batchId, hashOf, sha256 } from './builders.ts'

const powers = [1, 1, 1, 1]
const thresholds = thresholdsOf(powers, 'byzantine')

function attached(...times: number[]) {
  return times.map((time, validator) => aCommitment({ validator, time }))
}

describe('commitments', () => {
  const check = (commitments: ReturnType<typeof attached>) =>
    checkAttached({ commitments, height: 1, powers, thresholds })

  test('of a quorum can be attached, of less cannot', () => {
    assert.equal(check(attached(1, 1, 1)), undefined)
    assert.equal(check(attached(1, 1, 1, 1)), undefined)
    assert.equal(check(attached(1, 1)), 'no-quorum')
    assert.equal(check([]), 'no-quorum')
  })

  test('count by power', () => {
    const weighted = [5, 1, 1] // f = 2, Q = 5
    const thresholdsWeighted = thresholdsOf(weighted, 'byzantine')
    const rest = { height: 1, powers: weighted, thresholds: thresholdsWeighted }
    assert.equal(checkAttached({ commitments: attached(1), ...rest }), undefined)
    assert.equal(checkAttached({ commitments: attached(1, 1, 1).slice(1), ...rest }), 'no-quorum')
  })

  test('of one validator twice, of strangers or of another height cannot be attached', () => {
    assert.equal(check([...attached(1, 1, 1), aCommitment({ validator: 2, time: 9 })]), 'doubled-validator')
    assert.equal(check([...attached(1, 1, 1), aCommitment({ validator: 4 })]), 'unknown-validator')
    assert.equal(check([...attached(1, 1, 1), aCommitment({ validator: 3, height: 2 })]), 'other-height')
  })

  test('hash in ascending order of validators, as signed', () => {
    const commitments = attached(1, 2, 3)
    const expected = Buffer.concat([
      Uint8Array.of(0, 3),
      ...commitments.map(({ validator, bytes, signature }) =>
        Buffer.concat([Uint8Array.of(0, validator, 0, 0, 0, bytes.length), bytes, signature]),
      ),
    ])
    assert.equal(commitmentsHash(commitments, sha256), bytesToHex(sha256(expected)))
    assert.equal(commitmentsHash(commitments.toReversed(), sha256), bytesToHex(sha256(expected)))
  })
})

test('batches hash with their number, in order', () => {
  const ids = [batchId('a'), batchId('b')]
  const bytes = Buffer.concat([Uint8Array.of(0, 0, 0, 2), ...ids.map(hexToBytes)])
  assert.equal(batchesHash(ids, sha256), bytesToHex(sha256(bytes)))
  assert.notEqual(batchesHash(ids.toReversed(), sha256), batchesHash(ids, sha256))
})

describe("the block's time", () => {
  const timeOf = (times: number[], { previousTime = 0, of = powers } = {}) =>
    blockTime({ commitments: attached(...times), powers: of, previousTime })

  test('is the lower median of the attached times', () => {
    assert.equal(timeOf([30, 10, 20]), 20)
    assert.equal(timeOf([40, 10, 30, 20]), 20)
    assert.equal(timeOf([7]), 7)
  })

  test('is reached by exactly half of the attached power', () => {
    assert.equal(timeOf([10, 20], { of: [3, 3] }), 10)
    assert.equal(timeOf([10, 20], { of: [2, 3] }), 20)
  })

  test('counts the attached power only', () => {
    assert.equal(timeOf([10, 20], { of: [3, 3, 100] }), 10)
  })

  test('is at least one more than the previous', () => {
    assert.equal(timeOf([10, 10, 10], { previousTime: 9 }), 10)
    assert.equal(timeOf([10, 10, 10], { previousTime: 10 }), 11)
    assert.equal(timeOf([10, 10, 10], { previousTime: 50 }), 51)
  })

  test('lies within honest clocks, whatever f of a quorum say', () => {
    const honest = fc.array(fc.integer({ min: 1000, max: 2000 }), { minLength: 3, maxLength: 5 })
    const liars = fc.array(fc.nat(9000), { maxLength: 2 }) // of 7, f = 2, Q = 5
    fc.assert(
      fc.property(honest, liars, (times, lies) => {
        fc.pre(times.length + lies.length >= 5)
        const time = timeOf([...times, ...lies], { of: [1, 1, 1, 1, 1, 1, 1] })
        assert.ok(time >= Math.min(...times) && time <= Math.max(...times))
      }),
    )
  })

  test('is the least t with half of the power at or before it', () => {
    const clocks = fc.array(fc.record({ time: fc.nat(20), power: fc.integer({ min: 1, max: 5 }) }), {
      minLength: 1,
      maxLength: 6,
    })
    fc.assert(
      fc.property(clocks, (attachedClocks) => {
        const total = attachedClocks.reduce((sum, clock) => sum + clock.power, 0)
        const powerBy = (t: number) =>
          attachedClocks.reduce((sum, clock) => sum + (clock.time <= t ? clock.power : 0), 0)
        let least = 0
        while (2 * powerBy(least) < total) least += 1
        const times = attachedClocks.map((clock) => clock.time)
        const of = attachedClocks.map((clock) => clock.power)
        assert.equal(timeOf(times, { previousTime: -1, of }), least)
      }),
    )
  })
})

describe('a header', () => {
  const parts: HeaderParts = {
    chainId: 'test',
    height: 9,
    view: 2,
    leader: 3,
    vrfProof: new Uint8Array(80).fill(7),
    previous: { id: hashOf('previous') as BlockId, time: 5 },
    commitments: attached(10, 20, 30),
    powers,
    content: {
      batchIds: [batchId('a')],
      messages: [
        { id: hashOf('m') as MessageId, message: aMessage('m', { namespace: 'n' }) },
        { id: hashOf('o') as MessageId, message: aMessage('o') },
      ],
    },
    stateHeight: 9,
    stateRoot: hashOf('state'),
    validatorsHash: hashOf('validators'),
    nextValidatorsHash: hashOf('next validators'),
    sha256,
  }

  test('puts everything together', () => {
    const { header, headerBytes, id } = makeHeader(parts)
    assert.deepEqual(header, {
      version: 1,
      chainId: 'test',
      height: 9,
      view: 2,
      time: 20,
      previousBlockId: hashOf('previous'),
      leader: 3,
      vrfProof: parts.vrfProof,
      commitmentsHash: commitmentsHash(parts.commitments, sha256),
      batchesHash: batchesHash([batchId('a')], sha256),
      sequenceRoot: sequenceRoot([hashOf('m'), hashOf('o')] as MessageId[], sha256),
      messageCount: 2,
      namespacesRoot: namespaceTree(parts.content.messages, sha256).root,
      namespaceCount: 1,
      stateHeight: 9,
      stateRoot: hashOf('state'),
      validatorsHash: hashOf('validators'),
      nextValidatorsHash: hashOf('next validators'),
    })
    assert.deepEqual(headerBytes, encodeHeader(header))
    assert.deepEqual(decodeHeader(headerBytes), { ok: true, value: header })
    assert.equal(id, bytesToHex(sha256(headerBytes)))
  })

  test('equals itself, and names each field in which it differs', () => {
    const { header } = makeHeader(parts)
    assert.equal(
      checkHeader({ header, expected: { ...header, vrfProof: header.vrfProof.slice() } }),
      undefined,
    )
    for (const field of Object.keys(header) as (keyof Header)[]) {
      const value = header[field]
      const other =
        typeof value === 'number' ? value + 1 : typeof value === 'string' ? `${value}x` : new Uint8Array(80)
      assert.equal(checkHeader({ header: { ...header, [field]: other }, expected: header }), field)
    }
  })

  test('names the first field in encoding order', () => {
    const { header } = makeHeader(parts)
    const other = { ...header, stateRoot: 'x' as Hash, time: 0, messageCount: 0 }
    assert.equal(checkHeader({ header: other, expected: header }), 'time')
  })
})
