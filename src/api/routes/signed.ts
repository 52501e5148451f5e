// `/commit` and `/propose`: what a validator signed, from elsewhere than gossip. Only the form is judged here; the
// node verifies it as it verifies gossip. Also the list of what was signed for the height under way, in that form.
import type { FastifyInstance } from 'fastify'
import { bytesToHex, encodeVoteBody, hashBytes, signatureBytes } from '../../codec/index.ts'
import type { PublicKey, ValidatorIndex } from '../../types/index.ts'
import type { ApiContext } from '../context.ts'
import { ApiError } from '../errors.ts'
import { debugSigned, jsonSigned } from '../original-text.ts'
import type { CommitmentsView, SignedKindOfRoute, SignedSubmission } from '../ports.ts'
import { bodyProblems, plain } from '../schemas/routes.ts'
import { listOf } from '../schemas/shared.ts'
import { type BodyOf, readJsonBody, schemaOfShape } from '../strict-json.ts'
import { originalRoute, readOrRefuse, sendText, takeJsonBodies } from './original-style.ts'

const signedShape = { bytes: 'bytes', signature: 'bytes', validator: 'bytes' } as const
const signedSchema = schemaOfShape(signedShape, { signature: signatureBytes, validator: hashBytes })

/** Adds both to a scope of their own. */
export function registerSignedRoutes(scope: FastifyInstance, context: ApiContext): void {
  takeJsonBodies(scope, context)
  addSignedRoute(scope, context, {
    kind: 'commit',
    summary: 'Hand in a signed pool commitment or vote',
    pattern: '^\\[Ok\\] Commitment was accepted: ConsensusCommitment \\{',
    textOf: (signed) => `[Ok] Commitment was accepted: ${debugSigned(signed)}`,
  })
  addSignedRoute(scope, context, {
    kind: 'propose',
    summary: 'Hand in a signed proposal',
    pattern: '^\\[Ok\\] Block was processed$',
    textOf: () => '[Ok] Block was processed',
  })
}

function addSignedRoute(
  scope: FastifyInstance,
  { ports }: ApiContext,
  about: {
    readonly kind: SignedKindOfRoute
    readonly summary: string
    readonly pattern: string
    readonly textOf: (signed: SignedSubmission) => string
  },
): void {
  const route = originalRoute({
    summary: about.summary,
    description:
      'The exact bytes that were signed, the signature (64 bytes) and the voting key of its maker (32 bytes).',
    body: signedSchema,
    response: { 200: plain('Verified, and handed to consensus.', { pattern: about.pattern }) },
    refusals: [...bodyProblems, 'rejected'],
  })
  scope.post(`/${about.kind}`, route, async (request, reply) => {
    const signed = signedOf(readOrRefuse(readJsonBody(request.body as Uint8Array, signedShape)))
    const outcome = await ports.submitSigned(about.kind, signed)
    if (outcome.kind === 'rejected') throw new ApiError('rejected', `It was rejected: ${outcome.reason}.`)
    return sendText(reply, about.textOf(signed))
  })
}

/** The original crashed on keys and signatures of another length. */
function signedOf({ bytes, signature, validator }: BodyOf<typeof signedShape>): SignedSubmission {
  if (validator.length !== hashBytes)
    throw new ApiError('rejected', `The validator's key must have ${hashBytes} bytes.`)
  if (signature.length !== signatureBytes) {
    throw new ApiError('rejected', `The signature must have ${signatureBytes} bytes.`)
  }
  return { bytes, signature, validator: bytesToHex(validator) as PublicKey }
}

/** The height under way as `/get/commitments` shows it: each entry is a body that `/commit` takes. */
export const commitmentsOfHeight = {
  schema: listOf(signedSchema),
  forms: { asText: debugSigned, asJson: jsonSigned },
  list({ commitments, votes }: CommitmentsView, votingKeys: readonly PublicKey[]): SignedSubmission[] {
    const keyOf = (index: ValidatorIndex): PublicKey => votingKeys[index] ?? ('' as PublicKey)
    return [
      ...commitments.map(({ bytes, signature, validator }) => ({
        bytes,
        signature,
        validator: keyOf(validator),
      })),
      ...votes.map((vote) => ({
        bytes: encodeVoteBody(vote),
        signature: vote.signature,
        validator: keyOf(vote.validator),
      })),
    ]
  },
}
