// `diseq simulate`: runs of the simulator, from a seed.
import { availableParallelism } from 'node:os'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { FaultGroup, GenerateOptions, RunReport, Scenario } from '../../simulation/index.ts'
import { type CommonOptions, type Context, faultModelOption, integerOption, newCommand } from '../command.ts'
import { exitCodes, UsageError } from '../errors.ts'
import { SimulationWorker } from '../simulation-worker.ts'

interface Options extends CommonOptions {
  readonly seed: number
  readonly count: number
  readonly validators?: number
  readonly faults?: readonly FaultGroup[]
  readonly lies?: readonly string[]
  readonly faultModel?: 'byzantine' | 'crash'
  readonly longer: number
  readonly jobs: number
  readonly trace?: true
  readonly shrink: boolean
}

/** As the simulator has them; loading it takes longer than printing a help text. */
const groups = ['network', 'crash', 'disk', 'clock', 'liars']
const shrinkRunsMax = 400
/** A line that stays, also where there is no terminal. */
const seedsPerNote = 250

export function addSimulateCommand(program: Command, context: Context): void {
  newCommand(program, 'simulate', 'run real replicas over an imagined network that a seed breaks')
    .addOption(
      new Option('--seed <n>', 'the first seed')
        .argParser(integerOption({ min: 0, max: 0xffff_ffff }))
        .default(1),
    )
    .addOption(
      new Option('--count <n>', 'seeds to run, one after another; 0: until stopped')
        .argParser(integerOption({ min: 0, max: 1_000_000_000 }))
        .default(1),
    )
    .addOption(
      new Option('--validators <n>', 'instead of what the seed says').argParser(
        integerOption({ min: 1, max: 100 }),
      ),
    )
    .addOption(
      new Option('--faults <groups>', `only these, with commas: ${groups.join(', ')}; or none`).argParser(
        groupsOf,
      ),
    )
    .addOption(
      new Option('--lies <names>', 'what liars do, with commas, instead of what the seed says').argParser(
        (text: string) => text.split(','),
      ),
    )
    .addOption(faultModelOption())
    .addOption(
      new Option('--longer <n>', 'runs this many times as long, with as many more faults')
        .argParser(integerOption({ min: 1, max: 100 }))
        .default(1),
    )
    .addOption(
      new Option('--jobs <n>', 'processes that share the seeds; 0: one for each core')
        .argParser(integerOption({ min: 0, max: 256 }))
        .default(1),
    )
    .option('--trace', 'print what happens, for a person to read')
    .option('--no-shrink', 'do not cut a failing run down to what it needs to fail')
    .action((options: Options) => simulate(options, context))
}

async function simulate(options: Options, context: Context): Promise<void> {
  const { lieNames } = await import('../../simulation/index.ts')
  const unknown = options.lies?.find((lie) => !lieNames.includes(lie))
  if (unknown !== undefined) throw new UsageError(`--lies: "${unknown}" is none of: ${lieNames.join(', ')}`)
  if (options.trace !== undefined && options.count !== 1)
    throw new UsageError('--trace prints one run: give it a --seed, and no --count')
  if (options.count === 1) await simulateOne(options, context)
  else await simulateMany(options, context)
}

/** In this process, for whoever wants to look. */
async function simulateOne(options: Options, context: Context): Promise<void> {
  const { terminal } = context
  const { run, scenarioOf, Tally } = await import('../../simulation/index.ts')
  const { trace, json } = options
  const report = await run(
    scenarioOf(generateOptions(options.seed, options)),
    trace === undefined ? {} : { trace: (line) => terminal.print(line) },
  )
  if (json) terminal.print(JSON.stringify(report))
  if (report.violation !== undefined) await explainFailure(report, options, context)
  const tally = new Tally()
  tally.add(report)
  if (!json) terminal.print(tally.line)
}

