// The ground of containers: compose.yaml as it is, its volumes bound to folders of this machine, so that a home can be
// filled, damaged and looked into. What lies between nodes is done inside their network namespaces.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readGenesisFile } from '../../src/node/genesis.ts'
import { homePaths } from '../../src/node/home.ts'
import { NodeHttp } from '../support/node-http.ts'
import { attempt, type CommandEnd, finish, isThere, run } from './command.ts'
import { buildImage, composeCommand, image, nodeNames, Project, root, validators } from './compose-project.ts'
import { fakeTimeLibrary, writeOffset } from './fake-time.ts'
import { fill, free } from './filler.ts'
import type { Ground, GroundNode, LinkRule, MakeGround } from './ground.ts'
import type { FaultKind, Manifest } from './manifest.ts'
import { until } from './wait.ts'

const [httpPort, p2pPort] = [8080, 9080]
const startTimeoutMs = 60_000
const stopTimeoutS = 20
const lookEveryMs = 500
const table = 'hostile'

/** Why there can be no containers here. */
export function whatIsMissing(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'root is needed, on Linux'
  if (!isThere('docker', 'info')) return 'no container engine runs here'
  if (composeCommand() === undefined) return 'Compose is missing'
  const programs = { nsenter: '--version', nft: '--version', tc: '-Version' }
  for (const [program, flag] of Object.entries(programs))
    if (!isThere(program, flag)) return `the program ${program} is missing`
  const base = /^FROM (\S+)/m.exec(readFileSync(join(root, 'Dockerfile'), 'utf8'))?.[1] ?? ''
  const isHere = isThere('docker', 'image', 'inspect', base) || isThere('docker', 'pull', base)
  return isHere ? undefined : `the image ${base} is out of reach`
}

export const makeCompose: MakeGround = async ({ manifest, folder }) => {
  if (manifest.validators !== validators) throw new Error(`compose.yaml has ${validators} validators`)
  buildImage()
  const compose = new Project(folder, manifest)
  compose.run('create', '--no-build')
  try {
    engine('start', '--attach', compose.containerOf('setup'))
    engine('start', compose.containerOf('bootstrap'))
    return new Containers(compose, manifest)
  } catch (error) {
    compose.remove()
    throw error
  }
}

class Containers implements Ground {
  readonly genesis: Ground['genesis']
  readonly nodes: readonly ContainerNode[]
  readonly p2pAddresses: readonly string[]
  readonly missing = new Map<FaultKind, string>()
  readonly #project: Project
  readonly #timer: NodeJS.Timeout
  #rules: readonly LinkRule[] = []
  #dropped = 0

