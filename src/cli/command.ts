// What commands share: their context, the options that all of them have, and readers of option values.
import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import type { Terminal } from './terminal.ts'

/** Given to each command when it is added. */
export interface Context {
  readonly terminal: Terminal
  /** What the process ends with if nothing is thrown. */
  exitCode: number
}

export interface CommonOptions {
  readonly json?: true
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/** A command with the options that every command has. `start` brings `--log-level` with the rest of the config. */
export function newCommand(program: Command, name: string, description: string): Command {
  const command = program.command(name).description(description)
  command.option('--json', 'print results as JSON, for machines')
  if (name !== 'start') {
    const level = new Option('--log-level <level>', 'debug: print the stack of an error as well').choices(
      logLevels,
    )
    command.addOption(level.default('info'))
  }
  return command
}

export function homeOption(): Option {
  return new Option('--home <dir>', 'folder of the node').env('DISEQ_HOME').makeOptionMandatory()
}

/** The node that a client command talks to. */
export function nodeOption(): Option {
  return new Option('--node <url>', 'address of a node')
    .env('DISEQ_NODE')
    .default('http://127.0.0.1:8080')
    .argParser(nodeAddress)
}

export function nodeAddress(text: string): string {
  const isAddress = /^https?:\/\//.test(text) && URL.canParse(text)
  if (!isAddress) throw new InvalidArgumentError('An address such as http://127.0.0.1:8080 is needed.')
  return text
}

/** Reads an integer within bounds, both allowed. */
export function integerOption({ min, max }: { min: number; max: number }): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d{1,16}$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`An integer from ${min} to ${max} is needed.`)
    }
    return value
  }
}

export function faultModelOption(): Option {
  return new Option('--fault-model <model>', 'what faults the network stands').choices(['byzantine', 'crash'])
}

/** A height, or `latest`. */
export function heightArgument(): Argument {
  return new Argument('<height>', 'a height, or "latest"').argParser((text) =>
    text === 'latest' ? text : integerOption({ min: 0, max: Number.MAX_SAFE_INTEGER })(text),
  )
}
