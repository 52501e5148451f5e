// Real keys, a small chain and frames signed with them.
import {
  bytesToHex,
  commitmentEntriesMax,
  defaultLimits,
  encodeBatchBody,
  encodeCommitments,
  encodeHeader,
  encodePoolCommitmentBody,
  encodeProposalBody,
  encodeVoteBody,
  type FinalBlock,
  type Frame,
  peerIdOf,
  withHashes,
} from '../../../src/codec/index.ts'
import {
  createSigner,
  type SigningKind,
  sha256,
  sha256Hex,
  signingInput,
  verifySignature,
} from '../../../src/crypto/native/index.ts'
import { FrameVerifier, type FrameVerifierOptions } from '../../../src/network/verify.ts'
import { thresholdsOf } from '../../../src/quorum/index.ts'
import type {
  Batch,
  BatchId,
  Block,
  BlockId,
  Certificate,
  Evidence,
  Genesis,
  Hash,
  Header,
  MessageId,
  PoolCommitment,
  Proposal,
  Verified,
  Vote,
  VrfPublicKey,
} from '../../../src/types/index.ts'

export const aHash = 'ab'.repeat(32) as Hash
export const aBlockId = 'cd'.repeat(32) as BlockId

export type VoteBody = Parameters<typeof encodeVoteBody>[0]

/** The chain of `count` validators and the means to sign for it. `salt` makes another genesis of the same keys. */
export function aChain({ count = 4, salt = 0, chainId = 'test' } = {}) {
  const voters = Array.from({ length: count }, (_, index) => createSigner(seedOf(index, 1)))
  const identitySeeds = Array.from({ length: count }, (_, index) => seedOf(index, 2))
  const nodes = identitySeeds.map((seed) => createSigner(seed))
  const genesis = withHashes(
    {
      chainId,
      time: 1_700_000_000_000 + salt,
      faultModel: 'byzantine',
      limits: defaultLimits,
      validators: nodes.map((node, index) => ({
        name: `v${index}`,
        votingKey: (voters[index] ?? node).publicKey,
        vrfKey: bytesToHex(seedOf(index, 3)) as VrfPublicKey,
        peerId: peerIdOf(node.publicKey),
        nodeKey: node.publicKey,
        power: 1,
      })),
    },
    sha256,
  )
  return new Chain(genesis, voters, nodes, identitySeeds)
}

export function seedOf(index: number, purpose: number): Uint8Array {
  return sha256(Uint8Array.of(index, purpose))
}

type Signer = ReturnType<typeof createSigner>

export class Chain {
  readonly genesis: Genesis
  readonly voters: readonly Signer[]
  readonly nodes: readonly Signer[]
  readonly identitySeeds: readonly Uint8Array[]

  constructor(
    genesis: Genesis,
    voters: readonly Signer[],
    nodes: readonly Signer[],
    identitySeeds: readonly Uint8Array[],
  ) {
    this.genesis = genesis
    this.voters = voters
    this.nodes = nodes
    this.identitySeeds = identitySeeds
  }

  verifier(options: Partial<FrameVerifierOptions> = {}): FrameVerifier {
    const { validators, faultModel, limits } = this.genesis
    const powers = validators.map(({ power }) => power)
    return new FrameVerifier({
      genesis: this.genesis,
      thresholds: thresholdsOf(powers, faultModel),
      crypto: { sha256, sha256Hex, verifySignature },
      entriesMax: commitmentEntriesMax(limits, validators.length),
      ...options,
    })
  }

  /** Signed by validator `index` with its voting key. */
  sign(index: number, kind: SigningKind, bytes: Uint8Array): Uint8Array {
    return at(this.voters, index).sign(signingInput({ kind, genesisHash: this.genesis.hash, bytes }))
  }

  batch({ author = 0, text = 'hello', sizeBytes = 0, messageCount = 1 } = {}): Batch {
    const data = sizeBytes > 0 ? new Uint8Array(sizeBytes).fill(text.length) : new TextEncoder().encode(text)
    const node = at(this.nodes, author)
    const messages = Array.from({ length: messageCount }, (_, timestamp) => ({ data, timestamp }))
    const bytes = encodeBatchBody(node.publicKey, messages, this.genesis.limits)
    const signature = node.sign(signingInput({ kind: 'batch', genesisHash: this.genesis.hash, bytes }))
    const messageIds: MessageId[] = []
    return { id: sha256Hex(bytes) as BatchId, author: node.publicKey, messages, messageIds, bytes, signature }
  }

