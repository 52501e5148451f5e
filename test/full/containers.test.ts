// compose.yaml for real: built, started, fed with real messages, and its nodes killed, cut off, removed and made again.
// Needs a container engine with Compose, and the base image (from a registry, or made before).
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Client } from '../../src/client/index.ts'
import { dashboardQueries } from '../support/dashboards.ts'
import { freePorts, until, untilReady } from '../support/local-network.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'diseq-containers-'))
const project = 'diseq-test'
const compose = composeCommand()
const skip = reasonToSkip()
const override = join(scratch, 'ports.yaml')

after(() => {
  if (skip === false) composeRun('--profile', '*', 'down', '--volumes', '--timeout', '5')
  rmSync(scratch, { recursive: true })
})

const transactions = readFileSync(join(root, 'test/data/ethereum-mainnet-transactions.hex'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => Uint8Array.from(Buffer.from(line.replace(/^0x/, ''), 'hex')))

test('a network in containers takes real messages and outlives what is done to its nodes', {
  skip,
  timeout: 600_000,
}, async () => {
  const addresses = await start()
  const [first = '', , , fourth = ''] = addresses
  const client = new Client({ nodes: addresses })
  const counts = countMessages(addresses)
  const sent = transactions.length
  let turn = 0
  /** A message from each of the nodes named, final within the test's time. */
  const send = async (...nodes: number[]) => {
    turn += 1
    for (const node of nodes) {
      const data = new TextEncoder().encode(`turn ${turn} node ${node}`)
      const one = new Client({ nodes: [addresses[node] ?? ''] })
      const [state] = await one.send([{ data }], { isFinalAwaited: true })
      assert.equal(state?.state, 'final')
    }
  }

  for (let at = 0; at < sent; at += 200) {
    const group = transactions.slice(at, at + 200).map((data) => ({ data }))
    const states = await client.send(group, { isFinalAwaited: true })
    assert.ok(states.every(({ state }) => state === 'final'))
  }

  // Killed: its restart policy brings it back, and it catches up.
  const pid = engine('inspect', '--format', '{{.State.Pid}}', `${project}-node1-1`)
  process.kill(Number(pid), 'SIGKILL')
  await send(0, 2, 3)
  await untilReady(addresses[1] ?? '')
  await send(1)

  // Cut off: the others go on, and it knows that it does not keep up; then it catches up.
  const network = `${project}_default`
  engine('network', 'disconnect', network, `${project}-node2-1`)
  await send(0, 1, 3)
  await until(() => !isReadyInside(2))
  engine('network', 'connect', '--alias', 'node2', network, `${project}-node2-1`)
  await untilReady(addresses[2] ?? '')
  await send(2)

  // Gone with its container, but not with its volume; and the peer through which all came together is gone for good.
  composeRun('stop', 'bootstrap')
  composeRun('rm', '--stop', '--force', 'node3')
  await send(0, 1)
  composeRun('up', '--detach', '--no-build', '--no-deps', 'node3')
  await untilReady(fourth)
  await send(3)

  const { finalHeight } = await new Client({ nodes: [first] }).status()
  await until(async () => {
    const heights = await Promise.all(addresses.map((node) => new Client({ nodes: [node] }).status()))
    return heights.every((status) => status.finalHeight >= finalHeight)
  })
  const blocks = await Promise.all(addresses.map((node) => new Client({ nodes: [node] }).block(finalHeight)))
  assert.equal(new Set(blocks.map((block) => block?.id)).size, 1)

  const expected = sent + turnsOf(turn)
  await until(() => counts.ids.length >= expected)
  counts.stop()
  assert.equal(new Set(counts.ids).size, counts.ids.length, 'a message came twice')
})

/** Messages sent in the turns of the test: 3 + 1, 3 + 1, 2 + 1. */
function turnsOf(turn: number): number {
  assert.equal(turn, 6)
  return 11
}

test('with the profile monitoring, Prometheus scrapes the four nodes, and has an answer to every query of the dashboards', {
  skip: skip === false ? reasonToSkipPrometheus() : skip,
  timeout: 300_000,
}, async (context) => {
  const port = await freePorts(1)
  const image = prometheusImage()
  const service = `  prometheus:\n    image: ${image}\n    ports: !override ["127.0.0.1:${port}:9090"]\n`
  appendFileSync(override, service)
  composeRun('--profile', 'monitoring', 'up', '--detach', '--no-build', '--no-deps', 'prometheus')
  const ask = async (path: string): Promise<unknown> => {
    const reply = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`).catch(() => undefined)
    return reply?.ok === true ? ((await reply.json()) as { data: unknown }).data : undefined
  }
  await until(async () => {
    const found = (await ask('targets')) as { activeTargets: { health: string }[] } | undefined
    return found?.activeTargets.length === 4 && found.activeTargets.every(({ health }) => health === 'up')
  })
  await until(async () => {
    const found = (await ask('rules')) as { groups: { rules: { health: string }[] }[] } | undefined
    const rules = found?.groups.flatMap((group) => group.rules) ?? []
    return rules.length >= 15 && rules.every(({ health }) => health === 'ok')
  })
  const queries = dashboardQueries({ rateInterval: '1m' })
  const client = new Client({ nodes: [0, 1, 2].map((node) => `http://127.0.0.1:${publishedPort(node)}`) })
  for (const [at, query] of queries.entries()) {
    await until(async () => {
      await client.send([{ data: new TextEncoder().encode(`seen ${at}`), timestamp: Date.now() % 2 ** 32 }])
      const found = (await ask(`query?query=${encodeURIComponent(query)}`)) as
        | { result: unknown[] }
        | undefined
      return (found?.result.length ?? 0) > 0
    })
  }
  context.diagnostic(`${image}: ${queries.length} queries answered`)
})

test('each node has its own keys and nobody else’s, and runs as no root', { skip }, () => {
  const keys = [0, 1, 2, 3].map((node) => inNode(node, 'cat', '/data/keys/voting.seed'))
  assert.equal(new Set(keys).size, 4)
  for (const node of [0, 1, 2, 3]) {
    assert.equal(inNode(node, 'id', '-u'), '1000')
    assert.equal(inNode(node, 'ls', '/data/keys').split('\n').length, 2)
    const seeds = inNode(node, 'sh', '-c', 'find / -xdev -name "*.seed" 2> /dev/null || true')
    assert.equal(seeds, '')
    const mounts = engine(
      'inspect',
      '--format',
      '{{range .Mounts}}{{.Name}} {{end}}',
      `${project}-node${node}-1`,
    )
    assert.equal(mounts.trim(), `${project}_node${node}`)
  }
})

async function start(): Promise<string[]> {
  const base = await freePorts(4)
  const ports = [0, 1, 2, 3].map(
    (at) => `  node${at}:\n    ports: !override ["127.0.0.1:${base + at}:8080"]\n`,
  )
  writeFileSync(override, `services:\n${ports.join('')}`)
  buildImage()
  composeRun('up', '--detach', '--no-build', '--wait')
  return [0, 1, 2, 3].map((at) => `http://127.0.0.1:${base + at}`)
}

/** With BuildKit, or with the older builder where a client came without the former. */
function buildImage(): void {
  const built = ['1', '0'].map((kit) => () => {
    const env = { ...process.env, DOCKER_BUILDKIT: kit }
    return spawnSync('docker', ['build', '--tag', 'diseq', root], { encoding: 'utf8', env })
  })
  const problems: string[] = []
  for (const build of built) {
    const { status, stderr } = build()
    if (status === 0) return
    problems.push(stderr)
  }
  assert.fail(problems.join('\n'))
}

/** Follows the chain from its first block, whichever nodes are there. */
function countMessages(nodes: readonly string[]): { ids: string[]; stop: () => void } {
  const ids: string[] = []
  const controller = new AbortController()
  const client = new Client({ nodes })
  void (async () => {
    for await (const { messages } of client.stream({ from: 1, signal: controller.signal })) {
      for (const { id } of messages) ids.push(id)
    }
  })()
  return { ids, stop: () => controller.abort() }
}

/** What the node says of itself to its own container, wherever else it can be reached. */
function isReadyInside(node: number): boolean {
  const probe = "fetch('http://127.0.0.1:8080/health/ready').then(({ status }) => console.log(status))"
  return inNode(node, 'node', '-e', probe) === '200'
}

function publishedPort(node: number): string {
  return engine('port', `${project}-node${node}-1`, '8080').split(':').at(-1) ?? ''
}

function imageOfPrometheus(): string {
  return /image: (prom\/prometheus:\S+)/.exec(readFileSync(join(root, 'compose.yaml'), 'utf8'))?.[1] ?? ''
}

/** The image of compose.yaml; where it is out of reach, one made of the machine's own Prometheus, run in the same way. */
function prometheusImage(): string {
  const named = imageOfPrometheus()
  if (hasImage(named)) return named
  const folder = join(scratch, 'prometheus')
  mkdirSync(folder)
  copyFileSync(run('sh', ['-c', 'command -v prometheus']), join(folder, 'prometheus'))
  const lines = [
    `FROM ${baseImage()}`,
    'COPY prometheus /bin/prometheus',
    'RUN install -d -o nobody -g nogroup /prometheus',
    'USER nobody',
    'ENTRYPOINT ["/bin/prometheus"]',
    'CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]',
  ]
  writeFileSync(join(folder, 'Dockerfile'), lines.join('\n'))
  engine('build', '--tag', 'diseq-test-prometheus', folder)
  return 'diseq-test-prometheus'
}

function reasonToSkipPrometheus(): string | false {
  if (hasImage(imageOfPrometheus())) return false
  const isThere = spawnSync('prometheus', ['--version']).status === 0
  return isThere ? false : 'neither the image of Prometheus nor the program is to be had'
}

function baseImage(): string {
  return /^FROM (\S+)/m.exec(readFileSync(join(root, 'Dockerfile'), 'utf8'))?.[1] ?? ''
}

function hasImage(name: string): boolean {
  if (spawnSync('docker', ['image', 'inspect', name]).status === 0) return true
  return spawnSync('docker', ['pull', name]).status === 0
}

function inNode(node: number, ...command: string[]): string {
  return engine('exec', `${project}-node${node}-1`, ...command)
}

function engine(...args: string[]): string {
  return run('docker', args)
}

function composeRun(...args: string[]): string {
  const [command = '', ...before] = compose ?? []
  return run(command, [
    ...before,
    '--project-name',
    project,
    '-f',
    join(root, 'compose.yaml'),
    '-f',
    override,
    ...args,
  ])
}

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}\n${stderr}`)
  return stdout.trim()
}

function composeCommand(): string[] | undefined {
  const forms = [['docker', 'compose'], ['docker-compose']]
  return forms.find(([command = '', ...args]) => spawnSync(command, [...args, 'version']).status === 0)
}

function reasonToSkip(): string | false {
  if (spawnSync('docker', ['info']).status !== 0) return 'no container engine runs here'
  if (compose === undefined) return 'Compose is missing'
  return hasImage(baseImage()) ? false : `the image ${baseImage()} is out of reach`
}
