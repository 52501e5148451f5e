// The options of `testnet` and `devnet`.
import type { Command } from 'commander'
import type { TestnetOptions } from '../node/testnet.ts'
import { type CommonOptions, faultModelOption, integerOption } from './command.ts'

export interface NetworkFlags extends CommonOptions, Partial<TestnetOptions> {
  readonly output: string
}

const port = integerOption({ min: 1, max: 65_535 })

/** Without defaults: `devnet` must tell what was asked for from what was not. */
export function addNetworkFlags(command: Command): void {
  command
    .option('--chain <name>', 'name of the chain (default: local)')
    .option(
      '--validators <n>',
      'number of nodes, all of them validators (default: 4)',
      integerOption({ min: 1, max: 256 }),
    )
    .option('--base-http-port <port>', 'HTTP port of the first node (default: 8080)', port)
    .option('--base-p2p-port <port>', 'port for peers of the first node (default: 9080)', port)
    .addOption(faultModelOption())
}

/** What was asked for. */
export function networkOptionsOf(flags: NetworkFlags): Partial<TestnetOptions> {
  const { chain, validators, baseHttpPort, baseP2pPort, faultModel, hosts } = flags
  const all = { chain, validators, baseHttpPort, baseP2pPort, faultModel, hosts }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}
