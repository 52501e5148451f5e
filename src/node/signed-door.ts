// The door for what validators signed and somebody hands in over HTTP (`/commit`, `/propose`): verified as gossip is,
// then handed to the core and gossiped on. It says why it refuses, in words for the one who sent it.
import type { SignedKindOfRoute, SignedOutcome, SignedSubmission } from '../api/index.ts'
import {
  bodyTags,
  commitmentEntriesMax,
  decodePoolCommitment,
  decodeProposalBody,
  decodeVoteBody,
  type Frame,
  heightOf,
} from '../codec/index.ts'
import type { FrameVerifier } from '../network/index.ts'
import type { Genesis, Height, PoolCommitment, Proposal, ValidatorIndex, Vote } from '../types/index.ts'

export interface SignedDoorOptions {
  readonly genesis: Genesis
  readonly verifier: Pick<FrameVerifier, 'verifyFrame'>
  readonly finalHeight: Height
  /** Takes what is good. */
  readonly take: (frame: Frame) => void
}

/** The kinds that have a height and come without more than their signed bytes. */
type SignedFrame =
  | { readonly kind: 'proposal'; readonly proposal: Proposal }
  | { readonly kind: 'pool-commitment'; readonly commitment: PoolCommitment }
  | { readonly kind: 'vote'; readonly vote: Vote }

/** Above the final height: the height under way, and the next, whose commitments are made ahead. */
const heightsAhead = 2

export function takeSigned(
  options: SignedDoorOptions,
  kind: SignedKindOfRoute,
  signed: SignedSubmission,
): SignedOutcome {
  const { genesis, verifier, finalHeight, take } = options
  const index = genesis.validators.findIndex(({ votingKey }) => votingKey === signed.validator)
  if (index === -1) return rejected('the key is no validator’s')
  const frame = frameOf(genesis, kind, { ...signed, index })
  if (typeof frame === 'string') return rejected(frame)
  const height = heightOf(frame)
  if (height <= finalHeight) return rejected(`height ${height} is final already`)
  if (height > finalHeight + heightsAhead)
    return rejected(`height ${height} is too far ahead: ${finalHeight} is final here`)
  const verified = verifier.verifyFrame(frame)
  if (!verified.ok) {
    const { rejected: why, detail } = verified
    return rejected(
      why === 'bad-signature'
        ? 'the signature does not hold for these bytes, this key and this chain'
        : detail,
    )
  }
  take(frame)
  return { kind: 'accepted' }
}

function frameOf(
  genesis: Genesis,
  kind: SignedKindOfRoute,
  signed: SignedSubmission & { readonly index: ValidatorIndex },
): SignedFrame | string {
  const { bytes, signature, index } = signed
  if (kind === 'propose') {
    const body = decodeProposalBody(bytes)
    if (!body.ok) return `not the signed bytes of a proposal: ${body.reason}`
    return { kind: 'proposal', proposal: { ...body.value, leader: index, signature, justification: [] } }
  }
  if (bytes[0] === bodyTags['pool-commitment']) {
    const entriesMax = commitmentEntriesMax(genesis.limits, genesis.validators.length)
    const decoded = decodePoolCommitment({ validator: index, bytes, signature }, entriesMax)
    return decoded.ok
      ? { kind: 'pool-commitment', commitment: decoded.value }
      : `not the signed bytes of a pool commitment: ${decoded.reason}`
  }
  const body = decodeVoteBody(bytes)
  if (!body.ok) return `not the signed bytes of a pool commitment or a vote: ${body.reason}`
  return { kind: 'vote', vote: { ...body.value, validator: index, signature } }
}

function rejected(reason: string): SignedOutcome {
  return { kind: 'rejected', reason }
}
