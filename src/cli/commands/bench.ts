// `diseq bench`: how much a network takes, and how soon it is final.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import {
  DiseqTarget,
  type Form,
  fillChain,
  givenWorkload,
  plotOf,
  randomWorkload,
  runStage,
  type StageFigures,
  tableOf,
  type Workload,
} from '../../bench/index.ts'
import { BenchNetwork } from '../bench-network.ts'
import { type CommonOptions, type Context, integerOption, newCommand, nodeAddress } from '../command.ts'
import { Failure, UsageError } from '../errors.ts'
import type { Terminal } from '../terminal.ts'

interface Options extends CommonOptions {
  readonly network?: 'local'
  readonly validators: number
  readonly node?: readonly string[]
  readonly rate: readonly (number | 'max')[]
  readonly form: Form
  readonly group: number
  readonly size: number
  readonly data?: string
  readonly oneNode?: true
  readonly warmUp: number
  readonly duration: number
  readonly inFlight?: number
  readonly pending: number
  readonly prefill: number
  readonly kill?: number
  readonly output?: string
  readonly profile?: string
}

/** A request is answered when its message is on disk, which it shares with all that came meanwhile: with too few under way
 *  the answer is waited for, and not the nodes. */
const inFlight = { many: 64, single: 512 }
const drainMs = 60_000
const defaultValidators = 4
const afterKillMs = 10_000

export function addBenchCommand(program: Command, context: Context): void {
  const count = (min: number, max: number) => integerOption({ min, max })
  newCommand(program, 'bench', 'measure how many messages a network makes final, and how soon')
    .addOption(
      new Option('--network <kind>', 'local: validators of its own on this machine').choices(['local']),
    )
    .option('--validators <n>', 'with --network local: so many of them', count(1, 16), defaultValidators)
    .option('--node <url>', 'a node of the network to measure; repeat it for more', addNode)
    .addOption(
      new Option('--rate <list>', 'messages a second, each number a stage; max: as fast as they are taken')
        .default(['max'], 'max')
        .argParser(ratesOf),
    )
    .addOption(
      new Option('--form <form>', 'single: a message a request; array or ndjson: many')
        .choices(['single', 'array', 'ndjson'])
        .default('array'),
    )
    .option('--group <n>', 'messages of one request, but for --form single', count(1, 10_000), 100)
    .option('--size <bytes>', 'of each message', count(8, 65_536), 200)
    .option('--data <file>', 'messages from a file, one a line in hex, in place of random ones')
    .option('--one-node', 'send to the first node only')
    .option('--warm-up <seconds>', 'before it measures', count(0, 86_400), 10)
    .option('--duration <seconds>', 'of each stage', count(1, 86_400), 20)
    .option(
      '--in-flight <n>',
      `requests under way at most (default: ${inFlight.many}, with --form single ${inFlight.single})`,
      count(1, 4_096),
    )
    .option('--pending <n>', 'with rate max: messages not final yet, at most', count(1, 10_000_000), 20_000)
    .option(
      '--prefill <n>',
      'messages put into the chain before the first stage, at least',
      count(0, 100_000_000),
      0,
    )
    .option('--kill <index>', 'kill this validator of the local network ten seconds before', count(0, 15))
    .option('--output <dir>', 'write figures.json, table.md and latency.svg there')
    .option('--profile <dir>', 'with --network local: a CPU profile of each node')
    .action((options: Options) => bench(options, context))
}

async function bench(options: Options, { terminal }: Context): Promise<void> {
  if ((options.network === undefined) === (options.node === undefined))
    throw new UsageError('either --network local or --node with an address is needed')
  const workload = workloadOf(options)
  const network =
    options.network === undefined
      ? undefined
      : await BenchNetwork.start({
          validators: options.validators,
          profileTo: options.profile,
          env: terminal.env,
        })
  try {
    const stages = await runStages(options, { workload, network, terminal })
    report(options, stages, terminal)
  } finally {
    await network?.stop()
  }
}

