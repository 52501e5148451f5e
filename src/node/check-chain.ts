// Replays a stored chain from genesis into another database, as a node that syncs would: nothing stored is believed
// but the blocks, and of those every signature is verified and every header made again. Called by `diseq check`, which
// then compares the two databases.
import { type ChainState, genesisState } from '../chain/index.ts'
import { commitmentEntriesMax, type FinalBlock, type FrameContext } from '../codec/index.ts'
import { leaderOf } from '../consensus/index.ts'
import { sha256, sha256Hex, verifySignature } from '../crypto/native/index.ts'
import { Mempool } from '../mempool/index.ts'
import { FrameVerifier } from '../network/index.ts'
import { type Thresholds, thresholdsOf } from '../quorum/index.ts'
import { conflictOf, type VerifySigned } from '../sequencing/index.ts'
import { type ChainStore, type KeyValueStore, readPieces, type StoredPieces } from '../storage/index.ts'
import { LocalStateTrie, type StoredTrie } from '../trie/index.ts'
import type { Batch, BatchId, Genesis, Height } from '../types/index.ts'
import { ChainHead } from './chain-head.ts'
import { BlockExecution, type Executed } from './execution.ts'
import { openTrie } from './restart.ts'
import { nativeSchemes, verifySignedOf } from './schemes.ts'

/** What it takes to check anything of one network. */
export interface Network {
  readonly genesis: Genesis
  readonly context: FrameContext
  readonly thresholds: Thresholds
  readonly verifier: FrameVerifier
  readonly verifySigned: VerifySigned
}

export function networkOf(genesis: Genesis): Network {
  const { limits, validators, faultModel } = genesis
  const entriesMax = commitmentEntriesMax(limits, validators.length)
  const thresholds = thresholdsOf(
    validators.map(({ power }) => power),
    faultModel,
  )
  return {
    genesis,
    context: { limits, entriesMax, sha256 },
    thresholds,
    verifier: new FrameVerifier({
      genesis,
      thresholds,
      crypto: { sha256, sha256Hex, verifySignature },
      entriesMax,
      convicts: ({ first, second }) => conflictOf(first, second) !== undefined,
    }),
    verifySigned: verifySignedOf(genesis, nativeSchemes),
  }
}

export class Replay {
  /** Of the blocks that were taken. */
  readonly trie: StoredTrie
  readonly #network: Network
  readonly #stored: KeyValueStore
  readonly #head: ChainHead
  readonly #execution: BlockExecution

  /** @param rebuilt an empty one: it takes the blocks. */
  constructor({
    network,
    stored,
    rebuilt,
  }: {
    network: Network
    stored: KeyValueStore
    rebuilt: ChainStore
  }) {
    const { genesis, thresholds, verifySigned } = network
    const powers = genesis.validators.map(({ power }) => power)
    const state: ChainState = genesisState(genesis, sha256)
    // A pool that stays empty: what finalising does to it is this node's own and not compared.
    const mempool = new Mempool({ maxBytes: 0, maxBatches: 0, reservedAuthors: [], nextHeight: 1 })
    this.#network = network
    this.#stored = stored
    this.trie = openTrie({ store: rebuilt })
    const trie = new LocalStateTrie(this.trie)
    this.#head = new ChainHead({ store: rebuilt, mempool, powers, state, trie })
    this.#execution = new BlockExecution({
      genesis,
      powers,
      thresholds,
      store: rebuilt,
      trie,
      sha256,
      verifySigned,
      batchOf: () => undefined,
    })
  }

  /** Of the last block that was made again. */
  get height(): Height {
    return this.#head.state.height
  }

  /** Takes the next block. The chain ends where nothing is stored of one.
   *  @returns `halted`: the block is not what it has to be, as the sentences say; nothing was taken. */
  async next(): Promise<
    { readonly kind: 'taken' | 'end' } | { readonly kind: 'halted'; readonly problems: readonly string[] }
  > {
    const pieces = await readPieces(this.#stored, this.height + 1, this.#network.context)
    const { name, final } = pieces.head
    const halted = (...problems: readonly string[]) => ({ kind: 'halted' as const, problems })
    if (final === undefined) return pieces.hasHeader ? halted(`${name}: missing`) : { kind: 'end' }

    const fault = final.ok ? this.#faultOfHead(final.value) : final.reason
    if (!final.ok || fault !== undefined) return halted(`${name}: ${fault}`)
    const { batches, problems } = this.#sortBatches(pieces)
    const executed = await this.#execute(final.value, batches)
    if (typeof executed === 'string')
      return halted(...(problems.length > 0 ? problems : [`${name}: ${executed}`]))

    // Batches beyond those of the content are found when the databases are compared.
    await this.#head.append({ ...final.value, batches: executed.content.batches }, executed)
    return { kind: 'taken' }
  }

  #faultOfHead(final: FinalBlock): string | undefined {
    const { block } = final
    const { height, leader, view, previousBlockId } = block.header
    if (height !== this.height + 1) return `a block of height ${height}`
    if (previousBlockId !== this.#head.state.blockId) return 'does not follow the block before it'
    const verified = this.#network.verifier.verifyFinalBlock(final)
    if (!verified.ok) return `${verified.rejected}: ${verified.detail}`
    const due = leaderOf(this.#head.context().leaders, view)
    return leader === due ? undefined : `made by validator ${leader} in the turn of validator ${due}`
  }

  /** The stored batches that are whole and signed, and what is wrong with the others. */
  #sortBatches(pieces: StoredPieces): { batches: Map<BatchId, Batch>; problems: string[] } {
    const batches = new Map<BatchId, Batch>()
    const problems: string[] = []
    for (const { name, batch } of pieces.batches) {
      const fault = batch.ok ? faultOfBatch(this.#network, batch.value) : batch.reason
      if (fault !== undefined) problems.push(`${name}: ${fault}`)
      else if (batch.ok) batches.set(batch.value.id, batch.value)
    }
    return { batches, problems }
  }

  /** The block made again, or why it is another one. */
  async #execute({ block }: FinalBlock, batches: ReadonlyMap<BatchId, Batch>): Promise<Executed | string> {
    const result = await this.#execution.checkFinal(this.#head.state, block, batches)
    if (result.kind === 'executed') return result
    if (result.kind === 'missing') return `batches of the block are missing, such as ${result.batchIds[0]}`
    return result.kind === 'invalid' ? result.reason : 'it does not follow the block before'
  }
}

export function faultOfBatch({ verifier }: Network, batch: Batch): string | undefined {
  const verified = verifier.verifyFrame({ kind: 'batch', batch })
  return verified.ok ? undefined : `${verified.rejected}: ${verified.detail}`
}
