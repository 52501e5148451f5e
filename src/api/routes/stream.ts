// `/v1/stream`: final blocks as Server-Sent Events, from any height on and for as long as the client listens.
import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { maxNamespaceBytes } from '../../codec/index.ts'
import type { ApiContext } from '../context.ts'
import { ApiError } from '../errors.ts'
import { problems } from '../schemas/routes.ts'
import { objectOf } from '../schemas/shared.ts'
import type { StreamSink } from '../stream/readers.ts'
import { numberText } from './replies.ts'

interface Query {
  readonly from?: string
  readonly namespace?: string
}

const description = `Server-Sent Events, one \`block\` for each final block, in order of height. The event's \`id\` is the height and its
\`data\` one line of JSON: the block as \`/v1/blocks/{height}\` shows it or, with \`namespace\`,
\`{"height","id","time","namespace","messages"}\` with that namespace's messages and their indexes in the block, and no event where
there are none.

Nothing is missed or doubled, across restarts and between nodes: a client that comes back, to this node or another, with the
header \`Last-Event-ID\` (as browsers do by themselves) or with \`from\` goes on after that height; the header counts where both
are given. A height that is not final yet is waited for. A comment is sent when there is nothing to say for 15 seconds.

A reader that does not keep up is given later what it is behind; one that takes nothing for a while gets the event
\`lagging\`, \`{"height","finalHeight"}\`, and is disconnected: it may come back and go on.`

export function registerStream(scope: FastifyInstance, context: ApiContext): void {
  const schema = {
    operationId: 'streamBlocks',
    summary: 'Final blocks as they come, from any height on',
    description,
    tags: ['blocks'],
    querystring: objectOf(
      {
        from: numberText('The first height; absent: the first block that becomes final from now on.'),
        namespace: {
          type: 'string',
          minLength: 1,
          maxLength: maxNamespaceBytes,
          description: 'Only the messages of this namespace.',
        },
      },
      { optional: ['from', 'namespace'] },
    ),
    response: {
      ...problems(['invalid-parameter']),
      200: {
        description: 'The events, without an end.',
        content: { 'text/event-stream': { schema: { type: 'string' } } },
      },
    },
  }
  const { readers, ports } = context
  scope.get<{ Querystring: Query }>('/v1/stream', { schema, exposeHeadRoute: false }, (request, reply) => {
    const { from, namespace } = request.query
    const start = startOf(request.headers['last-event-id'], from) ?? ports.tipHeight() + 1
    if (namespace !== undefined && Buffer.byteLength(namespace) > maxNamespaceBytes) {
      throw new ApiError('invalid-parameter', `A namespace has 1 to ${maxNamespaceBytes} bytes of UTF-8.`)
    }
    if (!readers.hasRoom()) {
      const sentence = 'Too many clients follow this node already; try another, or again later.'
      throw new ApiError('busy', sentence, { retryAfterSeconds: 5 })
    }
    const sink = sinkOf(openStream(reply))
    const forget = readers.add(sink, { from: start, namespace })
    reply.raw.once('close', forget)
  })
}

/** The first height wanted; the header is what a client that comes back sends, to the URL it began with. */
function startOf(lastEventId: string | string[] | undefined, from: string | undefined): number | undefined {
  if (lastEventId === undefined || lastEventId === '') return from === undefined ? undefined : Number(from)
  if (typeof lastEventId !== 'string' || !/^(0|[1-9][0-9]{0,14})$/.test(lastEventId)) {
    throw new ApiError('invalid-parameter', 'The header Last-Event-ID must be the height of a block.')
  }
  return Number(lastEventId) + 1
}

/** From here on the reply is ours: with the headers that hooks have set (CORS), without an end, as it comes. */
function openStream(reply: FastifyReply): ServerResponse {
  reply.hijack()
  const { raw } = reply
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // When a stream ends, so does its connection.
    connection: 'close',
    // Proxies that collect replies would hold events back.
    'x-accel-buffering': 'no',
  })
  raw.flushHeaders()
  return raw
}

function sinkOf(raw: ServerResponse): StreamSink {
  raw.on('error', () => raw.destroy())
  return {
    write: (bytes, flushed) => void raw.write(bytes, () => flushed()),
    end: (bytes) => void raw.end(bytes),
    destroy: () => void raw.destroy(),
  }
}
