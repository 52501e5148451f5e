// `diseq devnet`, which `npm start` calls: makes a network if there is none, and runs all of it until Ctrl-C.
import { relative } from 'node:path'
import type { Command } from 'commander'
import type { BlockReply } from '../../client/index.ts'
import { formatHostPort } from '../../node/config.ts'
import { homePaths } from '../../node/home.ts'
import {
  checkAgreement,
  defaultTestnetOptions,
  makeTestnet,
  portsOf,
  readTestnet,
  type Testnet,
} from '../../node/testnet.ts'
import { untilAllAnswer, watchBlocks } from '../block-watch.ts'
import { ChildNodes } from '../child-nodes.ts'
import { type Context, newCommand } from '../command.ts'
import { Failure, UsageError } from '../errors.ts'
import { formatClock, formatData, plural } from '../format.ts'
import { requireFreePorts } from '../free-ports.ts'
import { addNetworkFlags, type NetworkFlags, networkOptionsOf } from '../network-options.ts'
import type { Terminal } from '../terminal.ts'

export function addDevnetCommand(program: Command, context: Context): void {
  const command = newCommand(program, 'devnet', 'run a network on this machine, made at the first start')
  command.option('--output <dir>', 'folder of the network', './.diseq')
  addNetworkFlags(command)
  command.action((flags: NetworkFlags) => runDevnet(flags, context))
}

async function runDevnet(flags: NetworkFlags, { terminal }: Context): Promise<void> {
  const isJson = flags.json === true
  const { signal, insisted } = terminal.untilStopped()
  const network = openNetwork(flags, terminal)
  const stopping = new AbortController()
  const allEnded = Promise.withResolvers<'all ended'>()
  const children = new ChildNodes({
    onTrouble: (node, line) => terminal.note(`${node.name} | ${line}`),
    onEnd: (node, how) => {
      const { length } = network.nodes
      terminal.note(
        `${node.name} ended (${how}); ${children.count} of ${length} nodes run. Its log: ${homePaths(node.home).log}`,
      )
      if (children.count === 0) allEnded.resolve('all ended')
    },
  })
  await requireFreePorts(portsOf(network), '127.0.0.1')
  children.start(network.nodes, terminal.env)

  const watched = watchNetwork(network, children, { isJson, terminal, signal: stopping.signal })
  try {
    const cause = await Promise.race([signal, allEnded.promise, watched])
    if (cause === 'all ended') throw new Failure(`${flags.output}: every node ended; the lines above say why`)
  } finally {
    stopping.abort()
    // What became final just now is still told, unless there is no waiting for it.
    await Promise.race([watched.catch(() => undefined), insisted])
    if (children.count > 0) await stopNodes(children, insisted, terminal)
  }
  terminal.note(`Stopped. The data are in ${flags.output}; the next start goes on from there.`)
}

async function stopNodes(children: ChildNodes, insisted: Promise<void>, terminal: Terminal): Promise<void> {
  terminal.note(`Stopping ${plural(children.count, 'node')} …`)
  void insisted.then(() => children.kill())
  const late = await children.stop()
  for (const { name } of late)
    terminal.note(`${name} did not stop in time and was killed; its next start recovers.`)
}

/** The network in the folder, made if there is none. @throws HomeError 'contradiction' for options of another one. */
function openNetwork(flags: NetworkFlags, terminal: Terminal): Testnet {
  const wanted = networkOptionsOf(flags)
  const existing = readTestnet(flags.output)
  if (existing === undefined) {
    terminal.note(`Making a network in ${flags.output} …`)
    return makeTestnet(flags.output, { ...defaultTestnetOptions, ...wanted }, Date.now())
  }
  checkAgreement(flags.output, existing.options, wanted)
  if (existing.options.hosts !== undefined) {
    throw new UsageError(
      `${flags.output}: made for several hosts; run "diseq start" on each, or use another --output`,
    )
  }
  return existing
}

async function watchNetwork(
  network: Testnet,
  children: ChildNodes,
  { isJson, terminal, signal }: { isJson: boolean; terminal: Terminal; signal: AbortSignal },
): Promise<void> {
  const addresses = network.nodes.map((node) => `http://${formatHostPort(node.http)}`)
  const running = () => children.nodes.map((node) => `http://${formatHostPort(node.http)}`)
  const height = await untilAllAnswer(running, signal)
  if (height === undefined) return
  if (isJson) terminal.print(JSON.stringify({ event: 'ready', height, nodes: addresses }))
  else for (const line of greeting(network, addresses, height)) terminal.print(line)

  await watchBlocks(height, {
    nodes: running,
    onBlock: (block) => {
      if (block.messages.length > 0) terminal.print(isJson ? blockJson(block) : blockLine(block))
    },
    signal,
  })
}

function greeting(
  { options, genesis, nodes }: Testnet,
  addresses: readonly string[],
  height: number,
): string[] {
  const [first = ''] = addresses
  const folder = relative('.', nodes[0]?.home ?? '.').replace(/[\\/]?node0$/, '')
  const state = height === 0 ? 'a new chain' : `goes on after block ${height}`
  const node = first === 'http://127.0.0.1:8080' ? '' : ` --node ${first}`
  return [
    '',
    `${plural(nodes.length, 'validator')} of "${genesis.chainId}" (${options.faultModel}) in ${folder || '.'}, ${state}:`,
    ...addresses.map((address, index) => `  node${index}  ${address}`),
    '',
    `Look      ${first}/`,
    `Try this  npx diseq send --wait${node} "hello"`,
    `or        curl ${first}/schedule -H 'content-type: application/json' -d '{"data":[1,2,3],"timestamp":0}'`,
    'Stop      Ctrl-C',
    '',
    'Final blocks that hold messages:',
  ]
}

function blockLine({ height, time, id, messages }: BlockReply): string {
  const first = messages[0]
  const sample =
    first === undefined ? '' : `  ${formatData(first.data, 32)}${messages.length > 1 ? ' …' : ''}`
  return `${formatClock(time)}  block ${height}  ${id.slice(0, 16)}…  ${plural(messages.length, 'message')}${sample}`
}

function blockJson({ height, time, id, messages }: BlockReply): string {
  return JSON.stringify({ event: 'block', height, time, id, messageCount: messages.length })
}
