// `/v1/messages`: submit one message, a list, or a stream of lines; wait for them if asked; look one up.
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { MessageId } from '../../types/index.ts'
import { parseJson } from '../body.ts'
import { type ApiContext, readWholeBody } from '../context.ts'
import { ApiError, errorOfRefusal } from '../errors.ts'
import { type MessageInput, messageOfInput } from '../message-input.ts'
import type { MessageState } from '../ports.ts'
import { bodyProblems, json, problems } from '../schemas/routes.ts'
import { hexHash, listOf, objectOf, ref } from '../schemas/shared.ts'
import { submitLines } from '../streamed-messages.ts'
import { sendJson } from './replies.ts'

export const streamedType = 'application/x-ndjson'

export function registerMessageRoutes(scope: FastifyInstance, context: ApiContext): void {
  scope.addContentTypeParser('application/json', async (request: FastifyRequest, payload: Readable) =>
    parseJson(await readWholeBody(context, request, payload), 'The body'),
  )
  // Handed on as a stream: its lines are read one by one.
  scope.addContentTypeParser(streamedType, async (_request: FastifyRequest, payload: Readable) => payload)
  addSubmit(scope, context)
  addLookUp(scope, context)
}

interface SubmitRoute {
  Body: MessageInput | readonly MessageInput[] | Readable | undefined
  Querystring: { wait?: 'final'; receipt?: 'true' | 'false' }
}

function addSubmit(scope: FastifyInstance, context: ApiContext): void {
  const { maxMessagesPerRequest, maxStreamedMessages, waitFinalTimeoutMs } = context.options
  const list = listOf(ref('MessageInput'), { minItems: 1, maxItems: maxMessagesPerRequest })
  const schema = {
    operationId: 'submitMessages',
    summary: 'Submit messages',
    description:
      "One message, a list (all are taken or none), or lines of JSON. Answered 202 once they are on this node's disk; " +
      'sending the same message again gives the same id. Lines are taken in groups, and read as fast as there is room: where one is refused, the reply ' +
      `names it and the ids of those before it that were accepted. At most ${maxStreamedMessages} lines.`,
    tags: ['messages'],
    querystring: objectOf(
      {
        wait: {
          type: 'string',
          enum: ['final'],
          description: `Answer once all are final, or no longer can be; after ${waitFinalTimeoutMs} ms 202 all the same.`,
        },
        receipt: {
          type: 'string',
          enum: ['true', 'false'],
          description: "true: with the node's signed word that it has them, one signature for the request.",
        },
      },
      { optional: ['wait', 'receipt'] },
    ),
    body: {
      content: {
        'application/json': { schema: { anyOf: [ref('MessageInput'), list] } },
        [streamedType]: { schema: ref('MessageInput') },
      },
    },
    response: {
      ...problems([
        ...bodyProblems,
        'invalid-parameter',
        'message-too-large',
        'too-many-messages',
        'expired',
        'invalid-namespace',
        'reserved-namespace-invalid',
        'pool-full',
      ]),
      200: json(
        'With wait=final: where each is.',
        objectOf(
          { messages: listOf(ref('MessageState')), receipt: ref('Receipt') },
          { optional: ['receipt'] },
        ),
      ),
      202: json(
        "Accepted: on this node's disk, and on its way. In the order sent.",
        objectOf({ ids: listOf(hexHash), receipt: ref('Receipt') }, { optional: ['receipt'] }),
      ),
    },
  }
  scope.post<SubmitRoute>('/v1/messages', { schema }, async (request, reply) => {
    const ids = await submit(context, request, reply)
    // Its time is that of the promise, not of a wait's end.
    const receipt = request.query.receipt === 'true' ? `,"receipt":${context.ports.receipt(ids)}` : ''
    if (request.query.wait === 'final') {
      const states = await waitForFinal(context, reply, ids)
      if (states !== undefined) return sendJson(reply, `{"messages":${stateListText(ids, states)}${receipt}}`)
    }
    return sendJson(reply.code(202), `{"ids":[${ids.length === 0 ? '' : `"${ids.join('","')}"`}]${receipt}}`)
  })
}

async function submit(
  context: ApiContext,
  request: FastifyRequest<SubmitRoute>,
  reply: FastifyReply,
): Promise<readonly MessageId[]> {
  const { body } = request
  if (body === undefined)
    throw new ApiError('unsupported-media-type', 'The request has no body and no content type.')
  if (request.headers['content-type']?.toLowerCase().startsWith(streamedType) === true) {
    return submitLines(context, request, { payload: body as Readable, response: reply.raw })
  }
  const inputs = Array.isArray(body) ? (body as readonly MessageInput[]) : [body as MessageInput]
  const submission = await context.ports.submitMessages(inputs.map(messageOfInput), { address: request.ip })
  if (submission.kind === 'refused') throw errorOfRefusal(submission)
  return submission.ids
}

/** States once none is pending; undefined where that takes too long, or too many wait already: then 202 is the truth. */
async function waitForFinal(
  { waits, finality, options }: ApiContext,
  reply: FastifyReply,
  ids: readonly MessageId[],
): Promise<readonly MessageState[] | undefined> {
  if (!finality.hasRoomFor(ids.length)) return undefined
  const wait = { response: reply.raw, timeoutMs: options.waitFinalTimeoutMs }
  const states = await waits.run(wait, (signal) => finality.settled(ids, signal))
  return states?.some(({ state }) => state === 'pending') === true ? undefined : states
}

function stateListText(ids: readonly MessageId[], states: readonly MessageState[]): string {
  return JSON.stringify(ids.map((id, index) => ({ id, ...states[index] })))
}

function addLookUp(scope: FastifyInstance, { ports }: ApiContext): void {
  const schema = {
    operationId: 'getMessage',
    summary: 'Where a message is',
    tags: ['messages'],
    params: objectOf({ id: hexHash }),
    response: {
      ...problems(['invalid-parameter', 'not-found']),
      200: json('Its state; with its place once it is final.', ref('MessageState')),
    },
  }
  scope.get<{ Params: { id: string } }>('/v1/messages/:id', { schema }, async (request, reply) => {
    const id = request.params.id as MessageId
    const [state] = await ports.messageStates([id])
    if (state === undefined || state.state === 'unknown') {
      throw new ApiError('not-found', 'This node knows no message with this id.')
    }
    return sendJson(reply, JSON.stringify({ id, ...state }))
  })
}
