// Bytes -> verified frames: the only place where `Verified<…>` is made from bytes (protocol §4, style §3). Decides
// whether a frame is well-formed and every signature in it holds, from genesis alone. Whether a leader is right for
// its view, a justification complete or a block's content correct needs the chain, and is the core's to say.
import {
  decodeFrame,
  encodeCommitments,
  encodeProposalBody,
  encodeVoteBody,
  type FinalBlock,
  type Frame,
  type FrameContext,
  signatureBytes,
} from '../codec/index.ts'
import { type SigningKind, signingInput } from '../crypto/domain.ts'
import { isQuorum, powerOf, type Thresholds } from '../quorum/index.ts'
import type {
  Batch,
  Block,
  Certificate,
  Evidence,
  Genesis,
  Hash,
  PoolCommitment,
  Proposal,
  PublicKey,
  ValidatorIndex,
  Verified,
  Vote,
  VoteKind,
} from '../types/index.ts'
import { RecentSet } from './recent-set.ts'

export type VerifiedFrame =
  | { readonly kind: 'batch'; readonly batch: Verified<Batch> }
  | { readonly kind: 'proposal'; readonly proposal: Verified<Proposal> }
  | { readonly kind: 'pool-commitment'; readonly commitment: Verified<PoolCommitment> }
  | { readonly kind: 'vote'; readonly vote: Verified<Vote> }
  | { readonly kind: 'certificate'; readonly certificate: Verified<Certificate> }
  | { readonly kind: 'evidence'; readonly evidence: Verified<Evidence> }
  | { readonly kind: 'block'; readonly block: Verified<Block> }

/** Why a frame is not valid, whoever looks at it and whenever. */
export type InvalidReason =
  /** Not the canonical bytes of a frame. */
  | 'malformed'
  /** Names a validator that genesis does not have. */
  | 'unknown-validator'
  | 'bad-signature'
  /** A certificate whose signers are not distinct and ascending, or are no quorum. */
  | 'no-quorum'
  /** Its parts contradict each other. */
  | 'inconsistent'
  /** Two signatures that an honest validator may well have made. */
  | 'no-offence'

export type Verification<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly rejected: InvalidReason; readonly detail: string }

/** The native half of the crypto room, as a port. */
export interface VerifierCrypto {
  /** SHA-256. */
  readonly sha256: (bytes: Uint8Array) => Uint8Array
  readonly sha256Hex: (bytes: Uint8Array) => Hash
  /** Ed25519 under the one rule of protocol §2; false, never an error, for signatures and keys of any form. */
  readonly verifySignature: (signed: {
    readonly publicKey: PublicKey
    readonly message: Uint8Array
    readonly signature: Uint8Array
  }) => boolean
}

export interface FrameVerifierOptions {
  readonly genesis: Genesis
  readonly thresholds: Thresholds
  readonly crypto: VerifierCrypto
  /** K of this network. */
  readonly entriesMax: number
  /** Whether the two payloads contradict each other (protocol §2, evidence). Without it all evidence whose
   *  signatures hold passes, and the receiver judges. */
  readonly convicts?: (evidence: Evidence) => boolean
}

/** A signature that is not known to be good. */
export interface UnverifiedSignature {
  /** Tells it from all others. */
  readonly key: string
  readonly signed: Parameters<VerifierCrypto['verifySignature']>[0]
}

interface Signed {
  readonly kind: SigningKind
  readonly publicKey: PublicKey
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
  /** SHA-256 of `bytes` where it is known already. */
  readonly digest?: string
}

interface Fault {
  readonly rejected: InvalidReason
  readonly detail: string
}

/** Signatures remembered as good: a vote seen before costs nothing inside a certificate, a commitment nothing inside
 *  a proposal. About 250 bytes each: 5 MB. */
const rememberedSignatures = 20_000
/** Digests in hex have 64 characters; shorter bytes stand for themselves without a hash. */
const shortBytes = 63

const voteKinds: Record<Certificate['kind'], VoteKind> = {
  notarization: 'notarize',
  nullification: 'nullify',
  finalization: 'finalize',
}

/** Stateless but for its memory of good signatures; no method throws on any bytes. */
export class FrameVerifier {
  readonly #genesis: Genesis
  readonly #thresholds: Thresholds
  readonly #crypto: VerifierCrypto
  readonly #powers: readonly number[]
  readonly #context: FrameContext
  readonly #convicts: (evidence: Evidence) => boolean
  readonly #good = new RecentSet(rememberedSignatures)
  #verifications = 0
  /** While signatures are not computed, but listed. */
  #collecting: UnverifiedSignature[] | undefined

  constructor({ genesis, thresholds, crypto, entriesMax, convicts }: FrameVerifierOptions) {
    this.#genesis = genesis
    this.#thresholds = thresholds
    this.#crypto = crypto
    this.#powers = genesis.validators.map(({ power }) => power)
    this.#context = { limits: genesis.limits, entriesMax, sha256: crypto.sha256, sha256Hex: crypto.sha256Hex }
    this.#convicts = convicts ?? (() => true)
  }

