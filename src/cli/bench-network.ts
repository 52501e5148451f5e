// A network of its own for `diseq bench`: validators on free ports, in a folder that is deleted afterwards.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, openSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MeasuredProcess } from '../bench/index.ts'
import { formatHostPort } from '../node/config.ts'
import { makeHome } from '../node/home.ts'
import { defaultTestnetOptions, makeTestnet, type Testnet, type TestnetNode } from '../node/testnet.ts'
import { Failure } from './errors.ts'
import { nodeArguments, nodeEnvironment } from './node-process.ts'

const host = '127.0.0.1'
const readyTimeoutMs = 60_000
const stopTimeoutMs = 30_000

export interface BenchNetworkOptions {
  readonly validators: number
  /** Folder for a CPU profile of each node; absent: none are made. */
  readonly profileTo: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** The main file of the program that is measured; absent: this same one. */
  readonly main?: string
}

interface BenchNode {
  readonly node: TestnetNode
  readonly child: ChildProcess
}

export interface JoinedNode {
  readonly address: string
  readonly pid: number
  /** Of `performance.now()`, when its process was started. */
  readonly startedMs: number
}

export class BenchNetwork {
  readonly #folder: string
  readonly #options: BenchNetworkOptions
  readonly #testnet: Testnet
  readonly #nodes: readonly BenchNode[]
  readonly #joined: BenchNode[] = []

  private constructor(folder: string, options: BenchNetworkOptions, testnet: Testnet) {
    this.#folder = folder
    this.#options = options
    this.#testnet = testnet
    this.#nodes = testnet.nodes.map((node) => ({ node, child: spawnNode(node, options) }))
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
    const network = new BenchNetwork(folder, options, testnet)
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

  /** Starts one more node, which has no vote and no blocks yet. It ends with the others. */
  async join(): Promise<JoinedNode> {
    const { genesis, options } = this.#testnet
    const port = await freePorts(2)
    const http = { host, port }
    const node: TestnetNode = { name: 'joining', home: join(this.#folder, 'joining'), http }
    const bootstrap = genesis.validators.map(
      ({ peerId }, index) => `/ip4/${host}/tcp/${options.baseP2pPort + index}/p2p/${peerId}`,
    )
    const p2p = [`/ip4/${host}/tcp/${port + 1}`]
    makeHome({ home: node.home, genesis, config: { http, p2p, bootstrap } })
    const startedMs = performance.now()
    const child = spawnNode(node, this.#options)
    this.#joined.push({ node, child })
    return { address: addressOf(node), pid: child.pid ?? -1, startedMs }
  }

  /** Ends a node as a crash would. */
  kill(index: number): void {
    this.#nodes[index]?.child.kill('SIGKILL')
  }

  /** Ends the nodes and deletes what they wrote. */
  async stop(): Promise<void> {
    await Promise.all([...this.#nodes, ...this.#joined].map(({ child }) => ended(child)))
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

function spawnNode(node: TestnetNode, { profileTo, env, main }: BenchNetworkOptions): ChildProcess {
  const profiling =
    profileTo === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${profileTo}`, `--cpu-prof-name=${node.name}.cpuprofile`]
  const log = openSync(join(node.home, 'bench.log'), 'a')
  return spawn(process.execPath, nodeArguments(node.home, profiling, main), {
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
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}

function addressOf(node: TestnetNode): string {
  return `http://${formatHostPort(node.http)}`
}
