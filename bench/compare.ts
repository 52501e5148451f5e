// The same work, in the same run, taking turns, on DISEQ and on its peers: `npm run bench:compare -- --help`. All of it
// on loopback, each system started afresh for its turn and deleted after it. How to run and read it: docs/performance.md.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { fillChain, plotOf, runStage, tableOf } from '../src/bench/index.ts'
import { integerOption } from '../src/cli/command.ts'
import { loadOf, ratesOf, workloadOf } from '../src/cli/commands/bench.ts'
import { exitCodes, explain, Failure } from '../src/cli/errors.ts'
import { findCometbft } from './compare/cometbft.ts'
import type { Contender, Form, Found, RunningContender } from './compare/contender.ts'
import { diseqContender } from './compare/diseq.ts'
import { findEtcd } from './compare/etcd.ts'
import { findNats } from './compare/nats.ts'
import { orderOf, ratiosOf, ratioTableOf, type Turn } from './compare/ratios.ts'
import { measureSync, type SyncFigures, syncTableOf } from './compare/sync.ts'

const peerNames = ['cometbft', 'nats', 'etcd'] as const
type PeerName = (typeof peerNames)[number]

interface Options {
  readonly peers: readonly PeerName[]
  readonly cometbft: string
  readonly nats: string
  readonly etcd: string
  readonly rounds: number
  readonly rate: readonly (number | 'max')[]
  readonly form: Form
  readonly group: number
  readonly size: number
  readonly data?: string
  readonly warmUp: number
  readonly duration: number
  readonly inFlight: number
  readonly pending: number
  readonly prefill: number
  readonly sync?: number
  readonly output?: string
  readonly json?: true
}

/** What was accepted is waited for that long at the end of a stage: a peer that drops messages would hold up all. */
const drainMs = 20_000

async function main(args: readonly string[]): Promise<number> {
  const program = makeProgram()
  try {
    program.parse([...args], { from: 'user' })
    await compare(program.opts<Options>())
    return exitCodes.done
  } catch (error) {
    const { exitCode, line } = explain(error)
    if (line !== undefined) console.error(`bench:compare: ${line}`)
    return exitCode
  }
}

function makeProgram(): Command {
  const count = (min: number, max: number) => integerOption({ min, max })
  return new Command('bench:compare')
    .description('the same work on DISEQ and on its peers, taking turns, on this machine')
    .addOption(
      new Option('--peers <list>', 'of cometbft, nats and etcd, with commas between')
        .default(peerNames, 'all')
        .argParser(peersOf),
    )
    .option('--cometbft <path>', 'its program', 'cometbft')
    .option('--nats <path>', 'its program', 'nats-server')
    .option('--etcd <path>', 'its program', 'etcd')
    .option('--rounds <n>', 'turns of each system', count(1, 100), 3)
    .addOption(
      new Option('--rate <list>', 'messages a second, each number a stage; max: as fast as they are taken')
        .default(['max'], 'max')
        .argParser(ratesOf),
    )
    .addOption(
      new Option('--form <form>', 'single: a message a request; array: many')
        .choices(['single', 'array'])
        .default('array'),
    )
    .option('--group <n>', 'messages of one request, but for --form single', count(2, 10_000), 100)
    .option('--size <bytes>', 'of each message', count(8, 65_536), 200)
    .option('--data <file>', 'messages from a file, one a line in hex, in place of random ones')
    .option('--warm-up <seconds>', 'before it measures', count(0, 3_600), 10)
    .option('--duration <seconds>', 'of each stage', count(1, 3_600), 20)
    .option('--in-flight <n>', 'requests under way at most', count(1, 4_096), 64)
    .option('--pending <n>', 'with rate max: messages not final yet, at most', count(1, 10_000_000), 20_000)
    .option(
      '--prefill <n>',
      'messages put into each chain before the first stage, at least',
      count(0, 100_000_000),
      0,
    )
    .option(
      '--sync <seconds>',
      'at the end of a turn a new node fetches the chain, where a system has one, in that time at most',
      count(1, 3_600),
    )
    .option('--output <dir>', 'write compare.json, table.md and latency.svg there')
    .option('--json', 'print results as JSON, for machines')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
}

async function compare(options: Options): Promise<void> {
  workloadOf(options)
  const found = options.peers.map((name) => findPeer(name, options))
  for (const peer of found) if ('absent' in peer) console.error(`Left out: ${peer.absent}.`)
  const contenders = [
    diseqContender(options.form),
    ...found.flatMap((peer) => ('contender' in peer ? [peer.contender] : [])),
  ]
  for (const { name, description } of contenders) console.error(`${name}: ${description}.`)
  const turns: Turn[] = []
  const syncs: SyncFigures[] = []
  for (let round = 0; round < options.rounds; round++) {
    for (const contender of orderOf(contenders, round)) {
      try {
        await takeTurn(contender, round, options, { turns, syncs })
      } catch (error) {
        // A peer that fails has no figure of this round; without DISEQ's there is nothing to compare.
        if (contender.name === 'diseq' || !(error instanceof Error)) throw error
        console.error(`${contender.name} has no figures of round ${round + 1}: ${error.message}`)
      }
    }
  }
  report(options, { contenders, found, turns, syncs })
}

