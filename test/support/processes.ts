// Networks of real nodes for end-to-end tests: each a process with its own home, free ports and a LevelDB, talking
// libp2p on loopback. Tests wait on conditions with a deadline, never for a time; what was running ends with the test.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NodeConfig } from '../../src/node/config.ts'
import { makeGenesis } from '../../src/node/genesis.ts'
import { makeHome } from '../../src/node/home.ts'
import { type NodeKeys, publicKeysOf, randomKeys, writeKeys } from '../../src/node/keys.ts'
import { validatorRecordOf } from '../../src/node/validator-record.ts'
import type { FaultModel, Genesis } from '../../src/types/index.ts'
import { NodeProcess } from './node-process.ts'

export { NodeProcess, type Reply } from './node-process.ts'

/** A test, or a suite: what ends with it ends the network. */
export interface TestScope {
  after(end: () => Promise<void>): void
}

export interface NetworkShape {
  /** Of each validator; four of power 1 where absent. */
  readonly powers?: readonly number[]
  readonly faultModel?: FaultModel
  /** Options of every node. */
  readonly config?: Partial<NodeConfig>
  readonly logLevel?: string
  /** Which nodes a node is told of; the first two others where absent. */
  readonly bootstrap?: (index: number) => readonly number[]
}

export class TestNetwork {
  readonly genesis: Genesis
  /** Of the validators, in the order of genesis, and then of those added. */
  readonly nodes: NodeProcess[] = []
  readonly #folder: string
  readonly #shape: NetworkShape
  #isDiscarded = false

  /** Makes homes; nothing runs yet. All of it ends, cleanly or the test fails, with the test. */
  static async make(test: TestScope, shape: NetworkShape = {}): Promise<TestNetwork> {
    const powers = shape.powers ?? [1, 1, 1, 1]
    const keys = powers.map(() => randomKeys())
    const ports = await freePorts(2 * powers.length)
    const network = new TestNetwork(shape, keys)
    test.after(() => network.#close())
    const addresses = keys.map((own, index) => addressOf(ports[2 * index + 1] ?? 0, own))
    for (const [index, own] of keys.entries()) {
      const others =
        shape.bootstrap?.(index) ??
        powers
          .map((_, at) => at)
          .filter((at) => at !== index)
          .slice(0, 2)
      network.#addHome(own, {
        httpPort: ports[2 * index] ?? 0,
        p2pPort: ports[2 * index + 1] ?? 0,
        bootstrap: others.flatMap((other) => addresses[other] ?? []),
      })
    }
    return network
  }

  /** The same, and running. */
  static async running(test: TestScope, shape: NetworkShape = {}): Promise<TestNetwork> {
    const network = await TestNetwork.make(test, shape)
    await network.start()
    return network
  }

  private constructor(shape: NetworkShape, keys: readonly NodeKeys[]) {
    const { powers, faultModel = 'byzantine' } = shape
    const records = keys.map((own, index) => {
      const record = validatorRecordOf(own, { name: `node${index}`, power: powers?.[index] ?? 1 })
      return { source: `node${index}`, text: JSON.stringify(record) }
    })
    this.genesis = makeGenesis({ chainId: 'e2e', records, faultModel, time: Date.now() })
    this.#folder = mkdtempSync(join(tmpdir(), 'diseq-e2e-'))
    this.#shape = shape
  }

  node(index: number): NodeProcess {
    const node = this.nodes[index]
    if (node === undefined) throw new RangeError(`no node ${index}`)
    return node
  }

  /** Nodes that run. */
  get running(): NodeProcess[] {
    return this.nodes.filter(({ isRunning }) => isRunning)
  }

  /** Starts nodes, all of them by default; resolves when they serve and reach a quorum. */
  async start(indexes: readonly number[] = this.nodes.map((_, index) => index)): Promise<void> {
    await Promise.all(indexes.map((index) => this.node(index).start()))
    await this.until('the nodes that started are ready', async () => {
      for (const index of indexes) {
        const { status } = await this.node(index).get('/health/ready')
        if (status !== 200) return false
      }
      return true
    })
  }

  /** A node with new keys that genesis does not name, and one address to join through. Not started. */
  async addFollower(bootstrap: NodeProcess): Promise<NodeProcess> {
    const [httpPort = 0, p2pPort = 0] = await freePorts(2)
    return this.#addHome(randomKeys(), { httpPort, p2pPort, bootstrap: [bootstrap.p2pAddress] })
  }

  /** Resolves when the condition holds. What it throws (a node that does not answer) counts as not yet.
   *  @throws with the ends of all logs where it does not hold in time. */
  async until(
    what: string,
    holds: () => boolean | Promise<boolean>,
    { timeoutMs = 180_000 } = {},
  ): Promise<void> {
    const deadline = performance.now() + timeoutMs
    let last: unknown
    for (;;) {
      try {
        if (await holds()) return
        last = undefined
      } catch (error) {
        last = error
      }
      if (performance.now() > deadline)
        throw new Error(`not in ${timeoutMs} ms: ${what} (${last ?? 'no'})\n${this.logs()}`)
      await pause(25)
    }
  }

  /** Ends of all logs. */
  logs(lines = 25): string {
    return this.nodes.map((node) => `--- log of ${node.name} (${node.home})\n${node.tail(lines)}`).join('\n')
  }

  #addHome(
    keys: NodeKeys,
    place: { httpPort: number; p2pPort: number; bootstrap: readonly string[] },
  ): NodeProcess {
    const name = `node${this.nodes.length}`
    const home = join(this.#folder, name)
    const { httpPort, p2pPort, bootstrap } = place
    writeKeys(home, keys)
    makeHome({
      home,
      genesis: this.genesis,
      config: {
        http: { host: '127.0.0.1', port: httpPort },
        p2p: [`/ip4/127.0.0.1/tcp/${p2pPort}`],
        bootstrap: [...bootstrap],
        // Both ways, whatever the machine.
        trieThread: this.nodes.length % 2 === 0 ? 'never' : 'always',
        ...this.#shape.config,
      },
    })
    const { logLevel = 'info' } = this.#shape
    const node = new NodeProcess({ name, home, httpPort, p2pAddress: addressOf(p2pPort, keys), logLevel })
    this.nodes.push(node)
    return node
  }

  async #close(): Promise<void> {
    if (this.#isDiscarded) return
    this.#isDiscarded = true
    const results = await Promise.allSettled(this.nodes.map((node) => node.stop()))
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Below the ports that systems give to outgoing connections: those could take the port of a node that is down. */
const portMin = 10_000
const portMax = 30_000
const taken = new Set<number>()

/** Ports that nobody listens on. */
async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = portMin + Math.floor(Math.random() * (portMax - portMin))
    if (taken.has(port) || !(await isFree(port))) continue
    taken.add(port)
    ports.push(port)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

function addressOf(p2pPort: number, keys: NodeKeys): string {
  return `/ip4/127.0.0.1/tcp/${p2pPort}/p2p/${publicKeysOf(keys).peerId}`
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
