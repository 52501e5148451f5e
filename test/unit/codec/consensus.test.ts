import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeCertificate,
  decodeFrame,
  decodeHeader,
  decodeStatus,
  decodeViewRequest,
  decodeVoteBody,
  defaultLimits,
  encodeCertificate,
  encodeFrame,
  encodeHeader,
  encodeStatus,
  encodeViewRequest,
  encodeVoteBody,
  type Frame,
} from '../../../src/codec/index.ts'
import { sha256 } from '../../../src/crypto/native/index.ts'
import type { BlockId, Certificate, Hash, Header, Vote } from '../../../src/types/index.ts'

const blockId = 'cd'.repeat(32) as BlockId
const hash = 'ef'.repeat(32) as Hash
const signature = new Uint8Array(64).fill(3)
const context = { limits: defaultLimits, entriesMax: 10, sha256 }
const header: Header = {
  version: 1,
  chainId: 'test',
  height: 2 ** 40,
  view: 3,
  time: 4,
  previousBlockId: blockId,
  leader: 5,
  vrfProof: new Uint8Array(80).fill(6),
  commitmentsHash: hash,
  batchesHash: hash,
  sequenceRoot: hash,
  messageCount: 7,
  namespacesRoot: hash,
  namespaceCount: 8,
  stateHeight: 9,
  stateRoot: hash,
  validatorsHash: hash,
  nextValidatorsHash: hash,
}

test('a header comes back as it went in; another version is refused', () => {
  const bytes = encodeHeader(header)
  assert.deepEqual(decodeHeader(bytes), { ok: true, value: header })
  assert.equal(decodeHeader(encodeHeader({ ...header, version: 2 })).ok, false)
})

test('every cut and every longer form of a frame is refused', () => {
  const vote: Vote = { kind: 'notarize', height: 1, view: 2, blockId, validator: 3, signature }
  const certificate: Certificate = {
    kind: 'nullification',
    height: 1,
    view: 2,
    signatures: [{ validator: 3, signature }],
  }
  const proposal = { height: 1, view: 2, blockId, leader: 3, signature, justification: [certificate] }
  const frames: Frame[] = [
    { kind: 'vote', vote },
    { kind: 'certificate', certificate },
    { kind: 'proposal', proposal },
  ]
  for (const frame of frames) {
    const bytes = encodeFrame(frame)
    assert.deepEqual(decodeFrame(bytes, context), { ok: true, value: frame })
    for (let size = 0; size < bytes.length; size++) {
      assert.equal(decodeFrame(bytes.subarray(0, size), context).ok, false, `${frame.kind} cut to ${size}`)
    }
    assert.equal(decodeFrame(Uint8Array.of(...bytes, 0), context).ok, false)
  }
  assert.equal(decodeFrame(Uint8Array.of(99), context).ok, false)
})

test('the signers of a certificate ascend strictly', () => {
  const of = (...validators: number[]) =>
    decodeCertificate(
      encodeCertificate({
        kind: 'finalization',
        height: 1,
        view: 0,
        blockId,
        signatures: validators.map((validator) => ({ validator, signature })),
      }),
    )
  assert.equal(of(0, 1, 5).ok, true)
  assert.equal(of(1, 1).ok, false)
  assert.equal(of(2, 1).ok, false)
})

test('votes of each kind have bytes of their own', () => {
  const bodies = [
    { kind: 'notarize', height: 1, view: 2, blockId },
    { kind: 'nullify', height: 1, view: 2 },
    { kind: 'finalize', height: 1, view: 2, blockId },
  ] as const
  for (const body of bodies) assert.deepEqual(decodeVoteBody(encodeVoteBody(body)), { ok: true, value: body })
  assert.equal(new Set(bodies.map((body) => encodeVoteBody(body)[0])).size, 3)
})

test('what a node says of its height comes back as it went in, within bounds', () => {
  const holding = {
    height: 5,
    view: 1,
    commitments: [0, 2],
    views: [
      {
        view: 0,
        hasProposal: true,
        hasNotarization: false,
        hasNullification: true,
        notarizes: [1],
        nullifies: [0, 2, 3],
        finalizes: [],
      },
    ],
  }
  const status = { genesisHash: hash, finalHeight: 4, finalBlockId: blockId, holding }
  assert.deepEqual(decodeStatus(encodeStatus(status)), { ok: true, value: status })
  const request = { holding, wantedBlock: blockId, pushed: [Uint8Array.of(1, 2)] }
  assert.deepEqual(decodeViewRequest(encodeViewRequest(request)), { ok: true, value: request })
  const doubled = { ...status, holding: { ...holding, commitments: [2, 2] } }
  assert.equal(decodeStatus(encodeStatus(doubled)).ok, false)
})
