import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeFrame, encodeVoteBody, type Frame } from '../../../src/codec/index.ts'
import { sign, signingInput } from '../../../src/crypto/native/index.ts'
import type { InvalidReason } from '../../../src/network/verify.ts'
import type { BlockId, Certificate, Proposal } from '../../../src/types/index.ts'
import { aBlockId, aChain, flipped, seedOf } from './signed-frames.ts'

const chain = aChain()
const notarize = { kind: 'notarize', height: 1, view: 0, blockId: aBlockId } as const

function rejectionOf(frame: Frame, verifier = chain.verifier()): InvalidReason | undefined {
  const result = verifier.verify(encodeFrame(frame))
  return result.ok ? undefined : result.rejected
}

test('accepts a frame of every kind that its signers made', () => {
  const verifier = chain.verifier()
  for (const frame of chain.everyFrame()) {
    const result = verifier.verify(encodeFrame(frame))
    assert.ok(result.ok, `${frame.kind}: ${result.ok ? '' : result.detail}`)
    assert.equal(result.value.kind, frame.kind)
  }
})

test('refuses a frame of every kind that was made for another genesis', () => {
  const other = aChain({ salt: 1 })
  for (const frame of other.everyFrame()) assert.equal(rejectionOf(frame), 'bad-signature', frame.kind)
})

test('refuses a frame of every kind cut short anywhere, or with a byte too many', () => {
  const verifier = chain.verifier()
  for (const frame of chain.everyFrame()) {
    const bytes = encodeFrame(frame)
    for (let size = 0; size < bytes.length; size += Math.ceil(bytes.length / 97)) {
      const result = verifier.verify(bytes.subarray(0, size))
      assert.equal(result.ok ? undefined : result.rejected, 'malformed', `${frame.kind} of ${size}`)
    }
    assert.ok(!verifier.verify(Uint8Array.of(...bytes, 0)).ok, frame.kind)
  }
})

test('refuses every frame in which one bit was turned, and throws at none', () => {
  const verifier = chain.verifier()
  for (const frame of chain.everyFrame()) {
    const bytes = encodeFrame(frame)
    const step = Math.ceil(bytes.length / 151)
    for (let index = 0; index < bytes.length; index += step)
      assert.ok(!verifier.verify(flipped(bytes, index)).ok, `${frame.kind} at ${index}`)
  }
})

test('refuses an unknown tag and no bytes at all', () => {
  const verifier = chain.verifier()
  for (const bytes of [new Uint8Array(0), Uint8Array.of(0), Uint8Array.of(99, 1, 2)])
    assert.ok(!verifier.verify(bytes).ok)
})

test('refuses a batch larger than genesis allows', () => {
  const { limits } = chain.genesis
  const allowed = chain.batch({ sizeBytes: limits.maxMessageBytes - 9 })
  assert.equal(rejectionOf({ kind: 'batch', batch: allowed }), undefined)

  const smaller = { ...chain.genesis, limits: { ...limits, maxBatchBytes: allowed.bytes.length - 1 } }
  const verifier = chain.verifier({ genesis: smaller })
  assert.equal(rejectionOf({ kind: 'batch', batch: allowed }, verifier), 'malformed')
})

test('refuses a signature of another validator, in every place where a validator signs', () => {
  const wrong = { signature: chain.vote(notarize, 1).signature }
  assert.equal(rejectionOf({ kind: 'vote', vote: { ...chain.vote(notarize, 0), ...wrong } }), 'bad-signature')

  const commitment = { ...chain.commitment({ validator: 0 }), validator: 1 }
  assert.equal(rejectionOf({ kind: 'pool-commitment', commitment }), 'bad-signature')

  const evidence = { ...chain.evidence(1), validator: 2 }
  assert.equal(rejectionOf({ kind: 'evidence', evidence }), 'bad-signature')

  const proposal = { ...chain.proposal(), signature: flipped(chain.proposal().signature) }
  assert.equal(rejectionOf({ kind: 'proposal', proposal }), 'bad-signature')
})

test('refuses a vote signed as a vote of another kind', () => {
  const { signature } = chain.vote(notarize)
  const vote = { ...notarize, kind: 'finalize' as const, validator: 0, signature }
  assert.equal(rejectionOf({ kind: 'vote', vote }), 'bad-signature')
})

test('refuses a signature of a key that is no voting key', () => {
  const { votingKey, nodeKey } = chain.genesis.validators[3] ?? {}
  assert.ok(votingKey && nodeKey && votingKey !== nodeKey)
  const message = signingInput({
    kind: 'notarize',
    genesisHash: chain.genesis.hash,
    bytes: encodeVoteBody(notarize),
  })
  const vote = { ...notarize, validator: 3, signature: sign({ seed: seedOf(3, 2), message }) }
  assert.equal(rejectionOf({ kind: 'vote', vote }), 'bad-signature')
})

