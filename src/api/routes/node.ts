// The node's own view of itself: status, validators, peers, pool, the height under way, evidence, genesis, limits.
import type { FastifyInstance } from 'fastify'
import { bytesToHex, encodeEvidence } from '../../codec/index.ts'
import type { SignedPayload } from '../../types/index.ts'
import type { ApiContext } from '../context.ts'
import { messageToJson } from '../message-input.ts'
import { json, noContent, problems } from '../schemas/routes.ts'
import { integer, listOf, objectOf, ref, type Schema, timeMs, u32 } from '../schemas/shared.ts'
import { numberOf, numberText, plainProblems, revalidate, sendJson, sendTagged } from './replies.ts'

const defaultPoolLimit = 100
const maxPoolLimit = 1_000
const tags = ['node']

export function registerNodeRoutes(scope: FastifyInstance, context: ApiContext): void {
  addStatus(scope, context)
  addValidators(scope, context)
  addPool(scope, context)
  addCommitments(scope, context)
  addGenesis(scope, context)
  addConfig(scope, context)
}

function addStatus(scope: FastifyInstance, { ports }: ApiContext): void {
  addView(scope, {
    path: '/v1/status',
    operationId: 'getStatus',
    summary: 'This node: who it is and how far it is',
    schema: ref('Status'),
    read: () => {
      const { messageCount, sizeBytes } = ports.pool({ limit: 0 })
      return { ...ports.status(), ...ports.readiness(), pool: { messageCount, sizeBytes } }
    },
  })
  addView(scope, {
    path: '/v1/peers',
    operationId: 'getPeers',
    summary: 'The peers it is connected to',
    schema: objectOf({ peers: listOf(ref('Peer')) }),
    read: () => ({ peers: ports.peers() }),
  })
  addView(scope, {
    path: '/v1/evidence',
    operationId: 'getEvidence',
    summary: 'Contradicting signatures it holds: proof that a validator lied',
    schema: objectOf({ evidence: listOf(ref('Evidence')) }),
    read: () => ({
      evidence: ports.evidence().map((evidence) => ({
        validator: evidence.validator,
        height: evidence.height,
        first: payloadToJson(evidence.first),
        second: payloadToJson(evidence.second),
        proof: {
          type: 'diseq/1/evidence',
          evidence: Buffer.from(encodeEvidence(evidence)).toString('base64'),
        },
      })),
    }),
  })
}

function addValidators(scope: FastifyInstance, { ports }: ApiContext): void {
  addView(scope, {
    path: '/v1/validators',
    operationId: 'getValidators',
    summary: 'The validators and what of their power decides',
    schema: objectOf({
      faultModel: { type: 'string', enum: ['byzantine', 'crash'] },
      powerTotal: integer,
      faultyMax: { ...integer, description: 'The power that may be faulty.' },
      quorum: { ...integer, description: 'The power that decides.' },
      validators: listOf(ref('Validator')),
    }),
    read: () => {
      const { validators, ...totals } = ports.validators()
      return { ...totals, validators: validators.map((validator, index) => ({ index, ...validator })) }
    },
  })
}

function addPool(scope: FastifyInstance, { ports }: ApiContext): void {
  const schema = {
    operationId: 'getPool',
    summary: 'Messages that are not final yet, oldest first',
    tags,
    querystring: objectOf(
      {
        limit: numberText(
          `The most messages wanted, at most ${maxPoolLimit}; ${defaultPoolLimit} where absent.`,
        ),
      },
      { optional: ['limit'] },
    ),
    response: {
      ...problems(['invalid-parameter']),
      200: json(
        'The counts are of the whole pool.',
        objectOf({ messageCount: u32, sizeBytes: integer, messages: listOf(ref('PoolMessage')) }),
      ),
    },
  }
  scope.get<{ Querystring: { limit?: string } }>('/v1/pool', { schema }, (request, reply) => {
    const limit = numberOf(request.query.limit, { fallback: defaultPoolLimit, max: maxPoolLimit })
    const { messageCount, sizeBytes, messages } = ports.pool({ limit })
    const shown = messages.map(({ id, receivedAt, message }) => ({
      id,
      receivedAt,
      ...messageToJson(message),
    }))
    return sendJson(reply, JSON.stringify({ messageCount, sizeBytes, messages: shown }))
  })
}

