// The original's routes: its replies to the byte, its statuses, our sentences where it refused, crashed or lied. They
// answer in plain text, JSON included. `/commit` and `/propose` are in `signed.ts`.
import type { FastifyInstance } from 'fastify'
import type { ApiContext } from '../context.ts'
import { ApiError, errorOfRefusal } from '../errors.ts'
import { debugMessage, jsonBlock, jsonMessage, jsonStateRoot } from '../original-text.ts'
import { bodyProblems, plain } from '../schemas/routes.ts'
import { listOf } from '../schemas/shared.ts'
import { readJsonBody, readJsonBytes, schemaOfShape } from '../strict-json.ts'
import { listReply, originalRoute, readOrRefuse, sendText, takeJsonBodies } from './original-style.ts'
import { commitmentsOfHeight } from './signed.ts'

const messageShape = { data: 'bytes', timestamp: 'u32' } as const
const maxU32 = 0xffff_ffff
const keyBits = 256
const jsonMessages = listOf(schemaOfShape(messageShape))

/** Adds them to a scope of their own: how they read bodies must not reach other routes. */
export function registerOriginalRoutes(scope: FastifyInstance, context: ApiContext): void {
  takeJsonBodies(scope, context)
  addSchedule(scope, context)
  addMerkleProof(scope, context)
  addBlock(scope, context)
  addLists(scope, context)
  addTip(scope, context)
}

function addSchedule(scope: FastifyInstance, { ports }: ApiContext): void {
  const route = originalRoute({
    summary: 'Submit a message',
    description:
      'Answered once the message is on this node\'s disk. A message that is known already is "Ok" again.',
    body: schemaOfShape(messageShape),
    response: { 200: plain('Accepted.', { pattern: '^\\[Ok\\] Message is being sequenced: Message \\{' }) },
    refusals: [...bodyProblems, 'message-too-large', 'pool-full'],
  })
  scope.post('/schedule', route, async (request, reply) => {
    const message = readOrRefuse(readJsonBody(request.body as Uint8Array, messageShape))
    const submission = await ports.submitMessages([message], { address: request.ip })
    if (submission.kind === 'refused') throw errorOfRefusal(submission)
    return sendText(reply, `[Ok] Message is being sequenced: ${debugMessage(message)}`)
  })
}

function addMerkleProof(scope: FastifyInstance, context: ApiContext): void {
  const { ports, waits, options } = context
  const timeoutMs = options.merkleProofTimeoutMs
  const route = originalRoute({
    summary: 'Proof of a message against the latest state root',
    description: `The body is the message's key, as 256 numbers. A message that is pending is waited for up to ${timeoutMs} ms.`,
    body: listOf({ type: 'integer', minimum: 0, maximum: 1 }, { minItems: keyBits, maxItems: keyBits }),
    response: { 200: plain('The proof, as JSON.', { pattern: '^\\{"nodes":\\[' }) },
    refusals: [...bodyProblems, 'not-found'],
  })
  scope.post('/merkle_proof', route, async (request, reply) => {
    const key = keyOfBits(readOrRefuse(readJsonBytes(request.body as Uint8Array)))
    const proof = await ports.merkleProof(key)
    if (proof !== undefined) return sendText(reply, proof)

    const wait = { response: reply.raw, timeoutMs }
    const isThere = await waits.run(wait, (signal) => ports.waitForKey(key, signal))
    if (isThere === undefined) {
      throw new ApiError('busy', 'Too many requests wait already; try again shortly.', {
        retryAfterSeconds: 1,
      })
    }
    const proofAfterWait = isThere ? await ports.merkleProof(key) : undefined
    if (proofAfterWait !== undefined) return sendText(reply, proofAfterWait)
    throw new ApiError('not-found', 'No final message has this key, and no pending one became final in time.')
  })
}

function addBlock(scope: FastifyInstance, { ports }: ApiContext): void {
  const route = originalRoute({
    summary: 'A block',
    params: { type: 'object', properties: { height: { type: 'integer', minimum: 0, maximum: maxU32 } } },
    response: {
      200: plain('The block as JSON, or a warning where there is none.', {
        pattern: '^(\\{"height":|\\[Warning\\] Requested Block that does not exist$)',
      }),
    },
    refusals: ['invalid-parameter'],
  })
  scope.get<{ Params: { height: string } }>('/get/block/:height', route, async (request, reply) => {
    const { height: text } = request.params
    if (text === '') return reply.callNotFound()
    // As Rust reads a u32: a plus sign and leading zeros are fine.
    const height = /^\+?[0-9]+$/.test(text) ? Number(text) : Number.NaN
    if (!(height <= maxU32)) {
      throw new ApiError(
        'invalid-parameter',
        `The height ${JSON.stringify(text)} is not an integer from 0 to ${maxU32}.`,
      )
    }
    const block = await ports.block(height)
    if (block === undefined) return sendText(reply, '[Warning] Requested Block that does not exist')
    const votingKeys = ports.validators().validators.map(({ votingKey }) => votingKey)
    return sendText(reply, jsonBlock(block, votingKeys))
  })
}

function addLists(scope: FastifyInstance, { ports }: ApiContext): void {
  const pool = originalRoute({
    summary: "The pool's messages",
    response: { 200: plain('As Rust prints them, or as JSON.', { pattern: '^\\[', also: jsonMessages }) },
  })
  scope.get('/get/pool', pool, (request, reply) => {
    const messages = ports.pool({}).messages.map(({ message }) => message)
    return listReply(request, reply, { items: messages, asText: debugMessage, asJson: jsonMessage })
  })
  const commitments = originalRoute({
    summary: 'The pool commitments and votes of the height under way',
    response: {
      200: plain('As Rust would print them, or as the JSON that /commit takes.', {
        pattern: '^\\[',
        also: commitmentsOfHeight.schema,
      }),
    },
  })
  scope.get('/get/commitments', commitments, (request, reply) => {
    const votingKeys = ports.validators().validators.map(({ votingKey }) => votingKey)
    const items = commitmentsOfHeight.list(ports.commitments(), votingKeys)
    return listReply(request, reply, { items, ...commitmentsOfHeight.forms })
  })
}

function addTip(scope: FastifyInstance, { ports }: ApiContext): void {
  const height = originalRoute({
    summary: 'The number of blocks, genesis included',
    response: { 200: plain('A number.', { pattern: '^[1-9][0-9]*$' }) },
  })
  scope.get('/get/height', height, (_request, reply) => sendText(reply, String(ports.tipHeight() + 1)))
  const stateRoot = originalRoute({
    summary: "The root of the trie of all final messages' data",
    response: { 200: plain('JSON; with the hash null while there is none.', { pattern: '^\\{"hash":' }) },
  })
  scope.get('/get/state_root_hash', stateRoot, async (_request, reply) =>
    sendText(reply, jsonStateRoot(await ports.stateRoot())),
  )
}

/** 32 bytes of 256 bits, the most significant first. */
function keyOfBits(bits: Uint8Array): Uint8Array {
  if (bits.length !== keyBits || bits.some((bit) => bit > 1)) {
    throw new ApiError('invalid-body', `A key is an array of ${keyBits} numbers, each 0 or 1.`)
  }
  const key = new Uint8Array(keyBits / 8)
  for (const [index, bit] of bits.entries())
    key[index >> 3] = (key[index >> 3] ?? 0) | (bit << (7 - (index & 7)))
  return key
}
