import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SignedKindOfRoute, SignedSubmission } from '../../../src/api/index.ts'
import { encodeProposalBody, encodeVoteBody, type Frame } from '../../../src/codec/index.ts'
import { takeSigned } from '../../../src/node/signed-door.ts'
import type { PublicKey } from '../../../src/types/index.ts'
import { aBlockId, aChain, type Chain, flipped } from '../network/signed-frames.ts'

const chain = aChain()
const final = 10

/** What the door says, and what it let through. */
function handIn(kind: SignedKindOfRoute, signed: SignedSubmission) {
  const taken: Frame[] = []
  const { genesis } = chain
  const outcome = takeSigned(
    { genesis, verifier: chain.verifier(), finalHeight: final, take: (frame) => taken.push(frame) },
    kind,
    signed,
  )
  return {
    said: outcome.kind === 'rejected' ? outcome.reason : outcome.kind,
    taken: taken.map((frame) => frame.kind),
  }
}

const keyOf = (validator: number) => chain.genesis.validators[validator]?.votingKey ?? assert.fail()

function aVote({
  of = chain,
  height = final + 1,
  validator = 0,
}: {
  of?: Chain
  height?: number
  validator?: number
} = {}) {
  const body = { kind: 'notarize', height, view: 0, blockId: aBlockId } as const
  const { signature } = of.vote(body, validator)
  return { bytes: encodeVoteBody(body), signature, validator: keyOf(validator) }
}

function aCommitment(height = final + 1) {
  const { bytes, signature } = chain.commitment({ validator: 2, height })
  return { bytes, signature, validator: keyOf(2) }
}

function aProposal(height = final + 1) {
  const bytes = encodeProposalBody({ height, view: 0, blockId: aBlockId })
  return { bytes, signature: chain.sign(3, 'proposal', bytes), validator: keyOf(3) }
}

test('what a validator signed for the height under way or the next is taken', () => {
  for (const height of [final + 1, final + 2]) {
    assert.deepEqual(handIn('commit', aVote({ height })), { said: 'accepted', taken: ['vote'] })
    assert.deepEqual(handIn('commit', aCommitment(height)), { said: 'accepted', taken: ['pool-commitment'] })
    assert.deepEqual(handIn('propose', aProposal(height)), { said: 'accepted', taken: ['proposal'] })
  }
})

const refused: Record<string, [SignedKindOfRoute, SignedSubmission, RegExp]> = {
  'a key that is no validator’s': [
    'commit',
    { ...aVote(), validator: chain.genesis.validators[0]?.nodeKey ?? ('' as PublicKey) },
    /no validator’s/,
  ],
  'another validator’s signature': ['commit', { ...aVote(), validator: keyOf(1) }, /signature does not hold/],
  'a signature with one bit turned': [
    'commit',
    { ...aCommitment(), signature: flipped(aCommitment().signature, 20) },
    /signature does not hold/,
  ],
  'a proposal with one bit turned in its signature': [
    'propose',
    { ...aProposal(), signature: flipped(aProposal().signature, 63) },
    /signature does not hold/,
  ],
  'a vote for another chain': [
    'commit',
    aVote({ of: aChain({ salt: 1 }) }),
    /signature does not hold .* this chain/,
  ],
  'a vote of a final height': ['commit', aVote({ height: final }), /height 10 is final already/],
  'a commitment of a final height': ['commit', aCommitment(1), /height 1 is final already/],
  'a proposal of a final height': ['propose', aProposal(0), /height 0 is final already/],
  'a vote far ahead': ['commit', aVote({ height: final + 3 }), /height 13 is too far ahead: 10 is final/],
  'a commitment far ahead': ['commit', aCommitment(2 ** 52), /too far ahead/],
  'a proposal far ahead': ['propose', aProposal(final + 3), /too far ahead/],
  'a proposal as a vote': ['commit', aProposal(), /not the signed bytes of a pool commitment or a vote/],
  'a vote as a proposal': ['propose', aVote(), /not the signed bytes of a proposal/],
  'a vote cut short': ['commit', { ...aVote(), bytes: aVote().bytes.slice(0, -1) }, /not the signed bytes/],
  'a commitment cut short': [
    'commit',
    { ...aCommitment(), bytes: aCommitment().bytes.slice(0, -1) },
    /not the signed bytes of a pool commitment/,
  ],
  'no bytes': ['commit', { ...aVote(), bytes: new Uint8Array(0) }, /not the signed bytes/],
  'no bytes of a proposal': ['propose', { ...aProposal(), bytes: new Uint8Array(0) }, /not the signed bytes/],
}

for (const [what, [kind, signed, reason]] of Object.entries(refused)) {
  test(`${what} is refused, and the reason given`, () => {
    const { said, taken } = handIn(kind, signed)
    assert.match(said, reason)
    assert.deepEqual(taken, [])
  })
}
