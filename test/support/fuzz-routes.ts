// The HTTP routes as a fuzz target: an input is a request line, a content type and a body. Any reply is one that the
// OpenAPI document describes, and none says that the node failed.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { callsTo } from './api-calls.ts'
import type { FuzzTarget } from './fuzz.ts'

const json = 'application/json'
const id = 'ab'.repeat(32)
const bits = JSON.stringify(Array.from({ length: 256 }, (_, at) => at % 3 === 0))
const signed = JSON.stringify({
  bytes: [1, 2, 3],
  signature: Array(64).fill(7),
  validator: Array(32).fill(1),
})

/** Real requests: of the original's routes, and of ours. The stream is left out, since its reply does not end. */
const requests: readonly (readonly [line: string, type: string, body: string])[] = [
  ['POST /schedule', json, '{"data":[1,2,3],"timestamp":0}'],
  ['POST /commit', json, signed],
  ['POST /propose', json, signed],
  ['POST /merkle_proof', json, bits],
  ['GET /get/pool', '', ''],
  ['GET /get/commitments', '', ''],
  ['GET /get/block/0', '', ''],
  ['GET /get/block/17', '', ''],
  ['GET /get/height', '', ''],
  ['GET /get/state_root_hash', '', ''],
  ['POST /v1/messages', json, '{"data":"AQID","namespace":"orders","timestamp":7,"expiresAt":99}'],
  ['POST /v1/messages', json, '[{"data":"AQID"},{"data":"","namespace":"a"}]'],
  [
    'POST /v1/messages?receipt=true',
    'application/x-ndjson',
    '{"data":"AQID"}\n{"data":"BA==","timestamp":1}\n',
  ],
  [`GET /v1/messages/${id}`, '', ''],
  [`GET /v1/messages/${id}/proof?trie=true`, '', ''],
  ['GET /v1/blocks?from=0&limit=10', '', ''],
  ['GET /v1/blocks/latest', '', ''],
  ['GET /v1/blocks/0', '', ''],
  ['GET /v1/headers?from=0&count=3', '', ''],
  ['GET /v1/namespaces/orders/blocks/1', '', ''],
  [`GET /v1/trie/${id}/proof?height=1`, '', ''],
  ['GET /v1/status', '', ''],
  ['GET /v1/validators', '', ''],
  ['GET /v1/peers', '', ''],
  ['GET /v1/pool', '', ''],
  ['GET /v1/commitments', '', ''],
  ['GET /v1/evidence', '', ''],
  ['GET /v1/genesis', '', ''],
  ['GET /health/ready', '', ''],
  ['GET /openapi.json', '', ''],
]

/** The server is closed when the test ends. */
export function routesTarget(test: TestContext): FuzzTarget {
  const { call } = callsTo(test)
  return {
    name: 'HTTP request',
    corpus: requests.map((parts) => Buffer.from(parts.join('\n'))),
    run: async (bytes) => {
      const [line = '', type = '', ...body] = Buffer.from(bytes).toString('latin1').split('\n')
      const [method = '', url = ''] = line.split(' ', 2)
      const payload = Buffer.from(body.join('\n'), 'latin1')
      // What a socket would not carry as a request line or header.
      if ((method !== 'GET' && method !== 'POST') || !/^\/[!-~]*$/.test(url) || !/^[ -~]*$/.test(type)) return
      if (url.startsWith('/v1/stream') || url.includes('wait=')) return
      const headers = type === '' ? {} : { 'content-type': type }
      const reply = await call({ method, url, headers, ...(method === 'POST' ? { payload } : {}) })
      assert.ok(reply.statusCode !== 500, `${method} ${url}: ${reply.body}`)
    },
  }
}
