// Signed payloads and evidence, under a signature that any test can make.
import { encodePoolCommitmentBody, encodeProposalBody, encodeVoteBody } from '../../../src/codec/index.ts'
import { makeEvidence, type VerifySigned } from '../../../src/sequencing/index.ts'
import type {
  BlockId,
  Evidence,
  Genesis,
  PublicKey,
  SignedKind,
  SignedPayload,
  VoteBody,
} from '../../../src/types/index.ts'
import { hashOf, sha256 } from './builders.ts'

export function votingKey(validator: number): PublicKey {
  return hashOf(`voting key ${validator}`) as string as PublicKey
}

export const genesis = {
  validators: [0, 1, 2, 3].map((validator) => ({ votingKey: votingKey(validator) })),
} as unknown as Pick<Genesis, 'validators'>

/** Stands for a signature: over kind, bytes and key, as the real one is. */
function sign(kind: SignedKind, bytes: Uint8Array, key: PublicKey): Uint8Array {
  const half = sha256(Buffer.concat([Buffer.from(`${kind} ${key}`), bytes]))
  return new Uint8Array(Buffer.concat([half, half]))
}

export const verify: VerifySigned = ({ kind, bytes, signature, key }) =>
  Buffer.compare(sign(kind, bytes, key), signature) === 0

function signed(kind: SignedKind, bytes: Uint8Array, validator: number): SignedPayload {
  return { kind, bytes, signature: sign(kind, bytes, votingKey(validator)) }
}

export function aVote(
  vote: { kind: 'notarize' | 'finalize' | 'nullify'; height?: number; view?: number; block?: string },
  validator = 1,
): SignedPayload {
  const { kind, height = 3, view = 0, block = 'A' } = vote
  const body = { kind, height, view, blockId: hashOf(block) as BlockId } as VoteBody
  return signed(kind, encodeVoteBody(body), validator)
}

export function aProposal({ height = 3, view = 0, block = 'A' }, validator = 1): SignedPayload {
  return signed(
    'proposal',
    encodeProposalBody({ height, view, blockId: hashOf(block) as BlockId }),
    validator,
  )
}

export function aPoolCommitment({ height = 3, time = 0 }, validator = 1): SignedPayload {
  return signed('pool-commitment', encodePoolCommitmentBody({ height, time, entries: [] }), validator)
}

/** Two notarize votes of a view. */
export function someEvidence({ validator = 1, view = 0 } = {}): Evidence {
  const payloads = ['A', 'B'].map((block) => aVote({ kind: 'notarize', view, block }, validator))
  const evidence = makeEvidence({ validator, payloads: payloads as [SignedPayload, SignedPayload] })
  if (evidence === undefined) throw new Error('no evidence')
  return evidence
}
