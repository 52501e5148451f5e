// `diseq check`: replays the stored chain of a stopped node.
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { homePaths } from '../../node/home.ts'
import { type CommonOptions, type Context, homeOption, newCommand } from '../command.ts'
import { exitCodes, UsageError } from '../errors.ts'
import { plural } from '../format.ts'

interface Options extends CommonOptions {
  readonly home: string
}

export function addCheckCommand(program: Command, context: Context): void {
  newCommand(program, 'check', 'replay the stored chain and verify every root, certificate and index')
    .addOption(homeOption())
    .action((options: Options) => check(options, context))
}

async function check({ home, json }: Options, context: Context): Promise<void> {
  const { terminal } = context
  if (!existsSync(homePaths(home).genesis)) throw new UsageError(`${home}: not the home of a node`)
  const { checkHome } = await import('../../node/check.ts')
  const { problems, height } = await checkHome({
    home,
    onProgress: (at, total) => terminal.progress(`checked block ${at} of ${total}`),
  })
  if (problems.length > 0) context.exitCode = exitCodes.failed
  if (json) {
    terminal.print(JSON.stringify({ home, height, problems }))
    return
  }
  for (const problem of problems) terminal.print(problem)
  terminal.print(
    problems.length === 0
      ? `${home}: all is right, up to block ${height}.`
      : `${home}: ${plural(problems.length, 'problem')} up to block ${height}; delete its database and let it sync again.`,
  )
}
