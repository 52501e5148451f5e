// A network on one machine (or one host a node): genesis, and a home for each node under one folder.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { FaultModel, Genesis, TimeMs } from '../types/index.ts'
import { makeGenesis, readGenesisFile } from './genesis.ts'
import { makeHome } from './home.ts'
import { HomeError } from './home-error.ts'
import { homePaths } from './home-paths.ts'
import { type NodeKeys, publicKeysOf, randomKeys, writeKeys } from './keys.ts'
import type { HostPort } from './option-types.ts'
import { validatorRecordOf } from './validator-record.ts'

export interface TestnetOptions {
  readonly chain: string
  readonly validators: number
  readonly baseHttpPort: number
  readonly baseP2pPort: number
  readonly faultModel: FaultModel
  /** A name or address for each node, where each has a machine or container of its own; all then use the base ports. */
  readonly hosts?: readonly string[]
  /** Addresses to join through, in place of one another's. */
  readonly bootstrap?: readonly string[]
}

export interface TestnetNode {
  readonly name: string
  readonly home: string
  readonly http: HostPort
}

export interface Testnet {
  readonly options: TestnetOptions
  readonly genesis: Genesis
  readonly nodes: readonly TestnetNode[]
}

export const defaultTestnetOptions: TestnetOptions = {
  chain: 'local',
  validators: 4,
  baseHttpPort: 8080,
  baseP2pPort: 9080,
  faultModel: 'byzantine',
}

/** Records the options a folder was made with; written last. */
const descriptionFile = 'testnet.json'

/** Makes the folder, all of it or nothing.
 *  @throws HomeError 'exists' if there is anything in it; 'wrong-config' for ports or hosts that do not work out. */
export function makeTestnet(output: string, options: TestnetOptions, time: TimeMs): Testnet {
  checkOptions(options)
  if (existsSync(output) && readdirSync(output).length > 0) {
    throw new HomeError('exists', `${output}: the folder is not empty; use another --output or delete it`)
  }
  const parent = dirname(resolve(output))
  mkdirSync(parent, { recursive: true })
  const draft = mkdtempSync(join(parent, `.${basename(output)}-`))
  try {
    writeHomes(draft, options, time)
    writeFileSync(join(draft, descriptionFile), `${JSON.stringify(options, null, 2)}\n`)
    renameSync(draft, output)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    throw error
  }
  return describe(output, options)
}

/** The network that a folder holds, or undefined if there is no such folder or nothing in it.
 *  @throws HomeError 'exists' if it holds something else. */
export function readTestnet(output: string): Testnet | undefined {
  if (!existsSync(output) || readdirSync(output).length === 0) return undefined
  const path = join(output, descriptionFile)
  if (!existsSync(path)) {
    throw new HomeError(
      'exists',
      `${output}: no network that "diseq testnet" made (${descriptionFile} is missing); use another --output`,
    )
  }
  return describe(output, JSON.parse(readFileSync(path, 'utf8')) as TestnetOptions)
}

/** @throws HomeError 'contradiction', naming both values, if a wanted option is not the one the folder was made with. */
export function checkAgreement(output: string, made: TestnetOptions, wanted: Partial<TestnetOptions>): void {
  for (const key of Object.keys(wanted) as (keyof TestnetOptions)[]) {
    const [had, want] = [made[key], wanted[key]]
    if (want === undefined || JSON.stringify(had) === JSON.stringify(want)) continue
    const flag = `--${key.replace(/([A-Z])/g, '-$1').toLowerCase()}`
    throw new HomeError(
      'contradiction',
      `${output}: made with ${flag} ${had}, and ${flag} ${want} was asked for; leave the option out, use another --output or delete the folder`,
    )
  }
}

/** The ports of this machine that the nodes of a network listen on. */
export function portsOf({ options }: Testnet): number[] {
  const indexes = Array.from({ length: options.validators }, (_, index) => index)
  return indexes.flatMap((index) => [httpOf(options, index).port, p2pPortOf(options, index)])
}

function writeHomes(folder: string, options: TestnetOptions, time: TimeMs): void {
  const { chain, faultModel, validators } = options
  const keys = Array.from({ length: validators }, () => randomKeys())
  const records = keys.map((nodeKeys, index) => {
    const record = validatorRecordOf(nodeKeys, { name: `node${index}`, power: 1 })
    return { source: `node${index}`, text: JSON.stringify(record) }
  })
  const genesis = makeGenesis({ chainId: chain, records, faultModel, time })
  for (const [index, nodeKeys] of keys.entries()) {
    const home = join(folder, `node${index}`)
    writeKeys(home, nodeKeys)
    const listenHost = options.hosts === undefined ? '127.0.0.1' : '0.0.0.0'
    makeHome({
      home,
      genesis,
      config: {
        http: httpOf(options, index),
        p2p: [`/ip4/${listenHost}/tcp/${p2pPortOf(options, index)}`],
        bootstrap: bootstrapOf(index, keys, options),
      },
      notes: [`node${index} of a network of ${validators} made by "diseq testnet".`],
    })
  }
}

function describe(output: string, options: TestnetOptions): Testnet {
  const nodes = Array.from({ length: options.validators }, (_, index) => {
    const name = `node${index}`
    return { name, home: join(output, name), http: httpOf(options, index) }
  })
  return { options, genesis: readGenesisFile(homePaths(join(output, 'node0')).genesis), nodes }
}

/** Two nodes to join through: one is enough, the second stands in while the first is down. */
function bootstrapOf(index: number, keys: readonly NodeKeys[], options: TestnetOptions): readonly string[] {
  if (options.bootstrap !== undefined) return options.bootstrap
  const others = keys.map((nodeKeys, other) => ({ other, nodeKeys })).filter(({ other }) => other !== index)
  return others.slice(0, 2).map(({ other, nodeKeys }) => {
    const host = options.hosts?.[other] ?? '127.0.0.1'
    const protocol = /^[\d.]+$/.test(host) ? 'ip4' : host.includes(':') ? 'ip6' : 'dns4'
    return `/${protocol}/${host}/tcp/${p2pPortOf(options, other)}/p2p/${publicKeysOf(nodeKeys).peerId}`
  })
}

function httpOf({ baseHttpPort, hosts }: TestnetOptions, index: number): HostPort {
  return { host: '127.0.0.1', port: hosts === undefined ? baseHttpPort + index : baseHttpPort }
}

function p2pPortOf({ baseP2pPort, hosts }: TestnetOptions, index: number): number {
  return hosts === undefined ? baseP2pPort + index : baseP2pPort
}

function checkOptions({ validators, baseHttpPort, baseP2pPort, hosts }: TestnetOptions): void {
  if (hosts !== undefined && hosts.length !== validators) {
    throw new HomeError(
      'wrong-config',
      `--hosts: ${validators} validators need as many hosts, not ${hosts.length}`,
    )
  }
  const count = hosts === undefined ? validators : 1
  const highest = Math.max(baseHttpPort, baseP2pPort) + count - 1
  if (highest > 65_535) {
    throw new HomeError('wrong-config', `ports up to ${highest} would be needed; choose lower base ports`)
  }
  if (Math.abs(baseHttpPort - baseP2pPort) < count) {
    throw new HomeError(
      'wrong-config',
      `--base-http-port ${baseHttpPort} and --base-p2p-port ${baseP2pPort} overlap: they must be ${count} apart`,
    )
  }
}
