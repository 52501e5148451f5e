// What this node answers to peers that ask (protocol §4): how far it is, what they lack of the height under way, batches,
// and final blocks. Reads the core, the chain and the disk and changes nothing; what asks others is exchange.ts. Called
// by the network and by the simulator's wire, each with a request that it decoded.
import {
  type BatchesRequest,
  type BlocksRequest,
  encodeFrame,
  type PeerStatus,
  type ViewRequest,
} from '../codec/index.ts'
import type { CoreState } from '../consensus/index.ts'
import type { ChainStore } from '../storage/index.ts'
import type { Batch, BatchId, Hash } from '../types/index.ts'
import type { ChainHead } from './chain-head.ts'
import { framesLacking, holdingOf } from './height-view.ts'

export interface PeerAnswersOptions {
  readonly genesisHash: Hash
  readonly core: CoreState
  readonly head: Pick<ChainHead, 'state'>
  readonly store: Pick<ChainStore, 'readBatches' | 'readFinalBytes'>
  /** Of the pool, or of a block under vote. */
  readonly batchOf: (id: BatchId) => Batch | undefined
}

/** Bytes of one reply of batches; the rest is asked for again. */
const batchesReplyMaxBytes = 3 * 1024 * 1024

export class PeerAnswers {
  readonly #options: PeerAnswersOptions

  constructor(options: PeerAnswersOptions) {
    this.#options = options
  }

  status(): PeerStatus {
    const { genesisHash, core, head } = this.#options
    const { height, blockId } = head.state
    return { genesisHash, finalHeight: height, finalBlockId: blockId, holding: holdingOf(core) }
  }

  /** Frames that the asker lacks, and the block it names. */
  view({ holding, wantedBlock }: ViewRequest): Uint8Array[] {
    const { core } = this.#options
    const frames = framesLacking(core, holding)
    const wanted = wantedBlock === undefined ? undefined : core.blocks.get(wantedBlock)
    return wanted === undefined ? frames : [encodeFrame({ kind: 'block', block: wanted.block }), ...frames]
  }

  /** Batches of the pool, of a block under vote, or of the chain; as many as fit one reply. */
  async batches({ wanted }: BatchesRequest): Promise<Uint8Array[]> {
    const { batchOf, store } = this.#options
    const absent = wanted.filter((id) => batchOf(id) === undefined)
    const stored = await store.readBatches(absent)
    const read = new Map(absent.map((id, at) => [id, stored[at]]))
    const frames: Uint8Array[] = []
    let sizeBytes = 0
    for (const id of wanted) {
      const batch = batchOf(id) ?? read.get(id)
      if (batch === undefined) continue
      sizeBytes += batch.bytes.length
      if (sizeBytes > batchesReplyMaxBytes && frames.length > 0) break
      frames.push(encodeFrame({ kind: 'batch', batch }))
    }
    return frames
  }

  /** Final blocks as they are stored. */
  async *blocks({ from, count }: BlocksRequest): AsyncGenerator<Uint8Array, void> {
    for (let height = from; height < from + count; height++) {
      const bytes = await this.#options.store.readFinalBytes(height)
      if (bytes === undefined) return
      yield bytes
    }
  }
}
