// The scrape config, the alert rules and the dashboards' queries in a real Prometheus, over four real nodes. Needs the
// programs prometheus and promtool.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { dashboardQueries } from '../support/dashboards.ts'
import { aLocalNetwork, freePorts, type LocalNetwork, until } from '../support/local-network.ts'

const config = fileURLToPath(new URL('../../config', import.meta.url))
const isThere = ['prometheus', 'promtool'].every((name) => spawnSync(name, ['--version']).status === 0)
const skip = isThere ? false : 'prometheus is missing'

test('the rules load and are evaluated, every query of the dashboards has data, and a dead node is alarming', {
  skip,
  timeout: 240_000,
}, async (context) => {
  const network = await aLocalNetwork(context)
  const query = await aPrometheus(context, network)
  const stopSending = keepSending(network)
  context.after(stopSending)

  const rules = async () => {
    const { groups } = (await query('rules')) as { groups: { rules: { health: string }[] }[] }
    return groups.flatMap((group) => group.rules)
  }
  assert.ok((await rules()).length >= 15)
  await until(async () => (await rules()).every(({ health }) => health === 'ok'))

  for (const expression of dashboardQueries({ rateInterval: '15s' })) {
    await until(async () => {
      const { result } = (await query(`query?query=${encodeURIComponent(expression)}`)) as {
        result: unknown[]
      }
      return result.length > 0
    })
  }

  await network.stop(3)
  const isAlarming = async () => {
    const { alerts } = (await query('alerts')) as { alerts: { labels: { alertname: string } }[] }
    return alerts.some(({ labels }) => labels.alertname === 'DiseqNodeDown')
  }
  await until(isAlarming)
})

test('promtool finds nothing wrong with the rules and the scrape config', { skip }, () => {
  for (const [kind, file] of [
    ['rules', 'alerts.yml'],
    ['config', 'prometheus.yml'],
  ] as const) {
    const { status, stdout, stderr } = spawnSync(
      'promtool',
      ['check', kind, join(config, 'prometheus', file)],
      {
        encoding: 'utf8',
      },
    )
    assert.equal(status, 0, stdout + stderr)
  }
})

/** With the shipped config, but for where the nodes are and how often they are asked. Answers its API's requests. */
async function aPrometheus(
  context: TestContext,
  { addresses, folder }: LocalNetwork,
): Promise<(path: string) => Promise<unknown>> {
  const home = mkdtempSync(join(tmpdir(), 'diseq-prometheus-'))
  cpSync(join(config, 'prometheus'), home, { recursive: true })
  let text = readFileSync(join(home, 'prometheus.yml'), 'utf8').replace(/: 5s/g, ': 1s')
  for (const [index, address] of addresses.entries())
    text = text.replace(`node${index}:8080`, address.replace('http://', ''))
  writeFileSync(join(home, 'prometheus.yml'), text)
  const port = await freePorts(1)
  const args = [`--config.file=${home}/prometheus.yml`, `--storage.tsdb.path=${folder}/tsdb`]
  const child = spawn('prometheus', [...args, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' })
  context.after(async () => {
    await ended(child)
    rmSync(home, { recursive: true })
  })
  const address = `http://127.0.0.1:${port}`
  await until(async () => (await fetch(`${address}/-/ready`).catch(() => undefined))?.ok === true)
  return async (path) => {
    const reply = (await (await fetch(`${address}/api/v1/${path}`)).json()) as {
      status: string
      data: unknown
    }
    assert.equal(reply.status, 'success', path)
    return reply.data
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('close', () => resolve())
    child.kill()
  })
}

function keepSending({ client }: LocalNetwork): () => void {
  const controller = new AbortController()
  void (async () => {
    while (!controller.signal.aborted) {
      const data = crypto.getRandomValues(new Uint8Array(40))
      await client.send([{ data }], { isFinalAwaited: true }).catch(() => undefined)
    }
  })()
  return () => controller.abort()
}
