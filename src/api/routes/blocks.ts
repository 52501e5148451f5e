// `/v1/blocks`: final blocks, one or a page of them. A final block never changes, so caches may keep it for good.
import type { FastifyInstance } from 'fastify'
import { blockText, dataBytesOf, idOfBlock } from '../block-json.ts'
import type { ApiContext } from '../context.ts'
import { ApiError } from '../errors.ts'
import { patterns } from '../schemas/patterns.ts'
import { json, noContent, problems } from '../schemas/routes.ts'
import { integer, listOf, nullable, objectOf, ref } from '../schemas/shared.ts'
import { immutable, numberOf, numberText, revalidate, sendJson, sendTagged } from './replies.ts'

const defaultLimit = 10
const maxLimit = 100
/** A page ends with the block that brings its message data beyond this: blocks may have megabytes each. */
const maxPageDataBytes = 4 * 1024 * 1024

export function registerBlockRoutes(scope: FastifyInstance, context: ApiContext): void {
  addBlock(scope, context)
  addPage(scope, context)
}

function addBlock(scope: FastifyInstance, { ports }: ApiContext): void {
  const schema = {
    operationId: 'getBlock',
    summary: 'A final block',
    tags: ['blocks'],
    params: objectOf({
      height: {
        type: 'string',
        pattern: patterns.heightOrLatest,
        description: 'A height, or "latest". Block 0 is genesis.',
      },
    }),
    response: {
      ...problems(['invalid-parameter', 'not-found']),
      200: json('The block.', ref('Block')),
      304: noContent,
    },
  }
  scope.get<{ Params: { height: string } }>('/v1/blocks/:height', { schema }, async (request, reply) => {
    const isLatest = request.params.height === 'latest'
    const height = isLatest ? ports.tipHeight() : Number(request.params.height)
    const block = await ports.block(height)
    if (block === undefined) throw new ApiError('not-found', `There is no final block ${height} yet.`)
    const cacheControl = isLatest ? revalidate : immutable
    return sendTagged(request, reply, { tag: idOfBlock(block), cacheControl, text: () => blockText(block) })
  })
}

function addPage(scope: FastifyInstance, { ports }: ApiContext): void {
  const schema = {
    operationId: 'listBlocks',
    summary: 'Final blocks in order of height',
    tags: ['blocks'],
    querystring: objectOf(
      {
        from: numberText('The first height; absent: such that the page ends with the latest block.'),
        limit: numberText(
          `The most blocks wanted, at most ${maxLimit}; ${defaultLimit} where absent. May be fewer.`,
        ),
      },
      { optional: ['from', 'limit'] },
    ),
    response: {
      ...problems(['invalid-parameter']),
      200: json(
        'A page. `next`: where the next one begins; null at the latest block.',
        objectOf({ blocks: listOf(ref('Block')), next: nullable(integer) }),
      ),
    },
  }
  scope.get<{ Querystring: { from?: string; limit?: string } }>(
    '/v1/blocks',
    { schema },
    async (request, reply) => {
      const limit = Math.max(1, numberOf(request.query.limit, { fallback: defaultLimit, max: maxLimit }))
      const tip = ports.tipHeight()
      const fallback = Math.max(0, tip - limit + 1)
      const from = numberOf(request.query.from, { fallback, max: Number.MAX_SAFE_INTEGER })
      const texts: string[] = []
      let dataBytes = 0
      for (
        let height = from;
        height <= tip && texts.length < limit && dataBytes < maxPageDataBytes;
        height += 1
      ) {
        const block = await ports.block(height)
        if (block === undefined) break
        dataBytes += dataBytesOf(block)
        texts.push(blockText(block))
      }
      const next = from + texts.length
      return sendJson(reply, `{"blocks":[${texts.join(',')}],"next":${next <= tip ? next : null}}`)
    },
  )
}
