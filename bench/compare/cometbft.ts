// CometBFT with its own key-value application: four validators, tuned for speed.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../../src/cli/bench-network.ts'
import { Failure } from '../../src/cli/errors.ts'
import { CometbftTarget } from './cometbft-target.ts'
import type { Found, JoiningNode, RunningContender, Syncing } from './contender.ts'
import { jsonFrom, outputOf, PeerProcesses } from './peer-processes.ts'
import { changeToml, type TomlChanges } from './toml.ts'

const validators = 4
const host = '127.0.0.1'
/** What its route gives at a time. */
const pageBlocks = 20

export function findCometbft(program: string): Found {
  const version = outputOf(program, ['version'])
  if (version === undefined)
    return { absent: `cometbft: there is no working program "${program}" (--cometbft PATH names another)` }
  return {
    contender: {
      name: 'cometbft',
      description: `CometBFT ${version}, kvstore in its process, ${validators} validators, tuned (no commit time-out, no empty blocks, no recheck, no index, p2p rates raised, gossip sleep 5 ms)`,
      start: () => startNetwork(program),
    },
  }
}

/** What is changed of the configuration that `cometbft testnet` writes. */
export function cometbftChanges(node: {
  readonly rpcPort: number
  readonly p2pPort: number
  /** `id@host:port` of all others. */
  readonly peers: readonly string[]
}): TomlChanges {
  return {
    '': { proxy_app: '"kvstore"', log_level: '"error"' },
    rpc: {
      laddr: `"tcp://${host}:${node.rpcPort}"`,
      pprof_laddr: '""',
      // Requests of the load generator are arrays of calls.
      max_request_batch_size: '0',
    },
    p2p: {
      laddr: `"tcp://${host}:${node.p2pPort}"`,
      persistent_peers: `"${node.peers.join(',')}"`,
      // All of them have the same address.
      addr_book_strict: 'false',
      allow_duplicate_ip: 'true',
      send_rate: '1000000000',
      recv_rate: '1000000000',
    },
    mempool: { recheck: 'false' },
    consensus: {
      timeout_commit: '"0s"',
      create_empty_blocks: 'false',
      peer_gossip_sleep_duration: '"5ms"',
    },
    tx_index: { indexer: '"null"' },
  }
}

async function startNetwork(program: string): Promise<RunningContender> {
  const processes = new PeerProcesses('cometbft')
  try {
    const basePort = await freePorts(2 * validators)
    const { homes, peers } = makeHomes(program, processes.folder, basePort)
    for (const [index, home] of homes.entries())
      processes.start(`node${index}`, program, ['start', '--home', home])
    const nodes = homes.map((_, index) => `http://${host}:${basePort + index}`)
    await processes.untilReady(async () => (await Promise.all(nodes.map(isReady))).every(Boolean))
    const target = new CometbftTarget({
      nodes,
      reader: nodes.at(-1) ?? '',
      processes: processes.measured,
    })
    const syncing: Syncing = {
      chain: () => chainOf(nodes[0] ?? ''),
      join: () => startJoining({ program, processes, peers, genesis: genesisOf(homes[0] ?? '') }),
    }
    return { target, syncing, stop: () => processes.stop() }
  } catch (error) {
    await processes.stop()
    throw error
  }
}

function makeHomes(
  program: string,
  folder: string,
  basePort: number,
): { readonly homes: readonly string[]; readonly peers: readonly string[] } {
  const made = outputOf(program, [
    'testnet',
    '--v',
    String(validators),
    '--o',
    folder,
    '--populate-persistent-peers=false',
  ])
  if (made === undefined) throw new Failure(`"${program} testnet" failed`)
  const homes = Array.from({ length: validators }, (_, index) => join(folder, `node${index}`))
  const peers = homes.map((home, index) => {
    const id = outputOf(program, ['show-node-id', '--home', home])
    return `${id}@${host}:${basePort + validators + index}`
  })
  for (const [index, home] of homes.entries()) {
    configure(home, {
      rpcPort: basePort + index,
      p2pPort: basePort + validators + index,
      peers: peers.filter((_, other) => other !== index),
    })
  }
  return { homes, peers }
}

function configure(home: string, node: Parameters<typeof cometbftChanges>[0]): void {
  const path = join(home, 'config', 'config.toml')
  writeFileSync(path, changeToml(readFileSync(path, 'utf8'), cometbftChanges(node)))
}

function genesisOf(home: string): string {
  return join(home, 'config', 'genesis.json')
}

/** A node that is no validator and knows all that are. */
async function startJoining({
  program,
  processes,
  peers,
  genesis,
}: {
  readonly program: string
  readonly processes: PeerProcesses
  readonly peers: readonly string[]
  readonly genesis: string
}): Promise<JoiningNode> {
  const home = processes.folderOf('joining')
  if (outputOf(program, ['init', 'full', '--home', home]) === undefined)
    throw new Failure(`"${program} init" failed`)
  copyFileSync(genesis, genesisOf(home))
  const rpcPort = await freePorts(2)
  configure(home, { rpcPort, p2pPort: rpcPort + 1, peers })
  const startedMs = performance.now()
  const pid = processes.start('joining', program, ['start', '--home', home])
  return { startedMs, pid, height: () => heightOf(`http://${host}:${rpcPort}`) }
}

async function heightOf(node: string): Promise<number> {
  const { result } = (await jsonFrom(`${node}/status`)) as {
    result: { sync_info: { latest_block_height: string } }
  }
  return Number(result.sync_info.latest_block_height)
}

async function chainOf(node: string): Promise<{ readonly height: number; readonly messages: number }> {
  const height = await heightOf(node)
  let messages = 0
  for (let from = 1; from <= height; from += pageBlocks) {
    const to = Math.min(height, from + pageBlocks - 1)
    const page = (await jsonFrom(`${node}/blockchain?minHeight=${from}&maxHeight=${to}`)) as {
      result: { block_metas: readonly { readonly num_txs: string }[] }
    }
    messages += page.result.block_metas.reduce((sum, { num_txs }) => sum + Number(num_txs), 0)
  }
  return { height, messages }
}

async function isReady(node: string): Promise<boolean> {
  const [height, net] = await Promise.all([
    heightOf(node),
    jsonFrom(`${node}/net_info`) as Promise<{ result: { n_peers: string } }>,
  ])
  return height > 0 && Number(net.result.n_peers) === validators - 1
}
