// The genesis of a simulated network.
import { peerIdOf, withHashes } from '../codec/index.ts'
import { sha256 } from '../crypto/native/index.ts'
import { type Thresholds, thresholdsOf } from '../quorum/index.ts'
import type { Genesis, PeerId, TimeMs } from '../types/index.ts'
import type { Scenario } from './scenario.ts'
import { identityOf } from './schemes.ts'

const peerIds: PeerId[] = []

/** Kept: its encoding is slow, and always the same. */
export function peerIdOfNode(number: number): PeerId {
  peerIds[number] ??= peerIdOf(identityOf(number).nodeKey)
  return peerIds[number]
}

/** True time 0 of a run, as wall time: room for clocks that go behind. */
const startMs: TimeMs = 1_000_000_000

export function genesisOf(scenario: Pick<Scenario, 'seed' | 'powers' | 'faultModel' | 'limits'>): {
  genesis: Genesis
  thresholds: Thresholds
} {
  const { powers, faultModel, limits } = scenario
  const validators = powers.map((power, index) => {
    const { votingKey, vrfKey, nodeKey } = identityOf(index)
    return { name: `v${index}`, votingKey, vrfKey, nodeKey, peerId: peerIdOfNode(index), power }
  })
  const chainId = `sim-${scenario.seed}`
  const genesis = withHashes({ chainId, time: startMs, faultModel, limits, validators }, sha256)
  return { genesis, thresholds: thresholdsOf(powers, faultModel) }
}