async function runStages(
  options: Options,
  run: { workload: Workload; network: BenchNetwork | undefined; terminal: Terminal },
): Promise<StageFigures[]> {
  const { workload, network, terminal } = run
  const all = network?.addresses ?? options.node ?? []
  if (options.kill !== undefined) {
    if (network === undefined) throw new UsageError('--kill needs --network local')
    if (options.kill >= options.validators) throw new UsageError(`there is no validator ${options.kill}`)
    network.kill(options.kill)
    terminal.note(`Killed node${options.kill}; measuring begins ${afterKillMs / 1000} s from now.`)
    await new Promise((resolve) => setTimeout(resolve, afterKillMs))
  }
  const alive = all.filter((_, index) => index !== options.kill)
  const [first, reader] = [alive[0], alive.at(-1)]
  if (first === undefined || reader === undefined) throw new UsageError('no node is left to send to')
  const processes = (network?.processes ?? []).filter((_, index) => index !== options.kill)
  const nodes = options.oneNode === true ? [first] : alive
  const targetWith = (form: Form) => new DiseqTarget({ nodes, reader, form, processes })
  const common = { drainMs, onProgress: (line: string) => terminal.note(line) }
  if (options.prefill > 0) {
    const onProgress = (count: number) => terminal.progress(`${count} messages put in before`)
    await fillChain(targetWith('array'), { count: options.prefill, onProgress })
  }
  const stages: StageFigures[] = []
  for (const rate of options.rate) {
    terminal.note(`Offering ${rate} messages a second (${workload.description}) …`)
    const stage = await runStage(targetWith(options.form), workload, {
      ...common,
      ...loadOf(options, rate),
    })
    terminal.note(tableOf([stage]))
    stages.push(stage)
  }
  return stages
}

function report(options: Options, stages: readonly StageFigures[], terminal: Terminal): void {
  const table = tableOf(stages)
  terminal.print(options.json === true ? JSON.stringify(stages) : table)
  const isWhole = stages.every(({ missing, doubled }) => missing === 0 && doubled === 0)
  if (options.output !== undefined) {
    mkdirSync(options.output, { recursive: true })
    const parameters = { ...options, node: process.version, platform: `${process.platform} ${process.arch}` }
    const write = (name: string, text: string) => writeFileSync(join(options.output ?? '.', name), text)
    write('figures.json', `${JSON.stringify({ parameters, stages }, null, 2)}\n`)
    write('table.md', `${table}\n`)
    write('latency.svg', plotOf(stages, `${stages[0]?.messages ?? ''}, ${options.form}`))
  }
  if (!isWhole) throw new Failure('messages that were accepted are missing from the chain, or in it twice')
}

/** Also for the comparison with other systems. */
export function workloadOf({ data, size }: Pick<Options, 'data' | 'size'>): Workload {
  if (data === undefined) return randomWorkload(size)
  const lines = readFileSync(data, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
  const messages = lines.map((line) => Buffer.from(line, 'hex')).filter(({ length }) => length >= 8)
  if (messages.length === 0) throw new UsageError(`${data}: a message a line in hex is needed`)
  return givenWorkload(messages, `the ${messages.length} messages of ${data}`)
}

export function ratesOf(text: string): (number | 'max')[] {
  return text.split(',').map((part) => {
    if (part === 'max') return part
    const rate = Number(part)
    if (!Number.isFinite(rate) || rate <= 0 || rate > 1_000_000)
      throw new InvalidArgumentError('Numbers of messages a second are needed, with commas between, or max.')
    return rate
  })
}

function addNode(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), nodeAddress(text)]
}

/** How much is sent and for how long, as these options have it. */
export function loadOf(
  options: Pick<Options, 'group' | 'inFlight' | 'pending' | 'warmUp' | 'duration'> & { readonly form: Form },
  rate: number | 'max',
) {
  return {
    rate,
    groupSize: options.form === 'single' ? 1 : options.group,
    inFlight: options.inFlight ?? (options.form === 'single' ? inFlight.single : inFlight.many),
    pendingMax: options.pending,
    warmUpMs: 1000 * options.warmUp,
    durationMs: 1000 * options.duration,
  }
}
