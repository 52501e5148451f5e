// Block sync verifies on a second thread what it has received, while the main thread applies the blocks before it. What was
// found to hold is remembered where it is asked for later: signatures by the network's verifier, VRF proofs here. All
// else is verified when its block is applied, as without a second thread, so it changes how long it takes and nothing else.
import type { FinalBlock } from '../codec/index.ts'
import type { FrameVerifier } from '../network/index.ts'
import type { Block, Genesis } from '../types/index.ts'
import { nativeSchemes, type Schemes } from './schemes.ts'
import type { Claims, Findings, VrfClaim } from './verifying-thread.ts'

/** More than block sync lets wait. */
const rememberedProofs = 256

type VrfProof = Parameters<Schemes['verifyVrf']>[0]

export class VerifyAhead {
  readonly #genesis: Genesis
  readonly #verifier: FrameVerifier
  readonly #find: (claims: Claims) => Promise<Findings | undefined>
  /** What a proof proves, by `keyOf`. */
  readonly #outputs = new Map<string, Uint8Array>()
  /** The native schemes, which know what was verified ahead. */
  readonly schemes: Schemes = {
    ...nativeSchemes,
    verifyVrf: (proof) => this.#outputs.get(keyOf(proof)) ?? nativeSchemes.verifyVrf(proof),
  }

  /** @param options.find tells what holds, or undefined; must not reject. */
  constructor(options: {
    genesis: Genesis
    verifier: FrameVerifier
    find: (claims: Claims) => Promise<Findings | undefined>
  }) {
    this.#genesis = options.genesis
    this.#verifier = options.verifier
    this.#find = options.find
  }

  /** Resolves when what can be verified ahead of a block is.
   *  @param previous the block before, as far as who sent it says. */
  async verify(final: FinalBlock, previous: Block | undefined): Promise<void> {
    const wanted = this.#verifier.unverifiedOf(final)
    const vrf = previous === undefined ? undefined : this.#vrfClaimOf(final.block, previous)
    const signatures = wanted.map(({ signed }) => signed)
    const findings = await this.#find(vrf === undefined ? { signatures } : { signatures, vrf })
    if (findings === undefined) return
    this.#verifier.remember(wanted.filter((_, at) => findings.holds[at] === true))
    if (vrf === undefined || findings.vrf === undefined) return
    const { alpha, output } = findings.vrf
    this.#outputs.set(keyOf({ publicKey: vrf.publicKey, alpha, proof: vrf.proof }), output)
    const [oldest] = this.#outputs.keys()
    if (this.#outputs.size > rememberedProofs && oldest !== undefined) this.#outputs.delete(oldest)
  }

  #vrfClaimOf({ header }: Block, previous: Block): VrfClaim | undefined {
    const publicKey = this.#genesis.validators[header.leader]?.vrfKey
    if (publicKey === undefined) return undefined
    const { height, vrfProof } = header
    const { hash } = this.#genesis
    return { publicKey, genesisHash: hash, height, previousProof: previous.header.vrfProof, proof: vrfProof }
  }
}

/** Different for any two claims: alpha and proof have their lengths, whatever is claimed else is in the text of the key. */
function keyOf({ publicKey, alpha, proof }: VrfProof): string {
  return `${publicKey}/${Buffer.from(alpha).toString('latin1')}/${Buffer.from(proof).toString('latin1')}`
}
