// The ground of one machine: each node a process in a network namespace of its own, all on one bridge. Everything is
// inside namespaces that end with this process, so nothing is left behind however a run ends, and nothing of the
// machine's own network is touched.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { makeGenesis } from '../../src/node/genesis.ts'
import { makeHome } from '../../src/node/home.ts'
import { publicKeysOf, randomKeys, writeKeys } from '../../src/node/keys.ts'
import { validatorRecordOf } from '../../src/node/validator-record.ts'
import { commandFile, NodeProcess } from '../support/node-process.ts'
import { attempt, type CommandEnd, finish, isThere, run } from './command.ts'
import { fakeTimeLibrary, fakeTimeVariables, writeOffset } from './fake-time.ts'
import { fill, free } from './filler.ts'
import type { Ground, GroundNode, LinkRule, MakeGround } from './ground.ts'
import type { FaultKind } from './manifest.ts'
import { bugVariable } from './plant.ts'

const httpPort = 8080
const p2pPort = 9080
const bridge = 'ground'
const plantUrl = new URL('./plant.ts', import.meta.url).href
const mebibyte = 2 ** 20

/** Whoever is not root can be it inside, where the system lets users make namespaces. */
const userFlags = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
const unshareFlags = [...userFlags, '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc']
const probe =
  'mount -t tmpfs none /run && ip netns add one && ip link add probe type bridge && nft add table bridge probe && tc qdisc add dev probe root tbf rate 1mbit burst 16kb latency 50ms'

/** Why there can be no namespaces here. */
export function whatIsMissing(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are of Linux'
  const programs = {
    unshare: '--version',
    nsenter: '--version',
    nft: '--version',
    ip: '-Version',
    tc: '-Version',
  }
  for (const [program, flag] of Object.entries(programs))
    if (!isThere(program, flag)) return `the program ${program} is missing`
  const { status, stderr } = attempt('unshare', [...unshareFlags, 'sh', '-c', probe])
  return status === 0
    ? undefined
    : `namespaces, a bridge or its filters cannot be made here (${stderr.trim()})`
}

/** The command that runs another one as the first process of fresh namespaces, all of which end with it. */
export function freshNamespaces(command: readonly string[]): readonly string[] {
  return ['unshare', ...unshareFlags, ...command]
}

/** To be called in fresh namespaces only. */
export const makeNamespaces: MakeGround = async ({ manifest, folder, bug }) => {
  const { validators, smallDisk, ownClock, seed } = manifest
  run('mount', ['-t', 'tmpfs', 'none', '/run'])
  run('ip', ['link', 'set', 'lo', 'up'])
  run('ip', ['link', 'add', bridge, 'type', 'bridge'])
  run('ip', ['address', 'add', '10.0.0.254/24', 'dev', bridge])
  run('ip', ['link', 'set', bridge, 'up'])

  const keys = Array.from({ length: validators }, () => randomKeys())
  const records = keys.map((own, index) => {
    const record = validatorRecordOf(own, { name: `node${index}`, power: 1 })
    return { source: `node${index}`, text: JSON.stringify(record) }
  })
  const chainId = `hostile-${seed}`
  const genesis = makeGenesis({ chainId, records, faultModel: 'byzantine', time: Date.now() })
  const p2pAddresses = keys.map(
    (own, index) => `/ip4/${addressOf(index)}/tcp/${p2pPort}/p2p/${publicKeysOf(own).peerId}`,
  )
  const library = fakeTimeLibrary()
  const nodes = keys.map((own, index) => {
    const place = join(folder, `node${index}`)
    mkdirSync(place)
    if (index === smallDisk.node) {
      run('mount', ['-t', 'tmpfs', '-o', `size=${smallDisk.mebibytes * mebibyte}`, 'none', place])
    }
    const home = join(place, 'home')
    writeKeys(home, own)
    makeHome({
      home,
      genesis,
      config: {
        http: { host: addressOf(index), port: httpPort },
        p2p: [`/ip4/${addressOf(index)}/tcp/${p2pPort}`],
        bootstrap: p2pAddresses.filter((_, at) => at !== index).slice(0, 2),
        // One client asks for everything.
        rateLimitPerSecond: 0,
      },
    })
    addHost(index)
    const clock =
      index === ownClock.node && library !== undefined ? { file: join(place, 'clock'), library } : undefined
    return new NamespaceNode({ index, place, home, p2pAddress: p2pAddresses[index] ?? '', clock, bug })
  })
  const missing = new Map<FaultKind, string>()
  if (library === undefined) missing.set('clock', 'libfaketime is not installed')
  return new Namespaces({ genesis, nodes, p2pAddresses, missing })
}

class Namespaces implements Ground {
  readonly genesis: Ground['genesis']
  readonly nodes: readonly NamespaceNode[]
  readonly p2pAddresses: readonly string[]
  readonly missing: ReadonlyMap<FaultKind, string>
  /** By rules that are no longer there. */
  #droppedBefore = 0

  constructor(parts: Pick<Namespaces, 'genesis' | 'nodes' | 'p2pAddresses' | 'missing'>) {
    this.genesis = parts.genesis
    this.nodes = parts.nodes
    this.p2pAddresses = parts.p2pAddresses
    this.missing = parts.missing
    run('nft', ['-f', '-'], tableText([]))
  }

