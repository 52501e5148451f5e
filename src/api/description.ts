// `/openapi.json`: OpenAPI 3.1, made from the schemas that check the input and that the tests hold the replies against.
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { allSchemas } from './schemas/all.ts'

/** To be called before any route is added. */
export function describeRoutes(app: FastifyInstance, version: string): void {
  for (const schema of allSchemas) app.addSchema(schema)
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'DISEQ node',
        version,
        description:
          'A node of a network that agrees on one order of messages. Routes below `/v1` are for new clients; those ' +
          'tagged "original" answer as the original DISEQ did, in plain text.',
      },
      tags: [
        { name: 'messages', description: 'Submitting messages and finding them again' },
        { name: 'blocks', description: 'The agreed order' },
        { name: 'proofs', description: 'What strangers can check with the genesis file alone' },
        { name: 'node', description: "This node's own view" },
        { name: 'service', description: 'Probes, metrics and this description' },
        { name: 'original', description: 'The routes of the original DISEQ, for its clients' },
      ],
    },
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) =>
        typeof json.$id === 'string' ? json.$id : `def-${index}`,
    },
  })
}
