// One verifier for all nodes of a run. What it says of bytes follows from genesis alone, and what it makes of them is never
// changed, so bytes that were sent to many nodes are decoded and verified once; they are known by being the same object.
import { commitmentEntriesMax } from '../codec/index.ts'
import { sha256, sha256Hex } from '../crypto/native/index.ts'
import { FrameVerifier, type Verification, type VerifiedFrame } from '../network/verify.ts'
import type { Thresholds } from '../quorum/index.ts'
import { conflictOf } from '../sequencing/index.ts'
import type { Genesis } from '../types/index.ts'
import type { SimulatedSchemes } from './schemes.ts'

export class SharedVerifier extends FrameVerifier {
  readonly #known = new WeakMap<Uint8Array, Verification<VerifiedFrame>>()

  constructor(details: { genesis: Genesis; thresholds: Thresholds; schemes: SimulatedSchemes }) {
    const { genesis, thresholds, schemes } = details
    super({
      genesis,
      thresholds,
      crypto: { sha256, sha256Hex, verifySignature: schemes.verifySignature },
      entriesMax: commitmentEntriesMax(genesis.limits, genesis.validators.length),
      convicts: ({ first, second }) => conflictOf(first, second) !== undefined,
    })
  }

  override verify(bytes: Uint8Array): Verification<VerifiedFrame> {
    const known = this.#known.get(bytes)
    if (known !== undefined) return known
    const verified = super.verify(bytes)
    this.#known.set(bytes, verified)
    return verified
  }
}
