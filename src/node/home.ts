// The home of a node: config.yaml, genesis.json, keys/, and what the node stores there while it runs. Makes one, and
// gives a node what it needs of one.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { genesisToJson } from '../codec/index.ts'
import type { Genesis, ValidatorIndex } from '../types/index.ts'
import { configFileText } from './config-file.ts'
import { readGenesisFile, validatorIndexOf } from './genesis.ts'
import { HomeError } from './home-error.ts'
import { homePaths } from './home-paths.ts'
import { hasKeys, type NodeKeys, randomKeys, readKeys, writeKeys } from './keys.ts'
import type { NodeConfig } from './options.ts'

export { HomeError, type HomeErrorCode } from './home-error.ts'
export { type HomePaths, homePaths } from './home-paths.ts'

/** Who a node is. */
export interface NodeIdentity {
  readonly genesis: Genesis
  readonly keys: NodeKeys
  /** Undefined for a node that follows the chain without voting. */
  readonly validatorIndex: ValidatorIndex | undefined
}

/** Genesis and keys of a home, found to fit each other. @throws HomeError, naming the file. */
export function readIdentity(home: string): NodeIdentity {
  const genesis = readGenesisFile(homePaths(home).genesis)
  const keys = readKeys(home)
  return { genesis, keys, validatorIndex: validatorIndexOf(genesis, keys) }
}

/** Makes a home: its keys if it has none, genesis and config. The genesis comes last: a home with one is complete.
 *  @throws HomeError 'exists' if it has a genesis; 'wrong-keys' if genesis names only some of its keys. */
export function makeHome({
  home,
  genesis,
  config,
  notes = [],
}: {
  home: string
  genesis: Genesis
  config: Partial<NodeConfig>
  /** For the top of config.yaml. */
  notes?: readonly string[]
}): NodeIdentity {
  const paths = homePaths(home)
  if (existsSync(paths.genesis)) {
    throw new HomeError('exists', `${paths.genesis}: this is the home of a node already; use another folder`)
  }
  mkdirSync(home, { recursive: true })
  if (!hasKeys(home)) writeKeys(home, randomKeys())
  const keys = readKeys(home)
  const identity = { genesis, keys, validatorIndex: validatorIndexOf(genesis, keys) }
  if (!existsSync(paths.config)) writeFileSync(paths.config, configFileText(config, notes))
  writeFileSync(paths.genesis, genesisToJson(genesis), { flag: 'wx' })
  return identity
}
