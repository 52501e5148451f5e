// A node's config: defaults, then config.yaml in the home, then DISEQ_* environment variables, then flags; the later
// wins. All are checked against the table in options.ts, and an error names the option and where it stood.
import { existsSync, readFileSync } from 'node:fs'
import { LineCounter, parseDocument } from 'yaml'
import { HomeError } from './home-error.ts'
import { homePaths } from './home-paths.ts'
import { suggestion } from './nearest.ts'
import {
  environmentNameOf,
  flagNameOf,
  type NodeConfig,
  type OptionKey,
  optionKeys,
  optionOf,
} from './options.ts'

export { formatHostPort, type HostPort } from './option-types.ts'
export {
  environmentNameOf,
  flagNameOf,
  type NodeConfig,
  type OptionKey,
  optionKeys,
  optionOf,
} from './options.ts'

/** Variables with the prefix that are no options of a node: `--home` and `--node` of the command line. */
export const otherEnvironmentNames = ['DISEQ_HOME', 'DISEQ_NODE']

/** Options as texts, as they come from flags. */
export type Flags = Partial<Record<OptionKey, string>>
type Environment = Readonly<Record<string, string | undefined>>
type Values = Partial<Record<OptionKey, unknown>>

/** The config of the node at `home`. A home without config.yaml has the defaults.
 *  @throws HomeError 'wrong-config', naming the option, where it stood and what is needed. */
export function loadConfig({
  home,
  flags = {},
  env,
}: {
  home: string
  flags?: Flags
  env: Environment
}): NodeConfig {
  const path = homePaths(home).config
  const fromFile = existsSync(path) ? readConfigFile(readFileSync(path, 'utf8'), path) : {}
  const values = { ...defaultConfig(), ...fromFile, ...readEnvironment(env), ...readFlags(flags) }
  return checkTogether(values as NodeConfig)
}

export function defaultConfig(): NodeConfig {
  return Object.fromEntries(optionKeys.map((key) => [key, optionOf(key).default])) as NodeConfig
}

/** The options that a config file sets. @param path for errors. @throws HomeError 'wrong-config'. */
export function readConfigFile(text: string, path: string): Partial<NodeConfig> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, strict: true, uniqueKeys: true })
  const error = document.errors[0]
  if (error !== undefined) {
    const line = error.linePos?.[0].line ?? 1
    throw new HomeError('wrong-config', `${path}, line ${line}: ${firstLine(error.message)}`)
  }
  const content: unknown = document.toJS()
  if (content === null || content === undefined) return {}
  if (typeof content !== 'object' || Array.isArray(content)) {
    throw new HomeError('wrong-config', `${path}: lines of "option: value" are needed`)
  }
  const values: Values = {}
  for (const [name, value] of Object.entries(content)) {
    const key = keyNamed(name)
    if (key === undefined) throw unknownOption(`${path}: ${name}`, name, optionKeys)
    const read = optionOf(key).type.fromYaml(value)
    if ('needed' in read) throw new HomeError('wrong-config', `${path}: ${name}: ${read.needed}`)
    values[key] = read.value
  }
  return values as Partial<NodeConfig>
}

function readEnvironment(env: Environment): Values {
  const names = new Map(optionKeys.map((key) => [environmentNameOf(key), key]))
  const values: Values = {}
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('DISEQ_') || otherEnvironmentNames.includes(name) || text === undefined) continue
    const key = names.get(name)
    if (key === undefined) {
      throw unknownOption(`environment variable ${name}`, name, [...names.keys(), ...otherEnvironmentNames])
    }
    values[key] = fromText(key, text, `environment variable ${name}`)
  }
  return values
}

function readFlags(flags: Flags): Values {
  const values: Values = {}
  for (const key of optionKeys) {
    const text = flags[key]
    if (text !== undefined) values[key] = fromText(key, text, flagNameOf(key))
  }
  return values
}

function fromText(key: OptionKey, text: string, place: string): unknown {
  const read = optionOf(key).type.fromText(text)
  if ('needed' in read) throw new HomeError('wrong-config', `${place}: ${read.needed}`)
  return read.value
}

function keyNamed(name: string): OptionKey | undefined {
  return optionKeys.find((key) => key === name)
}

function unknownOption(place: string, name: string, known: readonly string[]): HomeError {
  return new HomeError('wrong-config', `${place}: there is no such option${suggestion(name, known)}`)
}

/** Rules between options. */
function checkTogether(config: NodeConfig): NodeConfig {
  if (config.viewTimeoutCapMs < config.viewTimeoutMs) {
    const { viewTimeoutCapMs, viewTimeoutMs } = config
    throw new HomeError(
      'wrong-config',
      `viewTimeoutCapMs (${viewTimeoutCapMs}) must be at least viewTimeoutMs (${viewTimeoutMs})`,
    )
  }
  return config
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '')
}
