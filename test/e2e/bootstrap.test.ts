// A network whose nodes know nobody but a bootstrap peer: it forms, goes on without it, and comes together again from
// what each node remembers on its disk.
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Client } from '../../src/client/index.ts'
import { loadConfig } from '../../src/node/config.ts'
import { makeHome } from '../../src/node/home.ts'
import { publicKeysOf, randomKeys, readKeys, writeKeys } from '../../src/node/keys.ts'
import { createLogger } from '../../src/node/log.ts'
import { type RunningNode, startNode } from '../../src/node/node.ts'
import { makeTestnet } from '../../src/node/testnet.ts'
import { freePorts, untilReady } from '../support/local-network.ts'

const bootstrapFolder = fileURLToPath(new URL('../../bootstrap', import.meta.url))

async function startHome(home: string, flags: Record<string, string> = {}): Promise<RunningNode> {
  const config = loadConfig({ home, flags: { logLevel: 'silent', ...flags }, env: {} })
  return startNode({ home, config, log: createLogger(config) })
}

async function aJoinedNetwork(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'diseq-bootstrap-'))
  const running = new Set<RunningNode>()
  context.after(async () => {
    await Promise.all([...running].map((node) => node.stop()))
    rmSync(folder, { recursive: true })
  })
  const base = await freePorts(9)
  const home = join(folder, 'bootstrap')
  writeKeys(home, randomKeys())
  const address = `/ip4/127.0.0.1/tcp/${base + 8}/p2p/${publicKeysOf(readKeys(home)).peerId}`
  const testnet = makeTestnet(
    join(folder, 'net'),
    {
      chain: 'test',
      validators: 4,
      faultModel: 'byzantine',
      baseHttpPort: base,
      baseP2pPort: base + 4,
      bootstrap: [address],
    },
    Date.now(),
  )
  makeHome({ home, genesis: testnet.genesis, config: {} })
  // The published config, on a port of the test's.
  copyFileSync(join(bootstrapFolder, 'config.yaml'), join(home, 'config.yaml'))
  const bootstrap = await startHome(home, {
    p2p: `/ip4/127.0.0.1/tcp/${base + 8}`,
    http: '127.0.0.1:0',
  })
  running.add(bootstrap)
  const startAll = async () => {
    const nodes = await Promise.all(testnet.nodes.map((node) => startHome(node.home)))
    for (const node of nodes) running.add(node)
    await Promise.all(nodes.map(({ httpAddress }) => untilReady(httpAddress)))
    return nodes
  }
  const stop = async (node: RunningNode) => {
    running.delete(node)
    await node.stop()
  }
  return { bootstrap, startAll, stop }
}

test('a network forms through its bootstrap peer, goes on after its death and remembers its peers', {
  timeout: 120_000,
}, async (context) => {
  const { bootstrap, startAll, stop } = await aJoinedNetwork(context)
  const nodes = await startAll()
  const send = async (node: RunningNode | undefined, text: string) => {
    const client = new Client({ nodes: [node?.httpAddress ?? ''] })
    const [state] = await client.send([{ data: new TextEncoder().encode(text) }], { isFinalAwaited: true })
    return state?.state
  }
  assert.equal(await send(nodes[0], 'with it'), 'final')
  // It follows the chain that it helps to form.
  assert.equal(await send(bootstrap, 'through it'), 'final')

  await stop(bootstrap)
  assert.equal(await send(nodes[1], 'without it'), 'final')

  for (const node of nodes) await stop(node)
  const again = await startAll()
  assert.equal(await send(again[2], 'from memory'), 'final')
})

test('the notes name files and options that are there', () => {
  const notes = readFileSync(join(bootstrapFolder, 'README.md'), 'utf8')
  for (const [, name = ''] of notes.matchAll(/^\| `([a-z.]+)` \|/gm))
    readFileSync(join(bootstrapFolder, name))
  const config = loadConfig({ home: bootstrapFolder, flags: {}, env: {} })
  assert.equal(config.http.host, '127.0.0.1')
})