  commitment({ validator = 0, height = 1, time = 5 } = {}): PoolCommitment {
    const entries = [{ batchId: aHash as BatchId, receivedAt: 4 }]
    const bytes = encodePoolCommitmentBody({ height, time, entries })
    const signature = this.sign(validator, 'pool-commitment', bytes)
    return { height, time, entries, validator, bytes, signature }
  }

  vote(body: VoteBody, validator = 0): Vote {
    return { ...body, validator, signature: this.sign(validator, body.kind, encodeVoteBody(body)) }
  }

  certificate(body: VoteBody, signers: readonly number[] = [0, 1, 2]): Certificate {
    const signatures = signers.map((validator) => {
      const { signature } = this.vote(body, validator)
      return { validator, signature }
    })
    const { height, view } = body
    if (body.kind === 'nullify') return { kind: 'nullification', height, view, signatures }
    const kind = body.kind === 'notarize' ? 'notarization' : 'finalization'
    return { kind, height, view, blockId: body.blockId, signatures }
  }

  block({ height = 1, view = 0, leader = 0, commitments = this.#quorumOfCommitments(height) } = {}): Block {
    const header: Header = {
      version: 1,
      chainId: this.genesis.chainId,
      height,
      view,
      time: 5,
      previousBlockId: aBlockId,
      leader,
      vrfProof: new Uint8Array(80),
      commitmentsHash: sha256Hex(encodeCommitments(commitments)),
      batchesHash: aHash,
      sequenceRoot: aHash,
      messageCount: 1,
      namespacesRoot: aHash,
      namespaceCount: 0,
      stateHeight: height,
      stateRoot: aHash,
      validatorsHash: aHash,
      nextValidatorsHash: aHash,
    }
    return this.blockOf(header, commitments)
  }

  blockOf(header: Header, commitments: readonly PoolCommitment[]): Block {
    const headerBytes = encodeHeader(header)
    const id = sha256Hex(headerBytes) as BlockId
    const { height, view, leader } = header
    const signature = this.sign(leader, 'proposal', encodeProposalBody({ height, view, blockId: id }))
    return { id, header, headerBytes, signature, commitments }
  }

  proposal({
    block = this.block(),
    view = block.header.view,
    leader = block.header.leader,
    justification = [],
  }: {
    block?: Block
    view?: number
    leader?: number
    justification?: readonly Certificate[]
  } = {}): Proposal {
    const { height } = block.header
    const signature = this.sign(leader, 'proposal', encodeProposalBody({ height, view, blockId: block.id }))
    return { height, view, blockId: block.id, leader, signature, block, justification }
  }

  evidence(validator = 1, height = 1): Evidence {
    const bodies = ['11', '22'].map((digits) =>
      encodeVoteBody({ kind: 'notarize', height, view: 0, blockId: digits.repeat(32) as BlockId }),
    )
    const [first, second] = bodies.map((bytes) => ({
      kind: 'notarize' as const,
      bytes,
      signature: this.sign(validator, 'notarize', bytes),
    }))
    if (first === undefined || second === undefined) throw new Error('two payloads were made')
    return { validator, height, first, second }
  }

  finalBlock(height = 1): FinalBlock {
    const block = this.block({ height })
    const finalization = this.certificate({ kind: 'finalize', height, view: 0, blockId: block.id })
    if (finalization.kind !== 'finalization') throw new Error('a finalization was made')
    return { block, finalization, batches: [this.batch()] }
  }

  /** One frame of every kind, each valid. */
  everyFrame(): Frame[] {
    return [
      { kind: 'batch', batch: this.batch() },
      { kind: 'proposal', proposal: this.proposal() },
      { kind: 'pool-commitment', commitment: this.commitment() },
      { kind: 'vote', vote: this.vote({ kind: 'notarize', height: 1, view: 0, blockId: aBlockId }) },
      { kind: 'vote', vote: this.vote({ kind: 'nullify', height: 1, view: 0 }) },
      { kind: 'vote', vote: this.vote({ kind: 'finalize', height: 1, view: 0, blockId: aBlockId }) },
      { kind: 'certificate', certificate: this.certificate({ kind: 'nullify', height: 1, view: 0 }) },
      { kind: 'evidence', evidence: this.evidence() },
      { kind: 'block', block: this.block() },
    ]
  }

  #quorumOfCommitments(height: number): PoolCommitment[] {
    return [0, 1, 2].map((validator) => this.commitment({ validator, height }))
  }
}

/** For tests of what only takes verified values. */
export function asVerified<T>(value: T): Verified<T> {
  return value as Verified<T>
}

/** A copy with one bit turned. */
export function flipped(bytes: Uint8Array, index = 0): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[index] = (copy[index] ?? 0) ^ 1
  return copy
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw new Error(`nothing at ${index}`)
  return item
}
