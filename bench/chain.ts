// A long chain: what it takes on disk, how long a node takes to start on it (after a stop and after a kill), and how
// fast a new node fetches it. The chain is made by the node's own code with the keys of all four validators in one
// hand, so every signature, VRF proof and root is genuine. Run, after `npm run build`:
//   node bench/chain.ts --messages 10000000 [--block 9000] [--home FOLDER] [--sync-seconds 60]
// A home that has that chain already is used as it is; without --home all is in a temporary folder, and deleted.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { usageOf } from '../src/bench/processes.ts'
import { ended, freePorts } from '../src/cli/bench-network.ts'
import { readGenesisFile } from '../src/node/genesis.ts'
import { homePaths, makeHome } from '../src/node/home.ts'
import { LevelStore } from '../src/storage/index.ts'
import { defaultCheckpointRule } from '../src/trie/index.ts'
import { builderTimeMs, ChainBuilder } from '../test/support/chain-builder.ts'

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000' },
    block: { type: 'string', default: '9000' },
    size: { type: 'string', default: '200' },
    home: { type: 'string' },
    'sync-seconds': { type: 'string', default: '60' },
  },
})
const [messages, blockMessages] = [Number(values.messages), Number(values.block)]
/** One batch of a block; more messages than that make several. */
const batchMessages = 2_000
const lookMs = 5
const readyTimeoutMs = 600_000
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))

interface RunningNode {
  readonly child: ChildProcess
  readonly startedMs: number
  readonly url: string
}

const folder = mkdtempSync(join(tmpdir(), 'diseq-chain-'))
const running = new Set<ChildProcess>()
try {
  await measure(values.home ?? join(folder, 'full'))
} finally {
  for (const child of running) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}

async function measure(home: string): Promise<void> {
  if (!existsSync(homePaths(home).genesis)) await makeChain(home)
  const port = await freePorts(4)
  let full = start(home, { http: port, p2p: port + 1 })
  const { finalHeight } = await answered(full)
  if (finalHeight !== Math.ceil(messages / blockMessages)) throw new Error(`${home} has another chain`)
  print('first start', full)
  await ended(full.child)
  full = start(home, { http: port, p2p: port + 1 })
  await answered(full)
  print('start after a stop', full)
  full.child.kill('SIGKILL')
  await new Promise((resolve) => full.child.once('exit', resolve))
  full = start(home, { http: port, p2p: port + 1 })
  const { peerId } = await answered(full)
  print('start after a kill', full)
  const bytes = sizeOf(homePaths(home).database)
  console.log(
    `${messages} messages in ${finalHeight} blocks: ${(bytes / 1e9).toFixed(2)} GB on disk, ${Math.round(bytes / messages)} bytes a message`,
  )
  const fresh = join(folder, 'fresh')
  makeHome({ home: fresh, genesis: readGenesisFile(homePaths(home).genesis), config: {} })
  await measureSync(fresh, {
    ports: { http: port + 2, p2p: port + 3 },
    bootstrap: `/ip4/127.0.0.1/tcp/${port + 1}/p2p/${peerId}`,
    height: finalHeight,
  })
}

async function makeChain(home: string): Promise<void> {
  const store = await LevelStore.open(homePaths(home).database)
  const builder = await ChainBuilder.create({
    store,
    checkpointRule: defaultCheckpointRule,
    chainId: 'bench',
  })
  const startedMs = performance.now()
  for (let made = 0; made < messages; ) {
    const inBlock = Math.min(blockMessages, messages - made)
    const batches = Array.from({ length: Math.ceil(inBlock / batchMessages) }, (_, at) =>
      builder.batch(
        Array.from({ length: Math.min(batchMessages, inBlock - at * batchMessages) }, () => ({
          data: randomFillSync(new Uint8Array(Number(values.size))),
          timestamp: 0,
        })),
      ),
    )
    await builder.addBlock({ batches, timeMs: builderTimeMs + 1_000 * (builder.state.height + 1) })
    made += inBlock
    if (builder.state.height % 50 === 0) {
      const seconds = (performance.now() - startedMs) / 1000
      console.error(`${made} messages made in ${seconds.toFixed(0)} s`)
    }
  }
  await store.close()
  makeHome({ home, genesis: builder.genesis, config: {} })
}

function start(
  home: string,
  { http, p2p, bootstrap }: { http: number; p2p: number; bootstrap?: string },
): RunningNode {
  const flags = ['--http', `127.0.0.1:${http}`, '--p2p', `/ip4/127.0.0.1/tcp/${p2p}`, '--log-format', 'json']
  if (bootstrap !== undefined) flags.push('--bootstrap', bootstrap)
  const startedMs = performance.now()
  const child = spawn(process.execPath, [main, 'start', '--home', home, ...flags], { stdio: 'ignore' })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return { child, startedMs, url: `http://127.0.0.1:${http}` }
}

interface Status {
  readonly finalHeight: number
  readonly peerId: string
}

/** The status as soon as the node tells it. */
async function answered({ child, url, startedMs }: RunningNode): Promise<Status> {
  while (performance.now() - startedMs < readyTimeoutMs) {
    if (child.exitCode !== null) throw new Error(`the node ended with exit code ${child.exitCode}`)
    const status = await statusOf(url)
    if (status !== undefined) return status
    await pause(lookMs)
  }
  throw new Error('the node does not answer')
}

async function statusOf(url: string): Promise<Status | undefined> {
  try {
    return (await (await fetch(`${url}/v1/status`)).json()) as Status
  } catch {
    // It does not listen yet.
    return undefined
  }
}

function print(what: string, { child, startedMs }: RunningNode): void {
  const seconds = (performance.now() - startedMs) / 1000
  const residentBytes = usageOf(child.pid ?? 0)?.residentBytes ?? 0
  console.log(`${what}: answers after ${seconds.toFixed(2)} s, ${Math.round(residentBytes / 2 ** 20)} MiB`)
}

/** From the start of the process. */
async function measureSync(
  home: string,
  { ports, bootstrap, height }: { ports: { http: number; p2p: number }; bootstrap: string; height: number },
): Promise<void> {
  const node = start(home, { ...ports, bootstrap })
  const seconds = () => (performance.now() - node.startedMs) / 1000
  await answered(node)
  let first: number | undefined
  let now = 0
  while (now < height && seconds() < Number(values['sync-seconds'])) {
    now = (await statusOf(node.url))?.finalHeight ?? now
    if (now > 0) first ??= seconds()
    await pause(lookMs)
  }
  const tookSeconds = seconds()
  const fetched = Math.min(messages, now * blockMessages)
  console.log(
    `block sync, from process start: first block after ${first?.toFixed(2)} s; ${now} of ${height} blocks in ${tookSeconds.toFixed(1)} s, ${Math.round(fetched / tookSeconds)} messages/s`,
  )
}

function sizeOf(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}