test('refuses a validator that genesis does not have: the last index passes, the next does not', () => {
  assert.equal(rejectionOf({ kind: 'vote', vote: chain.vote(notarize, 3) }), undefined)
  const vote = { ...chain.vote(notarize, 3), validator: 4 }
  assert.equal(rejectionOf({ kind: 'vote', vote }), 'unknown-validator')
  const commitment = { ...chain.commitment(), validator: 4 }
  assert.equal(rejectionOf({ kind: 'pool-commitment', commitment }), 'unknown-validator')
  const certificate = chain.certificate(notarize, [0, 1, 2])
  const signatures = [...certificate.signatures, { validator: 4, signature: vote.signature }]
  assert.equal(
    rejectionOf({ kind: 'certificate', certificate: { ...certificate, signatures } }),
    'unknown-validator',
  )
})

test('takes a certificate of a quorum and of all, and refuses one below a quorum', () => {
  const ofSigners = (signers: number[]): Frame => ({
    kind: 'certificate',
    certificate: chain.certificate(notarize, signers),
  })
  assert.equal(rejectionOf(ofSigners([0, 1, 2])), undefined)
  assert.equal(rejectionOf(ofSigners([0, 1, 2, 3])), undefined)
  assert.equal(rejectionOf(ofSigners([1, 3])), 'no-quorum')
  assert.equal(rejectionOf(ofSigners([])), 'no-quorum')
})

test('refuses a certificate with one bad signature, even beyond a quorum', () => {
  for (const bad of [0, 3]) {
    const certificate = chain.certificate(notarize, [0, 1, 2, 3])
    const signatures = certificate.signatures.map((one) =>
      one.validator === bad ? { ...one, signature: flipped(one.signature, 40) } : one,
    )
    assert.equal(
      rejectionOf({ kind: 'certificate', certificate: { ...certificate, signatures } }),
      'bad-signature',
    )
  }
})

test('refuses a certificate with a doubled or unordered signer, also one that skipped the decoder', () => {
  const certificate = chain.certificate(notarize, [0, 1, 2])
  const [a, b, c] = certificate.signatures
  assert.ok(a && b && c)
  const refused: Certificate[] = [
    { ...certificate, signatures: [a, b, b, c] },
    { ...certificate, signatures: [b, a, c] },
  ]
  for (const doubled of refused) {
    assert.equal(rejectionOf({ kind: 'certificate', certificate: doubled }), 'malformed')
    const result = chain.verifier().verifyFrame({ kind: 'certificate', certificate: doubled })
    assert.equal(result.ok ? undefined : result.rejected, 'no-quorum')
  }
})

test('refuses a certificate made of votes of another kind, view or block', () => {
  const certificate = chain.certificate(notarize)
  const other = '77'.repeat(32) as BlockId
  const forged: Certificate[] = [
    { ...certificate, kind: 'finalization', blockId: aBlockId },
    { ...certificate, view: 1 },
    { ...certificate, height: 2 },
    { ...certificate, kind: 'notarization', blockId: other },
  ]
  for (const one of forged)
    assert.equal(rejectionOf({ kind: 'certificate', certificate: one }), 'bad-signature')
})

test('takes a repeated block of a lower view with its notarization, by another leader or without the block', () => {
  const block = chain.block({ view: 0, leader: 0 })
  const notarization = chain.certificate({ kind: 'notarize', height: 1, view: 0, blockId: block.id })
  const proposal = chain.proposal({ block, view: 1, leader: 2, justification: [notarization] })
  assert.equal(rejectionOf({ kind: 'proposal', proposal }), undefined)
  const { block: _, ...byId } = proposal
  assert.equal(rejectionOf({ kind: 'proposal', proposal: byId }), undefined)
})

test('refuses a proposal whose parts contradict each other', () => {
  const block = chain.block({ view: 1, leader: 1 })
  const nullification = chain.certificate({ kind: 'nullify', height: 1, view: 0 })
  const good = chain.proposal({ block, justification: [nullification] })
  assert.equal(rejectionOf({ kind: 'proposal', proposal: good }), undefined)

  const refused: Record<string, Proposal> = {
    'two leaders of one view': chain.proposal({ block, view: 1, leader: 2 }),
    'a block of a later view': chain.proposal({ block, view: 0, leader: 1 }),
    'a certificate of another height': {
      ...good,
      justification: [chain.certificate({ kind: 'nullify', height: 2, view: 0 })],
    },
    'a certificate of its own view': {
      ...good,
      justification: [chain.certificate({ kind: 'nullify', height: 1, view: 1 })],
    },
    'a finalization': {
      ...good,
      justification: [chain.certificate({ kind: 'finalize', height: 1, view: 0, blockId: aBlockId })],
    },
  }
  for (const [name, proposal] of Object.entries(refused))
    assert.equal(rejectionOf({ kind: 'proposal', proposal }), 'inconsistent', name)
})