  /** Signatures that had to be computed; those remembered are not in it. */
  get verifications(): number {
    return this.#verifications
  }

  /** What decoders of this network need to know. */
  get context(): FrameContext {
    return this.#context
  }

  /** A frame of which everything holds that genesis alone can tell. */
  verify(bytes: Uint8Array): Verification<VerifiedFrame> {
    const decoded = decodeFrame(bytes, this.#context)
    if (!decoded.ok) return { ok: false, rejected: 'malformed', detail: decoded.reason }
    return this.verifyFrame(decoded.value)
  }

  /** The same for a frame that is decoded already (the API's routes, one's own). */
  verifyFrame(frame: Frame): Verification<VerifiedFrame> {
    const fault = this.#faultOf(frame)
    if (fault !== undefined) return { ok: false, ...fault }
    return { ok: true, value: frame as VerifiedFrame }
  }

  /** A block of block sync: its own signatures, a finalization of it by a quorum, and its batches' signatures.
   *  That the batches are those of the block's content is for the caller to recompute. */
  verifyFinalBlock(final: FinalBlock): Verification<Verified<FinalBlock>> {
    const fault = this.#faultOfFinalBlock(final)
    if (fault !== undefined) return { ok: false, ...fault }
    return { ok: true, value: final as Verified<FinalBlock> }
  }

  /** Signatures of a block of block sync that would have to be computed to verify it: for who computes them elsewhere.
   *  None where the block cannot be valid whatever they are. */
  unverifiedOf(final: FinalBlock): readonly UnverifiedSignature[] {
    const wanted: UnverifiedSignature[] = []
    this.#collecting = wanted
    try {
      return this.#faultOfFinalBlock(final) === undefined ? wanted : []
    } finally {
      this.#collecting = undefined
    }
  }

  /** Takes these for good, as if they had been computed here. */
  remember(good: readonly UnverifiedSignature[]): void {
    this.#verifications += good.length
    for (const { key } of good) this.#good.add(key)
  }

  #faultOf(frame: Frame): Fault | undefined {
    switch (frame.kind) {
      case 'batch':
        return this.#faultOfBatch(frame.batch)
      case 'proposal':
        return this.#faultOfProposal(frame.proposal)
      case 'pool-commitment':
        return this.#faultOfCommitment(frame.commitment)
      case 'vote':
        return this.#faultOfVote(frame.vote)
      case 'certificate':
        return this.#faultOfCertificate(frame.certificate)
      case 'evidence':
        return this.#faultOfEvidence(frame.evidence)
      case 'block':
        return this.#faultOfBlock(frame.block)
    }
  }

