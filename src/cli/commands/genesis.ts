// `diseq genesis`: a genesis out of the records of several operators.
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { genesisToJson, makeGenesis } from '../../node/genesis.ts'
import { type CommonOptions, type Context, faultModelOption, newCommand } from '../command.ts'

interface Options extends CommonOptions {
  readonly chain: string
  readonly validator: readonly string[]
  readonly faultModel: 'byzantine' | 'crash'
}

export function addGenesisCommand(program: Command, context: Context): void {
  newCommand(program, 'genesis', 'make a genesis from records of validators, and print it')
    .requiredOption('--chain <name>', 'name of the chain: 1 to 32 of a-z, 0-9 and -')
    .requiredOption(
      '--validator <file...>',
      'records that "diseq keys" printed, in the order of the validators',
    )
    .addOption(faultModelOption().default('byzantine'))
    .action((options: Options) => printGenesis(options, context))
}

function printGenesis({ chain, validator, faultModel }: Options, { terminal }: Context): void {
  const records = validator.map((source) => ({ source, text: readFileSync(source, 'utf8') }))
  const genesis = makeGenesis({ chainId: chain, records, faultModel, time: Date.now() })
  terminal.print(genesisToJson(genesis).trimEnd())
  terminal.note(`Genesis of "${chain}" with ${records.length} validators; its hash is ${genesis.hash}.`)
  terminal.note(
    'Every operator needs this same file: compare the hash, then run "diseq init --genesis FILE".',
  )
}