function addCommitments(scope: FastifyInstance, { ports }: ApiContext): void {
  const commitment = objectOf({
    validator: u32,
    time: timeMs,
    entries: listOf(objectOf({ batchId: { type: 'string' }, receivedAt: timeMs })),
    signature: { type: 'string' },
  })
  addView(scope, {
    path: '/v1/commitments',
    operationId: 'getCommitments',
    summary: 'Pool commitments and votes of the height under way',
    schema: objectOf({
      height: integer,
      view: u32,
      commitments: listOf(commitment),
      votes: listOf(ref('Vote')),
    }),
    read: () => {
      const { height, view, commitments, votes } = ports.commitments()
      return {
        height,
        view,
        commitments: commitments.map(({ validator, time, entries, signature }) => ({
          validator,
          time,
          entries,
          signature: bytesToHex(signature),
        })),
        votes: votes.map((vote) => ({ ...vote, signature: bytesToHex(vote.signature) })),
      }
    },
  })
}

function addGenesis(scope: FastifyInstance, { ports }: ApiContext): void {
  const schema = {
    operationId: 'getGenesis',
    summary: 'The genesis file: with it alone, proofs can be checked',
    tags,
    response: { ...plainProblems, 200: json('The file as it is.', { type: 'object' }), 304: noContent },
  }
  scope.get('/v1/genesis', { schema }, (request, reply) => {
    const tag = ports.status().genesisHash
    return sendTagged(request, reply, { tag, cacheControl: revalidate, text: () => ports.genesisText() })
  })
}

function addConfig(scope: FastifyInstance, { ports, options }: ApiContext): void {
  const http = {
    maxBodyBytes: options.maxBodyBytes,
    maxMessagesPerRequest: options.maxMessagesPerRequest,
    maxStreamedMessages: options.maxStreamedMessages,
    maxStreamedBytes: options.maxStreamedBytes,
    waitFinalTimeoutMs: options.waitFinalTimeoutMs,
    merkleProofTimeoutMs: options.merkleProofTimeoutMs,
    requestTimeoutMs: options.requestTimeoutMs,
    maxStreamReaders: options.maxStreamReaders,
    rateLimit: options.rateLimit === false ? null : options.rateLimit,
  }
  const { rateLimit, ...numbers } = http
  const number = (limits: object): Record<string, Schema> =>
    Object.fromEntries(Object.keys(limits).map((name) => [name, integer]))
  const rate = objectOf({ requestsPerSecond: { type: 'number' }, burst: { type: 'number' } })
  addView(scope, {
    path: '/v1/config',
    operationId: 'getConfig',
    summary: 'Limits: those of the chain, the same on all nodes, and those of this server',
    schema: objectOf({
      protocol: objectOf(number(ports.limits())),
      http: objectOf({ ...number(numbers), rateLimit: { anyOf: [rate, { type: 'null' }] } }),
    }),
    read: () => ({ protocol: ports.limits(), http: { ...numbers, rateLimit } }),
  })
}

/** A route that shows one thing and takes nothing. */
function addView(
  scope: FastifyInstance,
  view: {
    readonly path: string
    readonly operationId: string
    readonly summary: string
    readonly schema: Schema
    readonly read: () => object
  },
): void {
  const { operationId, summary } = view
  const schema = {
    operationId,
    summary,
    tags,
    response: { ...plainProblems, 200: json(summary, view.schema) },
  }
  scope.get(view.path, { schema }, (_request, reply) => sendJson(reply, JSON.stringify(view.read())))
}

function payloadToJson({ kind, bytes, signature }: SignedPayload): object {
  return { kind, bytes: Buffer.from(bytes).toString('base64'), signature: bytesToHex(signature) }
}
