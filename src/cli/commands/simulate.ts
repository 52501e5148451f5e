// `diseq simulate`: runs of the simulator, from a seed.
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { FaultGroup, RunReport, Scenario } from '../../simulation/index.ts'
import { type CommonOptions, type Context, faultModelOption, integerOption, newCommand } from '../command.ts'
import { exitCodes, UsageError } from '../errors.ts'

interface Options extends CommonOptions {
  readonly seed: number
  readonly count: number
  readonly validators?: number
  readonly faults?: readonly FaultGroup[]
  readonly lies?: readonly string[]
  readonly faultModel?: 'byzantine' | 'crash'
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
    .option('--trace', 'print what happens, for a person to read')
    .option('--no-shrink', 'do not cut a failing run down to what it needs to fail')
    .action((options: Options) => simulate(options, context))
}

async function simulate(options: Options, context: Context): Promise<void> {
  const { terminal } = context
  const { lieNames, run, scenarioOf, Tally } = await import('../../simulation/index.ts')
  const unknown = options.lies?.find((lie) => !lieNames.includes(lie))
  if (unknown !== undefined) throw new UsageError(`--lies: "${unknown}" is none of: ${lieNames.join(', ')}`)
  const tally = new Tally()
  const { seed: first, count, validators, faults, faultModel, lies, trace, json } = options
  const fixed = {
    ...(validators === undefined ? {} : { validators }),
    ...(faults === undefined ? {} : { faults }),
    ...(faultModel === undefined ? {} : { faultModel }),
    ...(lies === undefined ? {} : { lies }),
  }
  let isStopped = false
  if (count === 0) {
    void terminal.untilStopped().signal.then(() => {
      isStopped = true
    })
  }
  for (let seed = first; !isStopped && (count === 0 || seed < first + count); seed++) {
    const scenario = scenarioOf({ seed, ...fixed })
    const report = await run(scenario, trace === undefined ? {} : { trace: (line) => terminal.print(line) })
    tally.add(report)
    terminal.progress(tally.line)
    if (count !== 1 && (seed - first + 1) % seedsPerNote === 0) terminal.note(tally.line)
    if (json && count === 1) terminal.print(JSON.stringify(report))
    if (report.violation === undefined) continue
    context.exitCode = exitCodes.failed
    await explainFailure({ scenario, report, options, context })
    if (count !== 0) break
  }
  if (json && count !== 1) terminal.print(JSON.stringify(tally.summary()))
  else if (!json) terminal.print(tally.line)
}

/** What broke, how to see it again, and the least that breaks it. */
async function explainFailure(details: {
  scenario: Scenario
  report: RunReport
  options: Options
  context: Context
}): Promise<void> {
  const { scenario, report, options, context } = details
  const { terminal } = context
  const { check, text, atMs } = report.violation ?? { check: '', text: '', atMs: 0 }
  terminal.note(`seed ${report.seed} breaks ${check} at ${Math.round(atMs)} ms: ${text}`)
  terminal.note(`see it again: ${replayCommand(report.seed, options)}`)
  if (!options.shrink) return
  const { run, shrink } = await import('../../simulation/index.ts')
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

function replayCommand(seed: number, { validators, faults, lies, faultModel }: Options): string {
  const words = ['npx diseq simulate --seed', seed]
  if (validators !== undefined) words.push('--validators', validators)
  if (faults !== undefined) words.push('--faults', faults.length === 0 ? 'none' : faults.join())
  if (lies !== undefined) words.push('--lies', lies.join())
  if (faultModel !== undefined) words.push('--fault-model', faultModel)
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
