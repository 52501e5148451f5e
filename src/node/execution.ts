// What a block is: made by a leader, and made again by every voter and by block sync, from the attached commitments
// and the chain before it. Everything here is recomputed, nothing of a header is believed (protocol §3.3 to §3.5).
// Called by the driver and by block sync; reads the store and the pool, changes neither.
import type { ChainState } from '../chain/index.ts'
import { bytesToHex, type Sha256 } from '../codec/index.ts'
import { beaconOf, merkleRootOfIds, vrfInput } from '../crypto/native/index.ts'
import type { Thresholds } from '../quorum/index.ts'
import {
  checkAttached,
  checkHeader,
  checkReservedMessage,
  makeHeader,
  orderBatches,
  type SelectedContent,
  selectContent,
} from '../sequencing/index.ts'
import type { ChainStore } from '../storage/index.ts'
import type { ExecutedTrie, StateTrie } from '../trie/index.ts'
import type {
  Batch,
  BatchId,
  Block,
  BlockId,
  Genesis,
  Hash,
  Header,
  MessageId,
  PoolCommitment,
  ValidatorIndex,
  View,
} from '../types/index.ts'
import { nativeSchemes, type Schemes } from './schemes.ts'

/** A block's content and what it makes of the state. */
export interface Executed {
  readonly kind: 'executed'
  readonly id: BlockId
  readonly header: Header
  readonly headerBytes: Uint8Array
  readonly content: SelectedContent
  readonly beacon: Hash
  readonly state: ExecutedTrie
}

export type Execution =
  | Executed
  /** These batches have to be fetched first. */
  | { readonly kind: 'missing'; readonly batchIds: readonly BatchId[] }
  | { readonly kind: 'invalid'; readonly reason: string }
  /** The chain has moved on meanwhile: the trie that it was to be executed on may be gone. */
  | { readonly kind: 'overtaken' }

export interface ExecutionOptions {
  readonly genesis: Genesis
  readonly powers: readonly number[]
  readonly thresholds: Thresholds
  readonly store: ChainStore
  readonly trie: Pick<StateTrie, 'execute'>
  readonly sha256: Sha256
  /** Absent: the native ones. */
  readonly schemes?: Schemes
  /** A signature of a validator's over the signing domain (evidence in the chain). */
  readonly verifySigned: Parameters<typeof checkReservedMessage>[0]['verify']
  /** A batch in hand: of the pool, or fetched for the block. */
  readonly batchOf: (id: BatchId) => Batch | undefined
  /** True only of a message that is surely not in the chain, as of one that the pool holds as pending. Absent: every
   *  message is looked up. */
  readonly isPending?: (id: MessageId) => boolean
}

interface BlockParts {
  readonly view: View
  readonly leader: ValidatorIndex
  readonly vrfProof: Uint8Array
  readonly beacon: Hash
  readonly commitments: readonly PoolCommitment[]
}

export class BlockExecution {
  readonly #options: ExecutionOptions
  readonly #schemes: Schemes
  readonly #oversized: Batch

  constructor(options: ExecutionOptions) {
    this.#options = options
    this.#oversized = oversizedBatch(options.genesis)
    this.#schemes = options.schemes ?? nativeSchemes
  }

  /** The block that these commitments allow its leader to make on `chain`. */
  async build(chain: ChainState, parts: Omit<BlockParts, 'beacon'>): Promise<Execution> {
    const output = this.#schemes.vrfOutputOf(parts.vrfProof)
    if (output === undefined) return { kind: 'invalid', reason: 'the VRF proof is malformed' }
    return this.#execute(chain, { ...parts, beacon: beaconOf(output) }, this.#options.batchOf)
  }

  /** Recomputes a block on `chain`: `executed` if it is the one that its commitments allow. Signatures are the
   *  verifier's, the leader's turn is the core's. */
  async check(chain: ChainState, block: Block, batchOf = this.#options.batchOf): Promise<Execution> {
    const { genesis } = this.#options
    const { header } = block
    if (header.height !== chain.height + 1) return { kind: 'invalid', reason: 'not the next height' }
    const publicKey = genesis.validators[header.leader]?.vrfKey
    if (publicKey === undefined) return { kind: 'invalid', reason: 'unknown leader' }
    const alpha = vrfInput({ genesisHash: genesis.hash, height: header.height, beacon: chain.beacon })
    const output = this.#schemes.verifyVrf({ publicKey, alpha, proof: header.vrfProof })
    if (output === undefined) return { kind: 'invalid', reason: 'the VRF proof is wrong' }
    const { view, leader, vrfProof } = header
    const parts = { view, leader, vrfProof, beacon: beaconOf(output), commitments: block.commitments }
    const execution = await this.#execute(chain, parts, batchOf)
    if (execution.kind !== 'executed') return execution
    const differs = checkHeader({ header, expected: execution.header })
    return differs === undefined
      ? execution
      : { kind: 'invalid', reason: `another ${differs} than the commitments allow` }
  }

