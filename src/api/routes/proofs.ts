// Proofs for strangers: finality of a message, all of a namespace, keys of the trie, headers. Their formats are
// docs/proofs.md's; `diseq/verify` checks them with the genesis file alone.
import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hexToBytes, maxNamespaceBytes } from '../../codec/index.ts'
import type { MessageId } from '../../types/index.ts'
import type { ApiContext } from '../context.ts'
import { ApiError } from '../errors.ts'
import { patterns } from '../schemas/patterns.ts'
import { json, noContent, problems } from '../schemas/routes.ts'
import { hexHash, objectOf, ref, type Schema } from '../schemas/shared.ts'
import { immutable, numberOf, numberText, sendJson, sendTagged } from './replies.ts'

const tags = ['proofs']
const maxHeaders = 1_000
const maxNamespaceBlocks = 1_000

const namespaceParam = {
  type: 'string',
  minLength: 1,
  maxLength: maxNamespaceBytes,
  description: `1 to ${maxNamespaceBytes} bytes of UTF-8, percent-encoded.`,
} as const
const heightParam = {
  type: 'string',
  pattern: patterns.positive,
  description: 'The height of a final block; genesis needs no proof.',
} as const

export function registerProofRoutes(scope: FastifyInstance, context: ApiContext): void {
  addFinality(scope, context)
  addNamespaceBlock(scope, context)
  addNamespaceRange(scope, context)
  addTrie(scope, context)
  addHeaders(scope, context)
}

function addFinality(scope: FastifyInstance, { ports }: ApiContext): void {
  const schema = {
    operationId: 'getMessageProof',
    summary: 'Proof of the place of a final message',
    tags,
    params: objectOf({ id: hexHash }),
    querystring: objectOf(
      {
        trie: {
          type: 'string',
          enum: ['true', 'false'],
          description: 'true: also that its data is in the trie of the latest header, once it is.',
        },
      },
      { optional: ['trie'] },
    ),
    response: fixedProofReply('FinalityProof', 'The proof.'),
  }
  scope.get<{ Params: { id: string }; Querystring: { trie?: string } }>(
    '/v1/messages/:id/proof',
    { schema },
    async (request, reply) => {
      const options = { withTrie: request.query.trie === 'true' }
      const text = await ports.finalityProof(request.params.id as MessageId, options)
      const absent = 'This node knows no final message with this id.'
      return options.withTrie ? sendProof(reply, text, absent) : sendFixedProof(request, reply, text, absent)
    },
  )
}

function addNamespaceBlock(scope: FastifyInstance, { ports }: ApiContext): void {
  const schema = {
    operationId: 'getNamespaceBlock',
    summary: "A namespace's messages in one block, with proof that none is missing, or that there are none",
    tags,
    params: objectOf({ namespace: namespaceParam, height: heightParam }),
    response: fixedProofReply('NamespaceProof', 'A proof for one block.'),
  }
  scope.get<{ Params: { namespace: string; height: string } }>(
    '/v1/namespaces/:namespace/blocks/:height',
    { schema },
    async (request, reply) => {
      const { namespace, height } = request.params
      demandNamespace(namespace)
      const text = await ports.namespaceProof(namespace, { from: Number(height), count: 1 })
      return sendFixedProof(request, reply, text, `There is no final block ${height} yet.`)
    },
  )
}

function addNamespaceRange(scope: FastifyInstance, { ports }: ApiContext): void {
  const schema = {
    operationId: 'listNamespaceBlocks',
    summary: "A namespace's messages in consecutive blocks, with proof that none is missing",
    description:
      'One finalization for all of the blocks; each that lacks the namespace is proven to. Ends early at the latest ' +
      'block, or where much was read: go on after the last height proven.',
    tags,
    params: objectOf({ namespace: namespaceParam }),
    querystring: objectOf(
      {
        from: { ...heightParam, description: 'The first height.' },
        limit: numberText(`The most blocks wanted, at most ${maxNamespaceBlocks}; 100 where absent.`),
      },
      { optional: ['limit'] },
    ),
    response: proofReply('NamespaceProof', 'A proof for the blocks.'),
  }
  scope.get<{ Params: { namespace: string }; Querystring: { from: string; limit?: string } }>(
    '/v1/namespaces/:namespace/blocks',
    { schema },
    async (request, reply) => {
      const { namespace } = request.params
      demandNamespace(namespace)
      const count = numberOf(request.query.limit, { fallback: 100, max: maxNamespaceBlocks })
      const from = Number(request.query.from)
      const text = await ports.namespaceProof(namespace, { from, count: Math.max(1, count) })
      return sendProof(reply, text, `There is no final block ${from} yet.`)
    },
  )
}