/** In processes of their own, the next seed to whichever is free. */
async function simulateMany(options: Options, context: Context): Promise<void> {
  const { terminal } = context
  const { Tally } = await import('../../simulation/index.ts')
  const { seed: first, count, json } = options
  const end = count === 0 ? Number.POSITIVE_INFINITY : first + count
  const jobs = Math.min(options.jobs === 0 ? availableParallelism() : options.jobs, end - first)
  const tally = new Tally()
  let isStopped = false
  if (count === 0) {
    void terminal.untilStopped().signal.then(() => {
      isStopped = true
    })
  }
  let next = first
  let done = 0
  const work = async (worker: SimulationWorker) => {
    while (!isStopped && next < end) {
      const report = await worker.run(generateOptions(next++, options))
      tally.add(report)
      done += 1
      terminal.progress(tally.line)
      if (done % seedsPerNote === 0) terminal.note(tally.line)
      if (report.violation === undefined) continue
      // A search that goes on until stopped goes on after a failure too.
      if (count !== 0) isStopped = true
      await explainFailure(report, options, context)
    }
  }
  const workers = Array.from({ length: jobs }, () => new SimulationWorker())
  try {
    await Promise.all(workers.map(work))
  } finally {
    for (const worker of workers) worker.stop()
  }
  if (json) {
    terminal.print(JSON.stringify(tally.summary()))
    return
  }
  for (const line of tally.faultLines) terminal.print(line)
  terminal.print(tally.line)
}

function generateOptions(seed: number, options: Options): GenerateOptions {
  const { validators, faults, faultModel, lies, longer } = options
  return {
    seed,
    longer,
    ...(validators === undefined ? {} : { validators }),
    ...(faults === undefined ? {} : { faults }),
    ...(faultModel === undefined ? {} : { faultModel }),
    ...(lies === undefined ? {} : { lies }),
  }
}

/** What broke, how to see it again, and the least that breaks it. */
async function explainFailure(report: RunReport, options: Options, context: Context): Promise<void> {
  const { terminal } = context
  context.exitCode = exitCodes.failed
  const { check, text, atMs } = report.violation ?? { check: '', text: '', atMs: 0 }
  terminal.note(`seed ${report.seed} breaks ${check} at ${Math.round(atMs)} ms: ${text}`)
  terminal.note(`see it again: ${replayCommand(report.seed, options)}`)
  if (!options.shrink) return
  const { run, scenarioOf, shrink } = await import('../../simulation/index.ts')
  const scenario: Scenario = scenarioOf(generateOptions(report.seed, options))
  const shrunk = await shrink(scenario, report, {
    runsMax: shrinkRunsMax,
    onStep: (step) => terminal.progress(`shrinking: ${step}`),
  })
  const { faults, liars, submissions } = shrunk.scenario
  terminal.note(`it takes no more than this to fail (${shrunk.runs} runs):`)
  for (const fault of faults) terminal.note(`  ${JSON.stringify(fault)}`)
  for (const liar of liars) terminal.note(`  ${JSON.stringify(liar)}`)
  terminal.note(`  ${submissions.length} submissions; and what happens then:`)
  await run(shrunk.scenario, { trace: (line) => terminal.note(line) })
}

function replayCommand(seed: number, options: Options): string {
  const { validators, faults, lies, faultModel, longer } = options
  const words = ['npx diseq simulate --seed', seed]
  if (validators !== undefined) words.push('--validators', validators)
  if (faults !== undefined) words.push('--faults', faults.length === 0 ? 'none' : faults.join())
  if (lies !== undefined) words.push('--lies', lies.join())
  if (faultModel !== undefined) words.push('--fault-model', faultModel)
  if (longer !== 1) words.push('--longer', longer)
  return [...words, '--trace'].join(' ')
}

function groupsOf(text: string): FaultGroup[] {
  if (text === 'none') return []
  const names = text.split(',')
  const unknown = names.find((name) => !groups.includes(name))
  if (unknown !== undefined)
    throw new InvalidArgumentError(`"${unknown}" is none of: ${groups.join(', ')}, none.`)
  return names as FaultGroup[]
}