test('refuses a proposal with one bad signature inside: its block, a commitment, a justification', () => {
  const block = chain.block({ view: 0 })
  const justification = [chain.certificate({ kind: 'notarize', height: 1, view: 0, blockId: block.id })]
  const repeated = chain.proposal({ block, view: 1, leader: 1, justification })
  assert.equal(rejectionOf({ kind: 'proposal', proposal: repeated }), undefined)

  const badBlock = { ...block, signature: flipped(block.signature) }
  assert.equal(rejectionOf({ kind: 'proposal', proposal: { ...repeated, block: badBlock } }), 'bad-signature')
  const [first, ...others] = justification[0]?.signatures ?? []
  assert.ok(first)
  const badCertificate = {
    ...chain.certificate({ kind: 'notarize', height: 1, view: 0, blockId: block.id }),
    signatures: [{ ...first, signature: flipped(first.signature) }, ...others],
  }
  assert.equal(
    rejectionOf({ kind: 'proposal', proposal: { ...repeated, justification: [badCertificate] } }),
    'bad-signature',
  )
  const forged = { ...chain.commitment({ validator: 1 }), validator: 2 }
  const withForged = chain.block({ commitments: [chain.commitment(), forged] })
  assert.equal(
    rejectionOf({ kind: 'proposal', proposal: chain.proposal({ block: withForged }) }),
    'bad-signature',
  )
})

test('refuses a block whose good commitments a relay took away or swapped', () => {
  const block = chain.block()
  const swapped = [0, 1, 3].map((validator) => chain.commitment({ validator }))
  for (const commitments of [block.commitments.slice(1), swapped]) {
    assert.equal(rejectionOf({ kind: 'block', block: { ...block, commitments } }), 'inconsistent')
    const proposal = { ...chain.proposal({ block }), block: { ...block, commitments } }
    assert.equal(rejectionOf({ kind: 'proposal', proposal }), 'inconsistent')
  }
})

test('refuses a block of another chain though its leader signed it', () => {
  const block = chain.block()
  const other = chain.blockOf({ ...block.header, chainId: 'other' }, block.commitments)
  assert.equal(rejectionOf({ kind: 'block', block: other }), 'inconsistent')
})

test('lets the node judge whether two signatures contradict', () => {
  const evidence = chain.evidence()
  assert.ok(chain.verifier().verifyFrame({ kind: 'evidence', evidence }).ok)
  const judging = chain.verifier({ convicts: () => false })
  const result = judging.verifyFrame({ kind: 'evidence', evidence })
  assert.equal(result.ok ? undefined : result.rejected, 'no-offence')
})

test('checks a final block: finalization of that block, its signatures and its batches', () => {
  const verifier = chain.verifier()
  const final = chain.finalBlock(3)
  assert.ok(verifier.verifyFinalBlock(final).ok)
  const [batch] = final.batches
  assert.ok(batch)
  const refused = [
    { ...final, block: chain.block({ height: 3, leader: 1 }) },
    { ...final, finalization: { ...final.finalization, height: 4 } },
    { ...final, finalization: { ...final.finalization, signatures: final.finalization.signatures.slice(1) } },
    { ...final, batches: [{ ...batch, signature: flipped(batch.signature) }] },
  ]
  for (const one of refused) assert.ok(!verifier.verifyFinalBlock(one).ok)
})

test('computes a signature once: votes cost nothing in a certificate, commitments nothing in a proposal', () => {
  const verifier = chain.verifier()
  for (const validator of [0, 1, 2])
    assert.ok(verifier.verifyFrame({ kind: 'vote', vote: chain.vote(notarize, validator) }).ok)
  assert.equal(verifier.verifications, 3)
  assert.ok(verifier.verifyFrame({ kind: 'certificate', certificate: chain.certificate(notarize) }).ok)
  assert.equal(verifier.verifications, 3)

  for (const validator of [0, 1, 2])
    assert.ok(
      verifier.verifyFrame({ kind: 'pool-commitment', commitment: chain.commitment({ validator }) }).ok,
    )
  assert.ok(verifier.verifyFrame({ kind: 'proposal', proposal: chain.proposal() }).ok)
  assert.equal(verifier.verifications, 7, 'three commitments and one proposal')
})

test('does not remember bad signatures as good', () => {
  const verifier = chain.verifier()
  const vote = { ...chain.vote(notarize), signature: flipped(chain.vote(notarize).signature) }
  for (const _ of [1, 2]) assert.ok(!verifier.verifyFrame({ kind: 'vote', vote }).ok)
  assert.equal(verifier.verifications, 2)
})
