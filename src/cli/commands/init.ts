// `diseq init`: the home of one node.
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { type Flags, loadConfig } from '../../node/config.ts'
import { readGenesisFile } from '../../node/genesis.ts'
import { homePaths, makeHome } from '../../node/home.ts'
import { publicKeysOf } from '../../node/keys.ts'
import { type CommonOptions, type Context, homeOption, newCommand } from '../command.ts'
import { addConfigFlags, flagsGiven } from '../config-flags.ts'
import { UsageError } from '../errors.ts'

interface Options extends CommonOptions {
  readonly home: string
  readonly genesis: string
}

export function addInitCommand(program: Command, context: Context): void {
  const command = newCommand(program, 'init', 'make the home of one node, validator or not')
  command.addOption(homeOption()).requiredOption('--genesis <file>', 'the genesis of the network')
  addConfigFlags(command, ['http', 'p2p', 'announce', 'bootstrap'])
  command.action((options: Options) => initHome(options, flagsGiven(options), context))
}

function initHome({ home, genesis: file, json }: Options, flags: Flags, { terminal }: Context): void {
  if (!existsSync(file)) throw new UsageError(`${file}: there is no such genesis file`)
  const genesis = readGenesisFile(file)
  // The flags are checked by the one schema and then written down; other options keep their defaults.
  const checked = loadConfig({ home, flags, env: {} })
  const config = Object.fromEntries(
    Object.keys(flags).map((key) => [key, checked[key as keyof typeof checked]]),
  )
  const { keys, validatorIndex } = makeHome({ home, genesis, config })
  const { peerId } = publicKeysOf(keys)

  if (json) {
    terminal.print(
      JSON.stringify({
        home,
        chainId: genesis.chainId,
        genesisHash: genesis.hash,
        peerId,
        validatorIndex: validatorIndex ?? null,
      }),
    )
    return
  }
  const role =
    validatorIndex === undefined ? 'follows the chain without voting' : `is validator ${validatorIndex}`
  terminal.print(`Made ${home}: a node of "${genesis.chainId}" that ${role}.`)
  terminal.print(`Its peer id is ${peerId}; its options are in ${homePaths(home).config}.`)
  terminal.print(`Run it with: diseq start --home ${home}`)
  if (checked.bootstrap.length === 0) {
    terminal.note('It knows no peer yet: others must reach it, or name one with "bootstrap" in its config.')
  }
}