  #faultOfBatch({ author, bytes, signature, id }: Batch): Fault | undefined {
    return this.#faultOfSignature({ kind: 'batch', publicKey: author, bytes, signature, digest: id })
  }

  #faultOfCommitment({ validator, bytes, signature }: PoolCommitment): Fault | undefined {
    return this.#faultOfValidator(validator, { kind: 'pool-commitment', bytes, signature })
  }

  #faultOfVote(vote: Vote): Fault | undefined {
    const { kind, validator, signature } = vote
    return this.#faultOfValidator(validator, { kind, bytes: encodeVoteBody(vote), signature })
  }

  /** Every signature must hold: a certificate with a bad one beyond its quorum is none (protocol §2). */
  #faultOfCertificate(certificate: Certificate): Fault | undefined {
    const { signatures, height, view } = certificate
    let previous = -1
    for (const { validator } of signatures) {
      if (validator <= previous) return fault('no-quorum', 'signers are not distinct and ascending')
      if (validator >= this.#powers.length) return unknownValidator(validator)
      previous = validator
    }
    const power = powerOf(
      this.#powers,
      signatures.map(({ validator }) => validator),
    )
    if (!isQuorum(this.#thresholds, power)) return fault('no-quorum', `power ${power}`)

    const kind = voteKinds[certificate.kind]
    const body =
      certificate.kind === 'nullification'
        ? encodeVoteBody({ kind: 'nullify', height, view })
        : encodeVoteBody({
            kind: certificate.kind === 'notarization' ? 'notarize' : 'finalize',
            height,
            view,
            blockId: certificate.blockId,
          })
    return firstFault(signatures, ({ validator, signature }) =>
      this.#faultOfValidator(validator, { kind, bytes: body, signature }),
    )
  }

  #faultOfProposal(proposal: Proposal): Fault | undefined {
    const { height, view, leader, signature, block, justification } = proposal
    const bytes = encodeProposalBody(proposal)
    const unsigned = this.#faultOfValidator(leader, { kind: 'proposal', bytes, signature })
    if (unsigned !== undefined) return unsigned

    if (block !== undefined) {
      const mismatch = faultOfProposedBlock(proposal, block) ?? this.#faultOfBlock(block)
      if (mismatch !== undefined) return mismatch
    }
    for (const certificate of justification) {
      if (certificate.height !== height || certificate.view >= view)
        return fault('inconsistent', 'justified by a certificate of another height or of no earlier view')
      if (certificate.kind === 'finalization')
        return fault('inconsistent', 'justified by a finalization: the height is over')
    }
    return firstFault(justification, (certificate) => this.#faultOfCertificate(certificate))
  }

  /** The maker's signature, and the commitments' (protocol §3.3). The header names the commitments by their hash:
   *  without that check a relay could swap them under the leader's good signature, and shut out its real block. */
  #faultOfBlock(block: Block): Fault | undefined {
    const { header, id, signature, commitments } = block
    if (header.chainId !== this.#genesis.chainId) return fault('inconsistent', 'a block of another chain')
    if (commitments.some(({ height }) => height !== header.height))
      return fault('inconsistent', 'a commitment of another height')
    if (this.#crypto.sha256Hex(encodeCommitments(commitments)) !== header.commitmentsHash)
      return fault('inconsistent', 'the commitments are not those that the header names')

    const bytes = encodeProposalBody({ height: header.height, view: header.view, blockId: id })
    const unsigned = this.#faultOfValidator(header.leader, { kind: 'proposal', bytes, signature })
    return unsigned ?? firstFault(commitments, (commitment) => this.#faultOfCommitment(commitment))
  }

  #faultOfEvidence(evidence: Evidence): Fault | undefined {
    const { validator, first, second } = evidence
    if (!this.#convicts(evidence)) return fault('no-offence', 'the two signatures do not contradict')
    return this.#faultOfValidator(validator, first) ?? this.#faultOfValidator(validator, second)
  }

  #faultOfFinalBlock({ block, finalization, batches }: FinalBlock): Fault | undefined {
    if (finalization.blockId !== block.id || finalization.height !== block.header.height)
      return fault('inconsistent', 'the finalization is of another block')
    if (finalization.view < block.header.view)
      return fault('inconsistent', 'final in a view before it was made')
    return (
      this.#faultOfCertificate(finalization) ??
      this.#faultOfBlock(block) ??
      firstFault(batches, (batch) => this.#faultOfBatch(batch))
    )
  }

  #faultOfValidator(validator: ValidatorIndex, signed: Omit<Signed, 'publicKey'>): Fault | undefined {
    const publicKey = this.#genesis.validators[validator]?.votingKey
    if (publicKey === undefined) return unknownValidator(validator)
    return this.#faultOfSignature({ ...signed, publicKey })
  }

  #faultOfSignature(signed: Signed): Fault | undefined {
    const { kind, publicKey, bytes, signature } = signed
    // Of fixed length, so that no two entries of the memory have one key.
    if (signature.length !== signatureBytes) return fault('bad-signature', `of ${kind}`)
    const key = `${kind}/${publicKey}/${latin1(signature)}/${this.#textOf(signed)}`
    if (this.#good.has(key)) return undefined

    const message = signingInput({ kind, genesisHash: this.#genesis.hash, bytes })
    if (this.#collecting !== undefined) {
      this.#collecting.push({ key, signed: { publicKey, message, signature } })
      return undefined
    }
    this.#verifications += 1
    if (!this.#crypto.verifySignature({ publicKey, message, signature }))
      return fault('bad-signature', `of ${kind}`)
    this.#good.add(key)
    return undefined
  }

  #textOf({ bytes, digest }: Signed): string {
    if (digest !== undefined) return digest
    return bytes.length <= shortBytes ? latin1(bytes) : this.#crypto.sha256Hex(bytes)
  }
}

/** What a proposal says of the block it carries: the id was compared by the decoder. */
function faultOfProposedBlock(proposal: Proposal, { id, header, signature }: Block): Fault | undefined {
  if (id !== proposal.blockId) return fault('inconsistent', 'carries another block than it proposes')
  if (header.height !== proposal.height) return fault('inconsistent', 'a block of another height')
  if (header.view > proposal.view) return fault('inconsistent', 'a block of a later view')
  if (header.view < proposal.view) return undefined
  // Fresh: the block's signature is the proposal's.
  if (header.leader !== proposal.leader) return fault('inconsistent', 'two leaders of one view')
  const same = Buffer.compare(signature, proposal.signature) === 0
  return same ? undefined : fault('inconsistent', 'two signatures of one proposal')
}

function firstFault<T>(items: readonly T[], faultOf: (item: T) => Fault | undefined): Fault | undefined {
  for (const item of items) {
    const found = faultOf(item)
    if (found !== undefined) return found
  }
  return undefined
}

function fault(rejected: InvalidReason, detail: string): Fault {
  return { rejected, detail }
}

function unknownValidator(validator: ValidatorIndex): Fault {
  return fault('unknown-validator', `validator ${validator}`)
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