function addTrie(scope: FastifyInstance, { ports }: ApiContext): void {
  const schema = {
    operationId: 'getTrieProof',
    summary: 'Proof that a key is in the trie, or that it is not',
    tags,
    params: objectOf({ key: hexHash }),
    querystring: objectOf(
      {
        height: {
          ...heightParam,
          description: 'Of which header; absent: the latest. Those of the 64 before it are kept.',
        },
      },
      { optional: ['height'] },
    ),
    response: fixedProofReply('TrieProof', 'The proof, of inclusion or absence.'),
  }
  scope.get<{ Params: { key: string }; Querystring: { height?: string } }>(
    '/v1/trie/:key/proof',
    { schema },
    async (request, reply) => {
      const { height } = request.query
      const key = hexToBytes(request.params.key)
      const proof = await ports.trieProof(key, height === undefined ? undefined : Number(height))
      if (proof === 'too-old') {
        throw new ApiError(
          'not-found',
          `The trie of block ${height} is no longer kept; those of the last 65 are.`,
        )
      }
      if (height === undefined) return sendProof(reply, proof, 'There is no final block yet.')
      return sendFixedProof(request, reply, proof, `There is no final block ${height} yet.`)
    },
  )
}

function addHeaders(scope: FastifyInstance, { ports }: ApiContext): void {
  const schema = {
    operationId: 'listHeaders',
    summary: 'Consecutive headers, with what made the last of them final: all that a light client needs',
    tags,
    querystring: objectOf(
      {
        from: { ...heightParam, description: 'The first height.' },
        limit: numberText(`The most headers wanted, at most ${maxHeaders}; 100 where absent.`),
      },
      { optional: ['limit'] },
    ),
    response: proofReply('HeaderChain', 'At least one header.'),
  }
  scope.get<{ Querystring: { from: string; limit?: string } }>(
    '/v1/headers',
    { schema },
    async (request, reply) => {
      const count = numberOf(request.query.limit, { fallback: 100, max: maxHeaders })
      const from = Number(request.query.from)
      const text = await ports.headers({ from, count: Math.max(1, count) })
      return sendProof(reply, text, `There is no final block ${from} yet.`)
    },
  )
}

function proofReply(name: string, description: string): Record<number, Schema> {
  return { ...problems(['invalid-parameter', 'not-found']), 200: json(description, ref(name)) }
}

/** Of routes that may answer with what never changes. */
function fixedProofReply(name: string, description: string): Record<number, Schema> {
  return { ...proofReply(name, description), 304: noContent }
}

/** What it proves stays so; another node may prove it with the votes of another quorum. */
function sendFixedProof(
  request: FastifyRequest,
  reply: FastifyReply,
  text: string | undefined,
  absent: string,
): FastifyReply {
  if (text === undefined) throw new ApiError('not-found', absent)
  const tag = createHash('sha256').update(text).digest('hex')
  return sendTagged(request, reply, { tag, cacheControl: immutable, text: () => text })
}

function sendProof(reply: FastifyReply, text: string | undefined, absent: string): FastifyReply {
  if (text === undefined) throw new ApiError('not-found', absent)
  return sendJson(reply, text)
}

function demandNamespace(namespace: string): void {
  if (namespace.isWellFormed() && Buffer.byteLength(namespace) <= maxNamespaceBytes) return
  throw new ApiError('invalid-parameter', `A namespace has 1 to ${maxNamespaceBytes} bytes of UTF-8.`)
}