function findPeer(name: PeerName, options: Options): Found {
  switch (name) {
    case 'cometbft':
      return findCometbft(options.cometbft)
    case 'nats':
      return findNats(options.nats)
    case 'etcd':
      return findEtcd(options.etcd)
  }
}

/** All loads on one system, from nothing. What was measured before something failed is kept. */
async function takeTurn(
  contender: Contender,
  round: number,
  options: Options,
  { turns, syncs }: { readonly turns: Turn[]; readonly syncs: SyncFigures[] },
): Promise<void> {
  const running = await contender.start()
  // Asked to end, it leaves neither processes nor files.
  const release = stoppedBySignals(running)
  try {
    if (options.prefill > 0) await fill(running, { contender, round, count: options.prefill })
    for (const rate of options.rate) {
      const loadAverage = loadavg()[0] ?? Number.NaN
      console.error(
        `Round ${round + 1}, ${contender.name}: ${rate} messages a second (load average ${loadAverage.toFixed(2)}) …`,
      )
      const figures = await runStage(running.target, workloadOf(options), {
        ...loadOf(options, rate),
        drainMs,
        onProgress: (line) => console.error(line),
      })
      turns.push({ round, figures, loadAverage })
    }
    const { syncing } = running
    if (options.sync === undefined || syncing === undefined) return
    console.error(`Round ${round + 1}, ${contender.name}: a new node fetches the chain …`)
    const timeoutMs = options.sync * 1_000
    syncs.push(await measureSync(syncing, { target: contender.name, round, timeoutMs }))
  } finally {
    release()
    await running.stop()
  }
}

async function fill(
  { target }: RunningContender,
  { contender, round, count }: { contender: Contender; round: number; count: number },
): Promise<void> {
  console.error(`Round ${round + 1}, ${contender.name}: ${count} messages are put in before …`)
  const startedMs = performance.now()
  const put = await fillChain(target, { count })
  const seconds = (performance.now() - startedMs) / 1_000
  console.error(`${put} messages in ${seconds.toFixed(1)} s.`)
}

/** Returns what gives the signals back. */
function stoppedBySignals(running: RunningContender): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const stop = () => {
    release()
    void running.stop().finally(() => process.exit(exitCodes.failed))
  }
  const release = () => {
    for (const signal of signals) process.off(signal, stop)
  }
  for (const signal of signals) process.on(signal, stop)
  return release
}

function report(
  options: Options,
  {
    contenders,
    found,
    turns,
    syncs,
  }: {
    contenders: readonly Contender[]
    found: readonly Found[]
    turns: readonly Turn[]
    syncs: readonly SyncFigures[]
  },
): void {
  const ratios = ratiosOf(turns)
  const stages = turns.map(({ figures }) => figures)
  const tables = [tableOf(stages), ratioTableOf(ratios)]
  if (syncs.length > 0) tables.push(syncTableOf(syncs))
  const table = tables.join('\n\n')
  const record = {
    parameters: { ...options, node: process.version, platform: `${process.platform} ${process.arch}` },
    cores: cpus().length,
    systems: contenders.map(({ name, description }) => ({ name, description })),
    leftOut: found.flatMap((peer) => ('absent' in peer ? [peer.absent] : [])),
    turns,
    ratios,
    syncs,
  }
  console.log(options.json === true ? JSON.stringify(record) : table)
  if (options.output !== undefined) {
    mkdirSync(options.output, { recursive: true })
    const write = (name: string, text: string) => writeFileSync(join(options.output ?? '.', name), text)
    write('compare.json', `${JSON.stringify(record, null, 2)}\n`)
    write('table.md', `${table}\n`)
    write('latency.svg', plotOf(stages, `${stages[0]?.messages ?? ''}, ${options.form}`))
  }
  // What a peer loses or repeats is in its row.
  const isWhole = stages.every(
    ({ target, missing, doubled }) => target !== 'diseq' || (missing === 0 && doubled === 0),
  )
  if (!isWhole) throw new Failure('messages that DISEQ accepted are missing from the chain, or in it twice')
}

function peersOf(text: string): PeerName[] {
  return text.split(',').map((part) => {
    const name = peerNames.find((peer) => peer === part)
    if (name === undefined)
      throw new InvalidArgumentError(`Some of ${peerNames.join(', ')} are needed, with commas between.`)
    return name
  })
}

process.exitCode = await main(process.argv.slice(2))
