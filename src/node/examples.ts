// The examples in config/: every option of a node at its default, and a genesis of four validators whose keys are made
// from published seeds, so that nobody can mistake it for one to use.
import { genesisToJson } from '../codec/index.ts'
import { sha256, vrfSeedFromVotingSeed } from '../crypto/native/index.ts'
import { configFileText } from './config-file.ts'
import { makeGenesis } from './genesis.ts'
import { validatorRecordOf } from './validator-record.ts'

const exampleTime = Date.UTC(2026, 0, 1)

export function exampleConfigText(): string {
  return configFileText({}, ['An example of the config.yaml in the home of a node.', ''])
}

export function exampleGenesisText(): string {
  const records = Array.from({ length: 4 }, (_, index) => {
    const name = `example${index}`
    const votingSeed = seedOf(`${name} voting`)
    const keys = { votingSeed, vrfSeed: vrfSeedFromVotingSeed(votingSeed), nodeSeed: seedOf(`${name} node`) }
    return { source: name, text: JSON.stringify(validatorRecordOf(keys, { name, power: 1 })) }
  })
  return genesisToJson(makeGenesis({ chainId: 'example', records, time: exampleTime }))
}

/** Known to everybody who reads this. */
function seedOf(label: string): Uint8Array {
  return sha256(new TextEncoder().encode(`diseq example ${label}`))
}
