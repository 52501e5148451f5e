// A network of its own for `diseq bench`: four validators on free ports, in a folder that is deleted afterwards.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, openSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MeasuredProcess } from '../bench/index.ts'
import { formatHostPort } from '../node/config.ts'
import { defaultTestnetOptions, makeTestnet, type TestnetNode } from '../node/testnet.ts'
import { Failure } from './errors.ts'
import { nodeArguments, nodeEnvironment } from './node-process.ts'

const readyTimeoutMs = 60_000
const stopTimeoutMs = 30_000

export interface BenchNetworkOptions {
  readonly validators: number
  /** Folder for a CPU profile of each node; absent: none are made. */
  readonly profileTo: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

interface BenchNode {
  readonly node: TestnetNode
  readonly child: ChildProcess
}

export class BenchNetwork {
  readonly #folder: string
  readonly #nodes: readonly BenchNode[]

  private constructor(folder: string, nodes: readonly BenchNode[]) {
    this.#folder = folder
    this.#nodes = nodes
  }

  /** Resolves once every node is connected to a quorum. @throws Failure where that takes too long. */
  static async start(options: BenchNetworkOptions): Promise<BenchNetwork> {
    const folder = mkdtempSync(join(tmpdir(), 'diseq-bench-'))
    const { validators } = options
    const basePort = await freePorts(2 * validators)
    const ports = { baseHttpPort: basePort, baseP2pPort: basePort + validators }
    const testnet = makeTestnet(
      join(folder, 'network'),
      { ...defaultTestnetOptions, chain: 'bench', validators, ...ports },
      Date.now(),
    )
    const nodes = testnet.nodes.map((node) => ({ node, child: spawnNode(node, options) }))
    const network = new BenchNetwork(folder, nodes)
    try {
      await network.#untilReady()
    } catch (error) {
      await network.stop()
      throw error
    }
    return network
  }

  get addresses(): readonly string[] {
    return this.#nodes.map(({ node }) => addressOf(node))
  }

  get processes(): readonly MeasuredProcess[] {
    return this.#nodes.flatMap(({ node, child }) =>
      child.pid === undefined ? [] : [{ name: node.name, pid: child.pid }],
    )
  }

  /** Ends a node as a crash would. */
  kill(index: number): void {
    this.#nodes[index]?.child.kill('SIGKILL')
  }

  /** Ends the nodes and deletes what they wrote. */
  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map(({ child }) => ended(child)))
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #untilReady(): Promise<void> {
    const deadlineMs = performance.now() + readyTimeoutMs
    for (const { node, child } of this.#nodes) {
      while (!(await isReady(addressOf(node)))) {
        if (child.exitCode !== null) throw new Failure(`${node.name} of the measured network ended`)
        if (performance.now() > deadlineMs)
          throw new Failure('the measured network is not ready after a minute')
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
  }
}

function spawnNode(node: TestnetNode, { profileTo, env }: BenchNetworkOptions): ChildProcess {
  const profiling =
    profileTo === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${profileTo}`, `--cpu-prof-name=${node.name}.cpuprofile`]
  const log = openSync(join(node.home, 'bench.log'), 'a')
  return spawn(process.execPath, nodeArguments(node.home, profiling), {
    stdio: ['ignore', 'ignore', log],
    env: nodeEnvironment(env),
  })
}

async function isReady(address: string): Promise<boolean> {
  try {
    const reply = await fetch(`${address}/v1/status`)
    const { isReady: ready } = (await reply.json()) as { isReady?: boolean }
    return ready === true
  } catch {
    // It does not listen yet.
    return false
  }
}

/** Asks a process to end, and ends it where it does not. */
export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    child.kill('SIGTERM')
  })
}

/** The first of so many ports in a row that nobody listens on. */
export async function freePorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const base = 20_000 + Math.floor(Math.random() * 10_000)
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(base + index)))
    if (free.every(Boolean)) return base
  }
  throw new Failure('found no free ports in a row on this machine')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

function addressOf(node: TestnetNode): string {
  return `http://${formatHostPort(node.http)}`
}
