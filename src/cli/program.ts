// The command line: knows the commands, runs one, turns what goes wrong into a line and an exit code.
import { Command } from 'commander'
import { softwareVersion } from '../node/version.ts'
import type { Context } from './command.ts'
import { addBenchCommand } from './commands/bench.ts'
import { addBlockCommand } from './commands/block.ts'
import { addCheckCommand } from './commands/check.ts'
import { addCompletionCommand } from './commands/completion.ts'
import { addDebugCommand } from './commands/debug.ts'
import { addDevnetCommand } from './commands/devnet.ts'
import { addFollowCommand } from './commands/follow.ts'
import { addGenesisCommand } from './commands/genesis.ts'
import { addInitCommand } from './commands/init.ts'
import { addInspectCommand } from './commands/inspect.ts'
import { addKeysCommand } from './commands/keys.ts'
import { addPoolCommand } from './commands/pool.ts'
import { addProofCommand } from './commands/proof.ts'
import { addSendCommand } from './commands/send.ts'
import { addSigningCommand } from './commands/signing.ts'
import { addSimulateCommand } from './commands/simulate.ts'
import { addStartCommand } from './commands/start.ts'
import { addStatusCommand } from './commands/status.ts'
import { addTestnetCommand } from './commands/testnet.ts'
import { addVerifyCommand } from './commands/verify.ts'
import { exitCodes, explain } from './errors.ts'
import { formatText } from './format.ts'
import type { Terminal } from './terminal.ts'

/** In the order of `--help`. */
const commands = [
  addDevnetCommand,
  addSendCommand,
  addStatusCommand,
  addBlockCommand,
  addPoolCommand,
  addFollowCommand,
  addProofCommand,
  addVerifyCommand,
  addKeysCommand,
  addGenesisCommand,
  addInitCommand,
  addTestnetCommand,
  addStartCommand,
  addCheckCommand,
  addInspectCommand,
  addSigningCommand,
  addDebugCommand,
  addBenchCommand,
  addSimulateCommand,
  addCompletionCommand,
]

/** Runs `diseq` with these arguments and resolves with its exit code; never throws. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  const context: Context = { terminal, exitCode: exitCodes.done }
  try {
    await makeProgram(context).parseAsync([...args], { from: 'user' })
    return context.exitCode
  } catch (error) {
    const { exitCode, line } = explain(error)
    if (line !== undefined) terminal.note(`diseq: ${formatText(line)}`)
    if (isDebugging(args) && error instanceof Error) terminal.note(error.stack ?? '')
    return exitCode
  }
}

/** All commands, for `runCli` and for the reference. */
export function makeProgram(context: Context): Command {
  const { terminal } = context
  const program = new Command('diseq')
  program.description(
    'A peer-to-peer message sequencer: validators agree on one order of messages that anyone can check.',
  )
  program.version(softwareVersion(), '-V, --version', 'print the version')
  program.helpCommand(false).helpOption('-h, --help', 'print this')
  program.exitOverride()
  program.configureOutput({
    writeOut: (text) => terminal.print(text.trimEnd()),
    // Errors are thrown and come out in one form; what is left is the help of a call without a command.
    writeErr: (text) => {
      if (!text.startsWith('error: ')) terminal.note(text.trimEnd())
    },
  })
  for (const add of commands) add(program, context)
  return program
}

/** Looked up in the arguments themselves: what failed may be their parsing. */
function isDebugging(args: readonly string[]): boolean {
  return args.some((arg, at) => {
    const level = arg === '--log-level' ? args[at + 1] : arg.startsWith('--log-level=') ? arg.slice(12) : ''
    return level === 'debug' || level === 'trace'
  })
}
