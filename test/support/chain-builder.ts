// A real chain without a network: the keys of all validators in one hand, blocks made by the node's own code, every
// signature and VRF proof genuine. For tests of whatever reads a chain: proofs, the API, light clients, `diseq check`.
import assert from 'node:assert/strict'
import { type ChainState, genesisState } from '../../src/chain/index.ts'
import {
  commitmentEntriesMax,
  decodeBatch,
  decodePoolCommitment,
  defaultLimits,
  encodeBatchBody,
  encodePoolCommitmentBody,
  encodeProposalBody,
  encodeVoteBody,
  type FinalBlock,
  peerIdOf,
  withHashes,
} from '../../src/codec/index.ts'
import { leaderOf } from '../../src/consensus/index.ts'
import {
  createSigner,
  createVrfProver,
  type SigningKind,
  sha256,
  signingInput,
  vrfInput,
  vrfSeedFromVotingSeed,
} from '../../src/crypto/native/index.ts'
import { Mempool } from '../../src/mempool/index.ts'
import { ChainHead, type FinalEvent } from '../../src/node/chain-head.ts'
import { BlockExecution, type Executed } from '../../src/node/execution.ts'
import { type NodeKeys, publicKeysOf } from '../../src/node/keys.ts'
import { openTrie } from '../../src/node/restart.ts'
import { nativeSchemes, verifySignedOf } from '../../src/node/schemes.ts'
import { thresholdsOf } from '../../src/quorum/index.ts'
import { makeEvidence, messageOfEvidence } from '../../src/sequencing/index.ts'
import { ChainStore, defaultPartMessages, type KeyValueStore, MemoryStore } from '../../src/storage/index.ts'
import { type CheckpointRule, LocalStateTrie } from '../../src/trie/index.ts'
import type {
  Batch,
  BatchId,
  Block,
  BlockId,
  Certificate,
  CertificateSignature,
  Evidence,
  Genesis,
  Height,
  Message,
  PoolCommitment,
  ProtocolLimits,
  ValidatorIndex,
  View,
  Vote,
  VoteBody,
} from '../../src/types/index.ts'

export interface ChainBuilderOptions {
  /** 4 if not given. */
  readonly validatorCount?: number
  /** Powers by index; 1 each if not given. */
  readonly powers?: readonly number[]
  /** Another one gives other keys. */
  readonly seed?: number
  readonly chainId?: string
  readonly limits?: Partial<ProtocolLimits>
  /** Where the chain is stored; in memory if not given. */
  readonly store?: KeyValueStore
  /** When the trie is written; often if not given. */
  readonly checkpointRule?: CheckpointRule
  /** Of `ChainStore.open`; what nodes have if not given. */
  readonly partMessages?: number
}

export interface BlockOptions {
  /** Put into one batch of validator 0's node, after `batches`. */
  readonly messages?: readonly Message[]
  readonly batches?: readonly Batch[]
  /** In which the block is made; 0 if not given. */
  readonly view?: View
  /** Whoever's turn it is if not given; with another one it is a block that nobody may accept. */
  readonly leader?: ValidatorIndex
  /** In which it becomes final; `view` if not given. */
  readonly finalView?: View
  /** Whose commitments are attached, ascending; all if not given. */
  readonly attached?: readonly ValidatorIndex[]
  /** Who signs the finalization, ascending; all if not given. */
  readonly signers?: readonly ValidatorIndex[]
  /** The commitments' time, 1 s after the block before it if not given. */
  readonly timeMs?: number
}

/** Times of the made-up chain begin here. */
export const builderTimeMs = 1_700_000_000_000

const oftenRule: CheckpointRule = {
  dirtyBytesMax: 1e6,
  leavesMax: 1000,
  blocksMax: 4,
  pieceBytes: 1e6,
  slackBytes: 5_000,
}

type Signer = ReturnType<typeof createSigner>

export class ChainBuilder {
  readonly genesis: Genesis
  /** Secrets of the validators, by index. */
  readonly keys: readonly NodeKeys[]
  readonly store: ChainStore
  readonly trie: LocalStateTrie
  readonly mempool: Mempool
  readonly #voters: readonly Signer[]
  readonly #nodes: readonly Signer[]
  readonly #head: ChainHead
  readonly #execution: BlockExecution
  readonly #batches = new Map<BatchId, Batch>()