  async setLinks(rules: readonly LinkRule[]): Promise<void> {
    this.#droppedBefore += droppedByTable()
    run('nft', ['-f', '-'], `delete table bridge ${bridge}\n${tableText(rules)}`)
  }

  async droppedPackets(): Promise<number> {
    return this.#droppedBefore + droppedByTable()
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.discard()))
  }
}

class NamespaceNode extends NodeProcess implements GroundNode {
  readonly #index: number
  readonly #place: string
  readonly #clockFile: string | undefined

  constructor(options: {
    index: number
    place: string
    home: string
    p2pAddress: string
    clock: { readonly file: string; readonly library: string } | undefined
    bug: string | undefined
  }) {
    const { index, place, home, p2pAddress, clock, bug } = options
    super({
      name: `node${index}`,
      home,
      host: addressOf(index),
      httpPort,
      p2pAddress,
      launcher: ['nsenter', `--net=/run/netns/node${index}`],
      environment: {
        ...(clock === undefined ? {} : fakeTimeVariables(clock.file, clock.library)),
        ...(bug === undefined ? {} : { [bugVariable]: bug, NODE_OPTIONS: `--import ${plantUrl}` }),
      },
    })
    this.#index = index
    this.#place = place
    this.#clockFile = clock?.file
    if (clock !== undefined) writeOffset(clock.file, 0)
  }

  async pause(): Promise<void> {
    this.#signal('SIGSTOP')
  }

  async resume(): Promise<void> {
    this.#signal('SIGCONT')
  }

  async setPlugged(isPlugged: boolean): Promise<void> {
    run('ip', ['link', 'set', portOf(this.#index), isPlugged ? 'up' : 'down'])
  }

  /** Both ways. */
  async setRate(kbitPerSecond: number | undefined): Promise<void> {
    const inside = ['-netns', `node${this.#index}`]
    for (const [where, device] of [
      [[], portOf(this.#index)],
      [inside, 'eth0'],
    ] as const) {
      // Gone already, where it never was.
      attempt('tc', [...where, 'qdisc', 'del', 'dev', device, 'root'])
      if (kbitPerSecond === undefined) continue
      const limit = ['rate', `${kbitPerSecond}kbit`, 'burst', '16kb', 'latency', '400ms']
      run('tc', [...where, 'qdisc', 'add', 'dev', device, 'root', 'tbf', ...limit])
    }
  }

  async fillDisk(): Promise<void> {
    fill(join(this.#place, 'filler'))
  }

  async freeDisk(): Promise<void> {
    free(join(this.#place, 'filler'))
  }

  async setClock(offsetMs: number): Promise<void> {
    if (this.#clockFile === undefined) throw new Error(`${this.name} has no clock of its own`)
    writeOffset(this.#clockFile, offsetMs)
  }

  diseq(command: string): Promise<CommandEnd> {
    return finish(process.execPath, [commandFile, command, '--home', this.home])
  }

  async discard(): Promise<void> {
    await this.kill()
    // Where it has a disk of its own.
    attempt('umount', ['--lazy', this.#place])
  }

  #signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.pid !== undefined && this.isRunning) process.kill(this.pid, signal)
  }
}

/** The rules as a table: packets go from the bridge's port of one node to that of another. While there are any, strangers
 *  on this machine reach no peer: what one side gossips to them would come to the other. */
function tableText(rules: readonly LinkRule[]): string {
  const lines = rules.map(({ from, to, lossPercent }) => {
    const chance = lossPercent < 100 ? `numgen random mod 100 < ${lossPercent} ` : ''
    return `iifname "${portOf(from)}" oifname "${portOf(to)}" ${chance}counter drop`
  })
  const strangers = (direction: 'sport' | 'dport') =>
    rules.length === 0 ? [] : [`ether type ip tcp ${direction} ${p2pPort} drop`]
  const chains = {
    forward: lines,
    input: strangers('sport'),
    output: strangers('dport'),
  }
  const texts = Object.entries(chains).map(
    ([hook, rows]) => `chain ${hook} {\n${[`type filter hook ${hook} priority 0`, ...rows].join('\n')}\n}\n`,
  )
  return `table bridge ${bridge} {\n${texts.join('')}}\n`
}

function droppedByTable(): number {
  const text = run('nft', ['-j', 'list', 'table', 'bridge', bridge])
  const { nftables } = JSON.parse(text) as {
    nftables: { rule?: { expr: { counter?: { packets: number } }[] } }[]
  }
  const counters = nftables.flatMap(({ rule }) => rule?.expr ?? [])
  return counters.reduce((sum, { counter }) => sum + (counter?.packets ?? 0), 0)
}

function addHost(index: number): void {
  const name = `node${index}`
  const port = portOf(index)
  run('ip', ['netns', 'add', name])
  run('ip', ['link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name])
  run('ip', ['link', 'set', port, 'master', bridge, 'up'])
  run('ip', ['-n', name, 'address', 'add', `${addressOf(index)}/24`, 'dev', 'eth0'])
  run('ip', ['-n', name, 'link', 'set', 'eth0', 'up'])
  run('ip', ['-n', name, 'link', 'set', 'lo', 'up'])
}

function addressOf(index: number): string {
  return `10.0.0.${index + 1}`
}

function portOf(index: number): string {
  return `port${index}`
}