  constructor(project: Project, manifest: Manifest) {
    this.#project = project
    this.genesis = readGenesisFile(homePaths(join(project.folder, 'node0')).genesis)
    this.nodes = nodeNames().map((name, index) => {
      const home = join(project.folder, name)
      const options = { name, container: project.containerOf(name), home, address: addressOf(project, index) }
      const isClocked = index === manifest.ownClock.node && fakeTimeLibrary() !== undefined
      const clockFile = isClocked ? join(project.folder, 'clock', 'offset') : undefined
      const network = { name: `${project.name}_default`, prefix: project.prefix }
      return new ContainerNode({
        ...options,
        clockFile,
        network,
        onStart: () => this.#apply(index),
      })
    })
    this.p2pAddresses = this.genesis.validators.map(
      ({ peerId }, index) => `/ip4/${addressOf(project, index)}/tcp/${p2pPort}/p2p/${peerId}`,
    )
    if (fakeTimeLibrary() === undefined) this.missing.set('clock', 'libfaketime is not installed')
    this.#timer = setInterval(() => {
      for (const node of this.nodes) node.look()
    }, lookEveryMs)
  }

  async setLinks(rules: readonly LinkRule[]): Promise<void> {
    this.#dropped = await this.droppedPackets()
    this.#rules = rules
    for (const index of this.nodes.keys()) this.#apply(index)
  }

  /** Not by those of containers that ended meanwhile: their rules went with them. */
  async droppedPackets(): Promise<number> {
    return this.nodes.reduce((sum, node) => sum + droppedIn(node), this.#dropped)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    // A paused one is not removed.
    for (const node of this.nodes) await node.resume()
    this.#project.remove()
  }

  /** What comes to a node is dropped there. While anything is, nobody but nodes reaches its peers' port: what one side
   *  gossips to the bootstrap peer would come to the other. */
  #apply(index: number): void {
    const node = this.nodes[index]
    if (node?.pid === undefined) return
    const addresses = this.nodes.map((_, at) => addressOf(this.#project, at)).join(', ')
    const lines = this.#rules
      .filter(({ to }) => to === index)
      .map(({ from, lossPercent }) => {
        const chance = lossPercent < 100 ? `numgen random mod 100 < ${lossPercent} ` : ''
        return `ip saddr ${addressOf(this.#project, from)} ${chance}counter drop`
      })
    const strangers = ['sport', 'dport'].map(
      (end) => `ip saddr != { ${addresses} } tcp ${end} ${p2pPort} drop`,
    )
    const rows = [
      'type filter hook input priority 0',
      ...lines,
      ...(this.#rules.length === 0 ? [] : strangers),
    ]
    const text = `table inet ${table}\ndelete table inet ${table}\ntable inet ${table} {\nchain input {\n${rows.join('\n')}\n}\n}\n`
    const { status, stderr } = attempt('nsenter', [...enter(node), 'nft', '-f', '-'], text)
    // It may end just now.
    if (status !== 0 && node.look().isRunning) throw new Error(`nft in ${node.name}: ${stderr}`)
  }
}

interface State {
  readonly isRunning: boolean
  readonly pid: number
  readonly exitCode: number
  readonly startedAt: string
}

class ContainerNode extends NodeHttp implements GroundNode {
  readonly home: string
  readonly #container: string
  readonly #address: string
  readonly #clockFile: string | undefined
  readonly #network: { readonly name: string; readonly prefix: string }
  readonly #onStart: () => void
  #state: State | undefined
  #isPaused = false
  #isPlugged = true

  constructor(options: {
    name: string
    container: string
    home: string
    address: string
    clockFile: string | undefined
    network: { readonly name: string; readonly prefix: string }
    onStart: () => void
  }) {
    super(options.name, `http://${options.address}:${httpPort}`)
    this.home = options.home
    this.#container = options.container
    this.#address = options.address
    this.#clockFile = options.clockFile
    this.#network = options.network
    this.#onStart = options.onStart
  }

  get isRunning(): boolean {
    return this.#state?.isRunning === true
  }

  get pid(): number | undefined {
    return this.isRunning ? this.#state?.pid : undefined
  }

  get ending(): number | undefined {
    return this.#state === undefined || this.#state.isRunning ? undefined : this.#state.exitCode
  }

  /** Asks the engine how it is. */
  look(): ContainerNode {
    const format = '{{.State.Running}} {{.State.Pid}} {{.State.ExitCode}} {{.State.StartedAt}}'
    const [isRunning, pid, exitCode, startedAt = ''] = engine(
      'inspect',
      '--format',
      format,
      this.#container,
    ).split(' ')
    // Before its first start it has not ended either.
    if (this.#state !== undefined || isRunning === 'true')
      this.#state = {
        isRunning: isRunning === 'true',
        pid: Number(pid),
        exitCode: Number(exitCode),
        startedAt,
      }
    return this
  }

  async start(): Promise<void> {
    engine('start', this.#container)
    this.look()
    this.#onStart()
    await until(
      `${this.name} serves`,
      async () => {
        if (!this.look().isRunning) return true
        return (await this.get('/health/live')).status === 200
      },
      startTimeoutMs,
    )
    if (!this.isRunning) throw new Error(`${this.name} ended at its start\n${this.logOfLastRun()}`)
  }

  async stop(): Promise<void> {
    if (!this.look().isRunning) return
    await engineLater('stop', '--time', String(stopTimeoutS), this.#container)
    const { ending } = this.look()
    if (ending !== 0) throw new Error(`${this.name} did not stop cleanly: ${ending}\n${this.tail(40)}`)
  }

  async kill(): Promise<void> {
    if (this.look().isRunning) await engineLater('kill', this.#container)
    await until(`${this.name} is gone`, () => !this.look().isRunning, startTimeoutMs)
  }

  async pause(): Promise<void> {
    if (!this.look().isRunning) return
    engine('pause', this.#container)
    this.#isPaused = true
  }

  async resume(): Promise<void> {
    if (this.#isPaused) engine('unpause', this.#container)
    this.#isPaused = false
  }

  async setPlugged(isPlugged: boolean): Promise<void> {
    if (isPlugged === this.#isPlugged) return
    const { name } = this.#network
    if (isPlugged) {
      engine('network', 'connect', '--alias', this.name, '--ip', this.#address, name, this.#container)
    } else engine('network', 'disconnect', name, this.#container)
    this.#isPlugged = isPlugged
  }

  /** What it sends. */
  async setRate(kbitPerSecond: number | undefined): Promise<void> {
    if (this.pid === undefined || !this.#isPlugged) return
    const qdisc = [...enter(this), 'tc', 'qdisc']
    attempt('nsenter', [...qdisc, 'del', 'dev', 'eth0', 'root'])
    if (kbitPerSecond === undefined) return
    const limit = ['rate', `${kbitPerSecond}kbit`, 'burst', '16kb', 'latency', '400ms']
    attempt('nsenter', [...qdisc, 'add', 'dev', 'eth0', 'root', 'tbf', ...limit])
  }

  async fillDisk(): Promise<void> {
    fill(join(this.home, 'filler'))
  }

  async freeDisk(): Promise<void> {
    free(join(this.home, 'filler'))
  }

  async setClock(offsetMs: number): Promise<void> {
    if (this.#clockFile === undefined) throw new Error(`${this.name} has no clock of its own`)
    writeOffset(this.#clockFile, offsetMs)
  }

  diseq(command: string): Promise<CommandEnd> {
    const place = ['--volumes-from', this.#container, '--network', 'none']
    return finish('docker', ['run', '--rm', ...place, image, command, '--home', '/data'])
  }

  tail(lines: number): string {
    return this.#logs('--tail', String(lines))
  }

  logOfLastRun(): string {
    return this.#logs('--since', this.#state?.startedAt ?? '')
  }

  #logs(...args: readonly string[]): string {
    const { stdout, stderr } = attempt('docker', ['logs', ...args, this.#container])
    return `${stdout}${stderr}`
  }
}

function droppedIn(node: ContainerNode): number {
  if (node.pid === undefined) return 0
  const { status, stdout } = attempt('nsenter', [...enter(node), 'nft', '-j', 'list', 'table', 'inet', table])
  if (status !== 0) return 0
  const { nftables } = JSON.parse(stdout) as {
    nftables: { rule?: { expr: { counter?: { packets: number } }[] } }[]
  }
  const counters = nftables.flatMap(({ rule }) => rule?.expr ?? [])
  return counters.reduce((sum, { counter }) => sum + (counter?.packets ?? 0), 0)
}

function enter(node: ContainerNode): string[] {
  return ['--target', String(node.pid), '--net']
}

function addressOf({ prefix }: Project, index: number): string {
  return `${prefix}.${10 + index}`
}

function engine(...args: readonly string[]): string {
  return run('docker', args)
}

async function engineLater(...args: readonly string[]): Promise<void> {
  const { code, output } = await finish('docker', args)
  if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${output}`)
}