  private constructor(
    genesis: Genesis,
    keys: readonly NodeKeys[],
    { store, rule }: { store: ChainStore; rule: CheckpointRule },
  ) {
    const powers = genesis.validators.map(({ power }) => power)
    this.genesis = genesis
    this.keys = keys
    this.store = store
    this.trie = new LocalStateTrie(openTrie({ store, rule }))
    this.mempool = new Mempool({ maxBytes: 1 << 24, maxBatches: 1_000, reservedAuthors: [], nextHeight: 1 })
    this.#voters = keys.map(({ votingSeed }) => createSigner(votingSeed))
    this.#nodes = keys.map(({ nodeSeed }) => createSigner(nodeSeed))
    const state = genesisState(genesis, sha256)
    this.#head = new ChainHead({ store, mempool: this.mempool, powers, state, trie: this.trie })
    this.#execution = new BlockExecution({
      genesis,
      powers,
      thresholds: thresholdsOf(powers, genesis.faultModel),
      store,
      trie: this.trie,
      sha256,
      verifySigned: verifySignedOf(genesis, nativeSchemes),
      batchOf: (id) => this.#batches.get(id),
    })
  }

  /** A chain at genesis. */
  static async create(options: ChainBuilderOptions = {}): Promise<ChainBuilder> {
    const { validatorCount = options.powers?.length ?? 4, seed = 0, chainId = 'test' } = options
    const keys = Array.from({ length: validatorCount }, (_, index) => keysOf(seed, index))
    const validators = keys.map((own, index) => {
      const { votingKey, vrfKey, nodeKey } = publicKeysOf(own)
      const power = options.powers?.[index] ?? 1
      return { name: `v${index}`, votingKey, vrfKey, peerId: peerIdOf(nodeKey), nodeKey, power }
    })
    const limits = { ...defaultLimits, ...options.limits }
    const genesis = withHashes(
      { chainId, time: builderTimeMs, faultModel: 'byzantine', limits, validators },
      sha256,
    )
    const { store: disk = new MemoryStore(), partMessages = defaultPartMessages } = options
    const store = await ChainStore.open({ store: disk, genesis, partMessages })
    const { checkpointRule: rule = oftenRule } = options
    return new ChainBuilder(genesis, keys, { store, rule })
  }

  /** After the last block. */
  get state(): ChainState {
    return this.#head.state
  }

  /** Whose turn the view of the next height is. */
  leaderOf(view: View): ValidatorIndex {
    return leaderOf(this.#head.context().leaders, view)
  }

  /** The next block, made, signed and finalised as `options` say, and stored. */
  async addBlock(options: BlockOptions = {}): Promise<FinalEvent> {
    const { block, executed } = await this.makeBlock(options)
    const { view = 0, finalView = view, signers = this.#everyone() } = options
    const { height } = block.header
    const body = { kind: 'finalize', height, view: finalView, blockId: block.id } as const
    const finalization = this.certificate(body, signers)
    assert(finalization.kind === 'finalization')
    const { batches } = executed.content
    for (const { id } of batches) this.#batches.delete(id)
    return this.#head.append({ block, finalization, batches }, executed)
  }

  /** Blocks of one message each, whose data is `block <height>`, up to `height`. */
  async addBlocksUpTo(height: Height): Promise<void> {
    while (this.state.height < height) {
      await this.addBlock({ messages: [aMessage(`block ${this.state.height + 1}`)] })
    }
  }

  /** The block that could come next, signed by its leader. */
  async makeBlock(options: BlockOptions = {}): Promise<{ block: Block; executed: Executed }> {
    const { messages = [], view = 0, attached = this.#everyone() } = options
    const batches = [...(options.batches ?? []), ...(messages.length === 0 ? [] : [this.batch(messages)])]
    for (const batch of batches) this.#batches.set(batch.id, batch)
    const height = this.state.height + 1
    const timeMs = options.timeMs ?? this.state.time + 1_000
    const commitments = attached.map((validator) => this.commitment({ validator, height, batches, timeMs }))
    const leader = options.leader ?? this.leaderOf(view)
    const alpha = vrfInput({ genesisHash: this.genesis.hash, height, beacon: this.state.beacon })
    const vrfProof = createVrfProver(this.#keysOf(leader).vrfSeed).prove(alpha)
    const made = await this.#execution.build(this.state, { view, leader, vrfProof, commitments })
    if (made.kind !== 'executed') assert.fail(`no block can be made: ${JSON.stringify(made)}`)
    const { id, header, headerBytes } = made
    const body = encodeProposalBody({ height, view, blockId: id })
    const signature = this.signVote(leader, 'proposal', body)
    return { block: { id, header, headerBytes, signature, commitments }, executed: made }
  }

  /** A batch of the validator's node. */
  batch(messages: readonly Message[], author: ValidatorIndex = 0): Batch {
    const signer = at(this.#nodes, author)
    const bytes = encodeBatchBody(signer.publicKey, messages, this.genesis.limits)
    const signature = signer.sign(this.#input('batch', bytes))
    const decoded = decodeBatch({ bytes, signature }, { limits: this.genesis.limits, sha256 })
    assert(decoded.ok)
    return decoded.value
  }

  /** All batches received at `timeMs`. */
  commitment(options: {
    validator: ValidatorIndex
    height: Height
    batches?: readonly Batch[]
    timeMs?: number
  }): PoolCommitment {
    const { validator, height, batches = [], timeMs = builderTimeMs } = options
    const entries = batches.map(({ id }) => ({ batchId: id, receivedAt: timeMs }))
    entries.sort((a, b) => (a.batchId < b.batchId ? -1 : 1))
    const bytes = encodePoolCommitmentBody({ height, time: timeMs, entries })
    const signature = this.signVote(validator, 'pool-commitment', bytes)
    const entriesMax = commitmentEntriesMax(this.genesis.limits, this.keys.length)
    const decoded = decodePoolCommitment({ validator, bytes, signature }, entriesMax)
    assert(decoded.ok)
    return decoded.value
  }

  vote(validator: ValidatorIndex, body: VoteBody): Vote {
    return { ...body, validator, signature: this.signVote(validator, body.kind, encodeVoteBody(body)) }
  }

  /** What `signers` make of voting for `body`. */
  certificate(body: VoteBody, signers: readonly ValidatorIndex[] = this.#everyone()): Certificate {
    const { height, view } = body
    const signatures = signers.map(
      (validator): CertificateSignature => ({ validator, signature: this.vote(validator, body).signature }),
    )
    if (body.kind === 'nullify') return { kind: 'nullification', height, view, signatures }
    const kind = body.kind === 'notarize' ? 'notarization' : 'finalization'
    return { kind, height, view, blockId: body.blockId, signatures }
  }

  /** Of a validator that voted for two blocks. `messageOfEvidence` makes a message of it. */
  evidence(validator: ValidatorIndex, { height = 1, view = 0 } = {}): Evidence {
    const payload = (name: string) => {
      const blockId = Buffer.from(sha256(Buffer.from(name))).toString('hex') as BlockId
      const bytes = encodeVoteBody({ kind: 'notarize', height, view, blockId })
      return {
        kind: 'notarize' as const,
        bytes,
        signature: this.signVote(validator, 'notarize', bytes),
      }
    }
    const evidence = makeEvidence({ validator, payloads: [payload('one'), payload('another')] })
    assert(evidence !== undefined)
    return evidence
  }

  evidenceMessage(validator: ValidatorIndex, at: { height?: Height; view?: View } = {}): Message {
    return messageOfEvidence(this.evidence(validator, at))
  }

  /** Signs with the validator's voting key. */
  signVote(validator: ValidatorIndex, kind: SigningKind, bytes: Uint8Array): Uint8Array {
    return at(this.#voters, validator).sign(this.#input(kind, bytes))
  }

  async readFinal(height: Height): Promise<FinalBlock> {
    const final = await this.store.readFinal(height)
    assert(final !== undefined, `there is no block ${height}`)
    return final
  }

  #input(kind: SigningKind, bytes: Uint8Array): Uint8Array {
    return signingInput({ kind, genesisHash: this.genesis.hash, bytes })
  }

  #everyone(): ValidatorIndex[] {
    return [...this.keys.keys()]
  }

  #keysOf(validator: ValidatorIndex): NodeKeys {
    return at(this.keys, validator)
  }
}

/** A message with this text as its data. */
export function aMessage(text: string, fields: Partial<Message> = {}): Message {
  return { data: new TextEncoder().encode(text), timestamp: 7, ...fields }
}

function keysOf(seed: number, index: number): NodeKeys {
  const secret = (purpose: number) => sha256(Uint8Array.of(seed, index, purpose))
  const votingSeed = secret(1)
  return { votingSeed, vrfSeed: vrfSeedFromVotingSeed(votingSeed), nodeSeed: secret(2) }
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index]
  assert(item !== undefined, `there is no validator ${index}`)
  return item
}
