// `diseq testnet`: genesis and a home for each node of a network, to be started one by one or by `devnet`.
import type { Command } from 'commander'
import { formatHostPort, loadConfig } from '../../node/config.ts'
import { defaultTestnetOptions, makeTestnet } from '../../node/testnet.ts'
import { type Context, newCommand } from '../command.ts'
import { plural } from '../format.ts'
import { addNetworkFlags, type NetworkFlags, networkOptionsOf } from '../network-options.ts'

interface Flags extends NetworkFlags {
  readonly bootstrap?: readonly string[]
}

export function addTestnetCommand(program: Command, context: Context): void {
  const command = newCommand(program, 'testnet', 'make a genesis and a home for each node of a network')
  command.requiredOption('--output <dir>', 'folder to make')
  addNetworkFlags(command)
  command
    .option(
      '--hosts <name...>',
      'a host for each node; all then use the base ports, on all interfaces for peers',
    )
    .option(
      '--bootstrap <multiaddr...>',
      'peers to join through, with their peer ids (default: two of the other nodes)',
    )
    .action((flags: Flags) => printTestnet(flags, context))
}

function printTestnet(flags: Flags, { terminal }: Context): void {
  const wanted = flags.bootstrap?.join(',')
  // Checked by the one schema of the config.
  const given =
    wanted === undefined
      ? {}
      : { bootstrap: loadConfig({ home: flags.output, flags: { bootstrap: wanted }, env: {} }).bootstrap }
  const options = { ...defaultTestnetOptions, ...networkOptionsOf(flags), ...given }
  const { genesis, nodes } = makeTestnet(flags.output, options, Date.now())
  if (flags.json) {
    const listed = nodes.map(({ name, home, http }) => ({ name, home, http: formatHostPort(http) }))
    terminal.print(
      JSON.stringify({
        output: flags.output,
        chainId: genesis.chainId,
        genesisHash: genesis.hash,
        nodes: listed,
      }),
    )
    return
  }
  terminal.print(`Made ${plural(nodes.length, 'node')} of "${genesis.chainId}" in ${flags.output}.`)
  for (const { home, http } of nodes)
    terminal.print(`  diseq start --home ${home}   # http://${formatHostPort(http)}`)
  if (options.hosts === undefined) terminal.print(`All at once: diseq devnet --output ${flags.output}`)
}
