// `diseq keys`: makes a node's keys, or shows those there are, as a record for a genesis.
import type { Command } from 'commander'
import { homePaths } from '../../node/home.ts'
import { hasKeys, randomKeys, readKeys, writeKeys } from '../../node/keys.ts'
import { validatorRecordOf } from '../../node/validator-record.ts'
import { type CommonOptions, type Context, homeOption, integerOption, newCommand } from '../command.ts'
import { UsageError } from '../errors.ts'

interface Options extends CommonOptions {
  readonly home: string
  readonly name: string
  readonly power: number
  readonly ownVrfKey?: true
}

export function addKeysCommand(program: Command, context: Context): void {
  newCommand(program, 'keys', "make a node's keys, and print their public halves as a record for others")
    .addOption(homeOption())
    .option('--name <name>', 'name of the validator, for people (at most 64 bytes)', '')
    .option('--power <n>', 'voting power', integerOption({ min: 1, max: 0xffff_ffff }), 1)
    .option('--own-vrf-key', 'a VRF secret of its own, instead of one that follows from the voting key')
    .action((options: Options) => makeOrShowKeys(options, context))
}

function makeOrShowKeys({ home, name, power, ownVrfKey }: Options, { terminal }: Context): void {
  const folder = homePaths(home).keys
  if (hasKeys(home)) {
    if (ownVrfKey) throw new UsageError(`${folder}: there are keys already; --own-vrf-key is for new ones`)
    terminal.note(`The keys in ${folder} were there already.`)
  } else {
    writeKeys(home, randomKeys({ hasOwnVrfSecret: ownVrfKey === true }))
    terminal.note(`Made keys in ${folder}: keep a copy in a safe place, and show them to nobody.`)
    terminal.note('The record below is public: it is what "diseq genesis" takes.')
  }
  // The record is JSON in either case: it is made to be sent on.
  terminal.print(JSON.stringify(validatorRecordOf(readKeys(home), { name, power }), null, 2))
}
