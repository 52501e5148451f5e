// What machines and people look at first: the probes, the metrics, the API's description, and a page with links.
import type { FastifyInstance } from 'fastify'
import type { ApiContext } from '../context.ts'
import { ApiError } from '../errors.ts'
import { json, problems } from '../schemas/routes.ts'
import { objectOf } from '../schemas/shared.ts'
import { plainProblems, sendJson } from './replies.ts'

const tags = ['service']

export function registerProbes(scope: FastifyInstance, { ports }: ApiContext): void {
  const probe = (status: string): object => objectOf({ status: { type: 'string', enum: [status] } }) as object
  const live = {
    summary: 'Whether the process runs',
    tags,
    response: { ...plainProblems, 200: json('It does.', { ...probe('live') }) },
  }
  scope.get('/health/live', { schema: live }, (_request, reply) => sendJson(reply, '{"status":"live"}'))

  const ready = {
    summary: 'Whether the node keeps up with the chain',
    description: 'One that does not takes messages all the same.',
    tags,
    response: { ...problems(['not-ready']), 200: json('It does.', { ...probe('ready') }) },
  }
  scope.get('/health/ready', { schema: ready }, (_request, reply) => {
    const readiness = ports.readiness()
    if (!readiness.isReady) throw new ApiError('not-ready', readiness.reason)
    return sendJson(reply, '{"status":"ready"}')
  })
}

/** Only where the node has metrics. */
export function registerMetrics(scope: FastifyInstance, { ports }: ApiContext): void {
  if (ports.metricsText === undefined) return
  const schema = {
    summary: 'Metrics in the text format of Prometheus',
    tags,
    response: {
      ...plainProblems,
      200: { description: 'The metrics.', content: { 'text/plain': { schema: { type: 'string' } } } },
    },
  }
  scope.get('/metrics', { schema }, async (_request, reply) => {
    const text = await ports.metricsText?.()
    return reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(text ?? '')
  })
}

/** The description is made from the routes' schemas, once all of them are there. */
export function registerDescription(scope: FastifyInstance): void {
  let text: string | undefined
  const schema = {
    summary: 'This description',
    tags,
    response: { ...plainProblems, 200: json('OpenAPI 3.1.', { type: 'object' }) },
  }
  scope.get('/openapi.json', { schema }, (_request, reply) => {
    text ??= JSON.stringify(scope.swagger())
    return sendJson(reply, text)
  })
}

export function registerHomePage(scope: FastifyInstance, { ports }: ApiContext): void {
  const schema = {
    summary: 'A page with links, for people',
    tags,
    response: {
      ...plainProblems,
      200: { description: 'The page.', content: { 'text/html': { schema: { type: 'string' } } } },
    },
  }
  scope.get('/', { schema }, (_request, reply) => {
    const { chainId, finalHeight } = ports.status()
    return reply
      .header('content-type', 'text/html; charset=utf-8')
      .header(
        'content-security-policy',
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      )
      .header('x-content-type-options', 'nosniff')
      .send(pageText(chainId, finalHeight))
  })
}

/** A chain id is a-z, 0-9 and - only: nothing in the page needs escaping. */
function pageText(chainId: string, finalHeight: number): string {
  const links = [
    ['/v1/status', 'status of this node'],
    ['/v1/blocks', 'the latest blocks'],
    ['/v1/blocks/latest', 'the last block'],
    ['/v1/validators', 'validators'],
    ['/v1/peers', 'peers'],
    ['/v1/pool', 'messages that are not final yet'],
    ['/v1/config', 'limits'],
    ['/openapi.json', 'description of the API'],
  ].map(([path, title]) => `<li><a href="${path}">${path}</a> ${title}</li>`)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${chainId}: DISEQ node</title>
<style>body{font:16px/1.6 system-ui,sans-serif;margin:3rem auto;max-width:40rem;padding:0 1rem}</style>
<h1>${chainId}</h1>
<p>A node of a DISEQ network. Its last final block is ${finalHeight}.</p>
<ul>
${links.join('\n')}
</ul>
</html>
`
}