  /** Recomputes a final block with nothing but the batches that came with it. Where a block is full, the batch that no
   *  longer fitted is not among them, and only its size could tell that it does not belong: then what is not there
   *  counts as too large, so the content ends before it. That it does end there is what the quorum signed: the header
   *  names its batches. */
  async checkFinal(
    chain: ChainState,
    block: Block,
    batches: ReadonlyMap<BatchId, Batch>,
  ): Promise<Execution> {
    const whole = await this.check(chain, block, (id) => batches.get(id))
    if (whole.kind !== 'missing') return whole
    const cut = await this.check(chain, block, (id) => batches.get(id) ?? this.#oversized)
    return cut.kind === 'executed' ? cut : whole
  }

  async #execute(
    chain: ChainState,
    parts: BlockParts,
    batchOf: ExecutionOptions['batchOf'],
  ): Promise<Execution> {
    const { genesis, powers, thresholds, sha256, trie } = this.#options
    const { commitments, beacon } = parts
    const height = chain.height + 1
    const fault = checkAttached({ commitments, height, powers, thresholds })
    if (fault !== undefined) return { kind: 'invalid', reason: `attached commitments: ${fault}` }
    const ordered = orderBatches({ commitments, powers, thresholds, beacon, sha256 })
    const inChain = await this.#batchesInChain(ordered.map(({ batchId }) => batchId))
    const rules = {
      ordered,
      batchOf,
      height,
      limits: genesis.limits,
      isInChain: (id: BatchId) => inChain.has(id),
    }
    // First without regard to what is in the chain, to learn which messages have to be looked up.
    let hasReserved = false
    const noteReserved = () => {
      hasReserved = true
      return false
    }
    const draft = selectContent({ ...rules, isMessageInChain: () => false, isReservedValid: noteReserved })
    if (draft.kind === 'missing') return draft
    const known = await this.#messagesInChain(draft.content.batches.flatMap(({ messageIds }) => messageIds))
    const isFinal = known.size === 0 && !hasReserved
    const selection = isFinal
      ? draft
      : selectContent({
          ...rules,
          isMessageInChain: (id) => known.has(id),
          isReservedValid: (message) =>
            checkReservedMessage({
              message,
              genesis,
              isConvicted: (validator) => chain.convicted.has(validator),
              verify: this.#options.verifySigned,
            }) === undefined,
        })
    if (selection.kind === 'missing') return selection
    const { content } = selection
    const state = await trie.execute(
      chain.height,
      content.messages.map(({ message }) => message.data),
    )
    if (state === undefined) return { kind: 'overtaken' }
    const made = makeHeader({
      chainId: genesis.chainId,
      height,
      view: parts.view,
      leader: parts.leader,
      vrfProof: parts.vrfProof,
      commitments,
      powers,
      content,
      previous: { id: chain.blockId, time: chain.time },
      stateHeight: height,
      stateRoot: state.stateRoot,
      validatorsHash: genesis.validatorsHash,
      nextValidatorsHash: genesis.validatorsHash,
      sha256,
      sequenceRootOf: (ids) => bytesToHex(merkleRootOfIds(ids)) as Hash,
    })
    return { kind: 'executed', ...made, content, beacon, state }
  }

  async #batchesInChain(ids: readonly BatchId[]): Promise<Set<BatchId>> {
    const heights = await this.#options.store.batchHeights(ids)
    return new Set(ids.filter((_, at) => heights[at] !== undefined))
  }

  async #messagesInChain(ids: readonly MessageId[]): Promise<Set<MessageId>> {
    // Most were looked up when they came into the pool, which has let go of what the chain took since.
    const { isPending = () => false } = this.#options
    const unsure = ids.filter((id) => !isPending(id))
    if (unsure.length === 0) return new Set()
    const places = await this.#options.store.messagePlaces(unsure)
    return new Set(unsure.filter((_, at) => places[at] !== undefined))
  }
}

/** Larger than any block. Of its fields only the size is looked at. */
function oversizedBatch({ hash, limits }: Genesis): Batch {
  return {
    id: hash as string as BatchId,
    author: hash as string as Batch['author'],
    messages: [],
    messageIds: [],
    bytes: new Uint8Array(limits.maxBlockBytes + 1),
    signature: new Uint8Array(64),
  }
}
