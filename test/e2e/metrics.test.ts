// What the dashboards and alerts ask for is there, in a real node, and moves when something happens.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { aLocalNetwork, until } from '../support/local-network.ts'

const config = fileURLToPath(new URL('../../config', import.meta.url))

/** Sound nodes do not move these: they are there, at rest. */
const atRest = [
  // Only where a leader fails in its turn, which chance decides here.
  'diseq_consensus_timeouts_total',
  'diseq_consensus_view',
  'diseq_consensus_evidence_validators',
  'diseq_consensus_signatures_refused_total',
  'diseq_http_stream_let_go_total',
  'diseq_network_lowest_score',
  'diseq_network_quorum_power',
  'diseq_node_info',
  'diseq_node_signing',
  'diseq_pool_limit_bytes',
  // A few blocks are caught up with between two looks.
  'diseq_sync_blocks_behind',
]

test('every metric that a dashboard or alert names exists in a real node, and moves', {
  timeout: 120_000,
}, async (context) => {
  const names = new Set([...namesInAlerts(), ...namesInDashboards()])
  assert.ok(names.size > 30)
  const network = await aLocalNetwork(context)
  const [first = '', second = ''] = network.addresses
  const seen = new Map<string, Set<string>>()
  const look = async () => {
    for (const address of [first, second]) {
      const text = await (await fetch(`${address}/metrics`)).text()
      for (const [name, values] of valuesIn(text)) {
        const known = seen.get(name) ?? new Set()
        seen.set(name, known.add(values))
      }
    }
  }
  const send = (count: number, isFinalAwaited: boolean) =>
    network.client.send(
      Array.from({ length: count }, () => ({ data: crypto.getRandomValues(new Uint8Array(50)) })),
      { isFinalAwaited },
    )

  await look()
  // Kept until the end: a response that nobody holds is closed.
  const stream = await fetch(`${first}/v1/stream`)
  await send(100, true)
  await look()
  // Without a quorum messages wait; a node that was away is behind.
  await network.stop(3)
  await send(20, true)
  await network.stop(1)
  await fetchPost(`${first}/v1/messages`, { data: Buffer.from('waits').toString('base64') })
  await until(async () => {
    const text = await (await fetch(`${first}/metrics`)).text()
    for (const [name, values] of valuesIn(text)) seen.set(name, (seen.get(name) ?? new Set()).add(values))
    return /diseq_pool_messages [1-9]/.test(text) && /diseq_node_ready 0/.test(text)
  })
  await network.start(1)
  await network.start(3)
  await send(20, true)
  await look()
  await stream.body?.cancel()

  const missing = [...names].filter((name) => !seen.has(name))
  assert.deepEqual(missing, [], 'not in /metrics')
  const still = [...names].filter((name) => seen.get(name)?.size === 1 && !atRest.includes(name))
  assert.deepEqual(still, [], 'never moved')
})

test('every alert is explained to operators', () => {
  const text = readFileSync(join(config, '..', 'docs', 'operators.md'), 'utf8')
  assert.deepEqual(
    alertRules().filter(({ alert }) => !text.includes(alert)),
    [],
  )
})

function fetchPost(url: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
}

/** For each metric (a histogram under its own name and that of its buckets) all its values in one text. */
function valuesIn(text: string): Map<string, string> {
  const values = new Map<string, string>()
  for (const line of text.split('\n')) {
    const name = /^[a-zA-Z_:][\w:]*/.exec(line)?.[0]
    if (name !== undefined) values.set(name, `${values.get(name) ?? ''}${line}\n`)
  }
  return values
}

interface Rule {
  readonly alert: string
  readonly expr: string
}

function alertRules(): Rule[] {
  const file: { groups: { rules: Rule[] }[] } = parse(
    readFileSync(join(config, 'prometheus/alerts.yml'), 'utf8'),
  )
  return file.groups.flatMap(({ rules }) => rules)
}

function namesInAlerts(): string[] {
  return alertRules().flatMap(({ expr }) => namesIn(expr))
}

function namesInDashboards(): string[] {
  const folder = join(config, 'grafana/dashboards')
  return readdirSync(folder).flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8')
    const expressions: string[] = []
    JSON.parse(text, (key, value) => {
      if (key === 'expr') expressions.push(String(value))
      return value
    })
    return expressions.flatMap(namesIn)
  })
}

/** Metrics are named as nothing else in an expression is; `up` is Prometheus's own. */
function namesIn(expression: string): string[] {
  return expression.match(/\b(?:diseq|nodejs|process|libp2p)_\w+/g) ?? []
}
