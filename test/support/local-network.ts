// A network of real nodes in this process: real disks, sockets and HTTP on ports that are free, all gone after the test.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from '../../src/client/index.ts'
import { loadConfig } from '../../src/node/config.ts'
import { createLogger } from '../../src/node/log.ts'
import { type RunningNode, startNode } from '../../src/node/node.ts'
import { makeTestnet, type Testnet } from '../../src/node/testnet.ts'

export interface LocalNetwork {
  readonly testnet: Testnet
  readonly folder: string
  /** Addresses of the HTTP APIs. */
  readonly addresses: readonly string[]
  readonly client: Client
  /** Starts a node that does not run. `flags`: as on the command line. */
  start(index: number, flags?: Record<string, string>): Promise<RunningNode>
  stop(index: number): Promise<void>
  running(index: number): RunningNode
}

/** All of them started, and connected well enough to make blocks. */
export async function aLocalNetwork(test: TestContext, { validators = 4 } = {}): Promise<LocalNetwork> {
  const folder = mkdtempSync(join(tmpdir(), 'diseq-network-'))
  const base = await freePorts(2 * validators)
  const ports = { baseHttpPort: base, baseP2pPort: base + validators }
  const options = { chain: 'test', faultModel: 'byzantine', validators, ...ports } as const
  const testnet = makeTestnet(join(folder, 'net'), options, Date.now())
  const nodes = new Map<number, RunningNode>()
  const addresses = testnet.nodes.map(({ http }) => `http://${http.host}:${http.port}`)
  test.after(async () => {
    await Promise.all([...nodes.values()].map((node) => node.stop()))
    rmSync(folder, { recursive: true })
  })
  const start = async (index: number, flags: Record<string, string> = {}): Promise<RunningNode> => {
    const home = testnet.nodes[index]?.home ?? ''
    const config = loadConfig({ home, flags: { logLevel: 'silent', ...flags }, env: {} })
    const node = await startNode({ home, config, log: createLogger(config) })
    nodes.set(index, node)
    return node
  }
  await Promise.all(testnet.nodes.map((_, index) => start(index)))
  await Promise.all(addresses.map((address) => untilReady(address)))
  return {
    testnet,
    folder,
    addresses,
    client: new Client({ nodes: addresses }),
    start,
    stop: async (index) => {
      await nodes.get(index)?.stop()
      nodes.delete(index)
    },
    running: (index) => {
      const node = nodes.get(index)
      if (node === undefined) throw new Error(`node ${index} does not run`)
      return node
    },
  }
}

/** Resolves once `holds` says so; asks every 50 ms, and gives up with the test's own timeout. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await pause(50)
}

export function untilReady(address: string): Promise<void> {
  return until(async () => (await fetch(`${address}/health/ready`).catch(() => undefined))?.ok === true)
}

/** The first of `count` ports in a row that nobody listens on just now. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000)
    const tried = Array.from({ length: count }, (_, at) => isFree(first + at))
    if ((await Promise.all(tried)).every((free) => free)) return first
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
