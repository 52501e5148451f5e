// `/openapi.json` in another program's hands: schemathesis (PyPI) sends running nodes what it describes and what it
// does not, and holds every reply against it.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { aLocalNetwork } from '../support/local-network.ts'
import { runProgram } from '../support/run-program.ts'

const isThere = spawnSync('schemathesis', ['--version']).status === 0
const skip = isThere ? false : 'schemathesis is missing'

interface Document {
  readonly paths: Record<string, unknown>
}

test('replies to thousands of generated requests, good and bad, are as the description says', {
  skip,
  timeout: 300_000,
}, async (context) => {
  const { addresses, client, folder } = await aLocalNetwork(context)
  const [address = ''] = addresses
  const data = new TextEncoder().encode('to be found')
  const [state] = await client.send([{ data, namespace: 'found' }], { isFinalAwaited: true })
  assert(state?.height !== undefined)

  const described = (await (await fetch(`${address}/openapi.json`)).json()) as Document
  const description = join(folder, 'openapi.json')
  writeFileSync(description, JSON.stringify(withoutTuples(withoutStream(described))))
  const config = join(folder, 'schemathesis.toml')
  writeFileSync(config, configFor(state.id, state.height))

  const args = ['--config-file', config, '--no-color', 'run', description, '--url', address]
  args.push('--max-examples', '50', '--continue-on-failure', '--request-timeout', '15')
  const { code, out, err } = await runProgram(context, 'schemathesis', args, { cwd: folder })
  const output = `${out}${err}`
  assert.equal(code, 0, output)
  const [, generated = '0', passed = ''] = /(\d+) generated, (\d+) passed/.exec(output) ?? []
  assert.ok(Number(generated) > 1_000, output)
  assert.equal(passed, generated)
  context.diagnostic(`${generated} requests`)
})

/** It answers without an end: test/unit/api/stream.test.ts. */
function withoutStream(document: Document): Document {
  const { '/v1/stream': stream, ...paths } = document.paths
  assert.ok(stream !== undefined)
  return { ...document, paths }
}

/** schemathesis reads the tuples of JSON schema 2020-12 as those of older drafts, and then refuses them. Our own tests
 *  check them as they are. */
function withoutTuples<T>(document: T): T {
  return JSON.parse(JSON.stringify(document), (_key, value: Record<string, unknown>) => {
    if (!Array.isArray(value?.prefixItems)) return value
    const { prefixItems, ...rest } = value
    return { ...rest, items: { anyOf: prefixItems } }
  }) as T
}

/** What no schema can say is not taken for a fault: signatures that verify, heights that have not passed, and that the
 *  original told 120 from 120.0. */
function configFor(id: string, height: number): string {
  return `
[[operations]]
include-tag = "original"
checks.positive_data_acceptance.enabled = false

[[operations]]
include-path = "/v1/messages"
checks.positive_data_acceptance.expected-statuses = ["2xx", "422"]

[[operations]]
include-path-regex = "^/v1/messages/"
parameters = { "path.id" = "${id}" }

[[operations]]
include-path-regex = "^/v1/namespaces/"
parameters = { "path.namespace" = "found", "path.height" = "${height}" }

# It follows links of its own making, such as from block 0 to proofs, which begin with block 1.
[phases.stateful]
checks.positive_data_acceptance.enabled = false
`
}

/** Without holding up this process: the nodes run in it. */
