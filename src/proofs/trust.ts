// What a verifier starts from: the genesis file, and nothing else.
import { type Decoded, type KeyRules, parseGenesis, type Sha256 } from '../codec/index.ts'
import {
  isValidPublicKey,
  isValidVrfKey,
  type SignedBytes,
  sha256,
  verifySignature,
} from '../crypto/portable/index.ts'
import { type Thresholds, thresholdsOf } from '../quorum/index.ts'
import type { BlockId, Genesis, Height, TimeMs } from '../types/index.ts'

/** A genesis that the verifier's user believes in: everything else is proven. */
export interface Trust {
  readonly genesis: Genesis
  readonly powers: readonly number[]
  readonly thresholds: Thresholds
  readonly sha256: Sha256
  readonly verifySignature: (signed: SignedBytes) => boolean
}

/** A block that is believed, and from which a chain of headers goes on. */
export interface TrustedBlock {
  readonly height: Height
  readonly id: BlockId
  readonly time: TimeMs
}

/** Other hands for the same work: a program of Node may bring its faster ones, which give the same answers. */
export interface TrustOptions {
  readonly sha256?: Sha256
  readonly verifySignature?: (signed: SignedBytes) => boolean
}

/** Trust in the genesis of this text. A reason where it is none; never throws for any text. */
export function trustGenesis(text: string, options: TrustOptions = {}): Decoded<Trust> {
  const hands = { sha256, verifySignature, ...options }
  const keys: KeyRules = { isValidPublicKey, isValidVrfKey }
  const decoded = parseGenesis(text, { sha256: hands.sha256, keys })
  if (!decoded.ok) return decoded
  const genesis = decoded.value
  const powers = genesis.validators.map(({ power }) => power)
  return {
    ok: true,
    value: { genesis, powers, thresholds: thresholdsOf(powers, genesis.faultModel), ...hands },
  }
}

/** Block 0. */
export function genesisBlock({ genesis }: Trust): TrustedBlock {
  return { height: 0, id: genesis.hash as BlockId, time: genesis.time }
}
