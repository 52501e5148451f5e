// `diseq signing`: the record of what a validator signed, for who moves or repairs one. The node must be stopped.
import { existsSync, readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { withSigningRecord } from '../../node/signing-file.ts'
import { type CommonOptions, type Context, homeOption, integerOption, newCommand } from '../command.ts'
import { UsageError } from '../errors.ts'

interface Options extends CommonOptions {
  readonly home: string
  readonly from?: number
}

export function addSigningCommand(program: Command, context: Context): void {
  const signing = program
    .command('signing')
    .description('take the record of what a validator signed to another machine, or begin it anew')
  newCommand(signing, 'export', 'print the record, to be imported where the validator moves to')
    .addOption(homeOption())
    .action((options: Options) => exportRecord(options, context))
  newCommand(signing, 'import', 'take in an exported record; both are kept, the stricter counts')
    .argument('<file>', 'what "diseq signing export" printed')
    .addOption(homeOption())
    .addOption(fromOption())
    .action((file: string, options: Options) => importRecord(file, options, context))
  newCommand(signing, 'start-over', 'go on without a record that is lost')
    .addOption(homeOption())
    .addOption(fromOption())
    .action((options: Options) => startOver(options, context))
}

function fromOption(): Option {
  const description =
    'sign from this height on, which must be above all that the key ever signed at (default: three above the heights that others tell)'
  const read = integerOption({ min: 1, max: Number.MAX_SAFE_INTEGER })
  return new Option('--from <height>', description).argParser(read)
}

async function exportRecord({ home }: Options, { terminal }: Context): Promise<void> {
  const text = await withSigningRecord(home, async ({ record }) => record.exportRecord())
  // JSON in either case: it is made to be carried on.
  terminal.print(text.trimEnd())
  terminal.note(
    'Never start this node again once its record and keys are in use elsewhere: it would sign twice.',
  )
}

async function importRecord(file: string, options: Options, context: Context): Promise<void> {
  if (!existsSync(file)) throw new UsageError(`${file}: there is no such file`)
  const text = readFileSync(file, 'utf8')
  await change(options, context, (record, number) => record.importRecord(text, number))
}

async function startOver(options: Options, context: Context): Promise<void> {
  await change(options, context, (record, number) => record.startOver(number))
}

type Opened = Parameters<Parameters<typeof withSigningRecord>[1]>[0]

async function change(
  { home, from, json }: Options,
  { terminal }: Context,
  action: (record: Opened['record'], databaseNumber: number) => Promise<void>,
): Promise<void> {
  const signFrom = await withSigningRecord(home, async ({ record, databaseNumber }) => {
    await action(record, databaseNumber)
    if (from !== undefined) await record.setSignFrom(from)
    return record.imported ? null : record.signFrom
  })
  if (json) {
    terminal.print(JSON.stringify({ home, signFrom }))
    return
  }
  terminal.print(
    signFrom === null
      ? `${home}: signs nothing until others of a quorum's power tell how far they are; then from three heights above.`
      : `${home}: signs from height ${signFrom} on.`,
  )
}
