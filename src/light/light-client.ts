// Follows a network from genesis, or from a block its user trusts, by finalized headers alone: nothing that a node says
// is believed, some kilobytes are kept, and whichever node answers will do. Two final blocks of one height are more
// than the protocol's faults allow; they are kept as evidence, and following ends there.
import { ClientError, type ClientOptions, VerifiedClient } from '../client/index.ts'
import {
  type FinalHeaderJson,
  type ForkJson,
  genesisBlock,
  type HeaderChainJson,
  type NamespaceBlock,
  type ProvenHeader,
  proofTypes,
  type Trust,
  type TrustedBlock,
  verifyFork,
} from '../proofs/index.ts'
import type { BlockId, Height } from '../types/index.ts'

export interface LightClientOptions extends ClientOptions {
  /** Of the network's genesis file (`trustGenesis`). */
  readonly trust: Trust
  /** A block to go on from, as `tip` gave it or from elsewhere; genesis where absent. */
  readonly checkpoint?: TrustedBlock
  /** Headers asked for at one time. */
  readonly pageBlocks?: number
  /** Between two questions where there is nothing new. */
  readonly pollMs?: number
  /** How often another node is asked for the block that one of them told of. */
  readonly crossCheckMs?: number
  /** Told why a node was passed over. */
  readonly onFailure?: (error: ClientError) => void
}

/** More validators lied than the network stands: what is final is for people to settle now. */
export class ForkError extends Error {
  override readonly name = 'ForkError'
  readonly code = 'fork'
  readonly evidence: ForkJson

  constructor(height: number, evidence: ForkJson) {
    super(`two blocks of height ${height} are final; the evidence shows who signed both`)
    this.evidence = evidence
  }
}

const pageBlocksDefault = 200
/** Blocks before the tip whose ids are kept, to compare with nodes that are behind. */
const recentMax = 64
const pollMsDefault = 1_000
const crossCheckMsDefault = 10_000

export class LightClient {
  readonly trust: Trust
  readonly #client: VerifiedClient
  readonly #options: Required<Pick<LightClientOptions, 'pageBlocks' | 'pollMs' | 'crossCheckMs'>>
  readonly #onFailure: (error: ClientError) => void
  readonly #now: () => number
  #tip: TrustedBlock
  /** As it was proven; undefined for genesis and a checkpoint. */
  #tipProof: FinalHeaderJson | undefined
  /** Ids of the tip and the blocks before it, by height, oldest first. */
  readonly #recent = new Map<Height, BlockId>()
  #evidence: ForkJson | undefined
  #turn = 0
  #crossCheckedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: LightClientOptions) {
    const { trust, checkpoint, pageBlocks, pollMs, crossCheckMs, onFailure, ...http } = options
    this.trust = trust
    this.#client = new VerifiedClient({ trust, busyTimeoutMs: 2_000, timeoutMs: 10_000, ...http })
    this.#options = {
      pageBlocks: pageBlocks ?? pageBlocksDefault,
      pollMs: pollMs ?? pollMsDefault,
      crossCheckMs: crossCheckMs ?? crossCheckMsDefault,
    }
    this.#onFailure = onFailure ?? (() => undefined)
    this.#now = options.now ?? (() => performance.now())
    this.#tip = checkpoint ?? genesisBlock(trust)
  }

  /** The last block that was proven; as `checkpoint` another light client goes on from it. Whoever follows is given
   *  blocks one by one, and may be some before it. */
  get tip(): TrustedBlock {
    return this.#tip
  }

  /** Two final blocks of one height, if they were met. */
  get evidence(): ForkJson | undefined {
    return this.#evidence
  }

  /** The next final headers after the tip, which moves on; none where no node has more.
   *  @throws ForkError; ClientError where no node answers with what holds. */
  async nextHeaders(): Promise<readonly ProvenHeader[]> {
    const range = { from: this.#tip.height + 1, limit: this.#options.pageBlocks, trusted: this.#tip }
    const answer = await this.#fromAny((node) => this.#client.headers({ ...range, node }))
    if (answer === undefined) return []
    this.#moveTo(answer.headers, lastOf(answer.proof))
    return answer.headers
  }

  /** As `nextHeaders`, with all messages of a namespace in these blocks. */
  async nextBlocks(namespace: string): Promise<readonly NamespaceBlock[]> {
    const range = { from: this.#tip.height + 1, limit: this.#options.pageBlocks, trusted: this.#tip }
    const answer = await this.#fromAny((node) => this.#client.namespace(namespace, { ...range, node }))
    if (answer === undefined) return []
    this.#moveTo(answer.blocks, lastOf(answer.proof))
    return answer.blocks
  }

  /** Every final header from the tip on, once and in order, until `signal` aborts. Nodes that do not answer are asked
   *  again for ever. @throws ForkError */
  followHeaders(signal?: AbortSignal): AsyncGenerator<ProvenHeader> {
    return this.#follow(() => this.nextHeaders(), signal)
  }

  /** Every block from the tip on with all its messages of a namespace, those without any as well. @throws ForkError */
  followNamespace(namespace: string, signal?: AbortSignal): AsyncGenerator<NamespaceBlock> {
    return this.#follow(() => this.nextBlocks(namespace), signal)
  }

  /** Asks every node for the block at the tip's height, or the latest that it has. @throws ForkError where one has another that is final too. */
  async crossCheck(): Promise<void> {
    for (const node of this.#client.nodes) await this.#compareTip(node)
  }

  async *#follow<T>(next: () => Promise<readonly T[]>, signal?: AbortSignal): AsyncGenerator<T> {
    while (!isAborted(signal)) {
      let items: readonly T[] = []
      try {
        items = await next()
        await this.#crossCheckNow()
      } catch (error) {
        if (!(error instanceof ClientError)) throw error
        this.#onFailure(error)
      }
      for (const item of items) {
        if (isAborted(signal)) return
        yield item
      }
      if (items.length === 0) await pause(this.#options.pollMs, signal)
    }
  }

  /** The first node's answer that holds and has something; one that has other blocks may be a second chain's. */
  async #fromAny<T>(ask: (node: string) => Promise<T | undefined>): Promise<T | undefined> {
    const { nodes } = this.#client
    let failure: ClientError | undefined
    let answeredCount = 0
    for (let tried = 0; tried < nodes.length; tried += 1) {
      const node = nodes[(this.#turn + tried) % nodes.length] ?? ''
      try {
        const answer = await ask(node)
        answeredCount += 1
        if (answer === undefined) continue
        this.#turn = (this.#turn + tried) % nodes.length
        return answer
      } catch (error) {
        if (!(error instanceof ClientError)) throw error
        failure = error
        this.#onFailure(error)
        if (error.code === 'bad-proof') await this.#compareTip(node)
      }
    }
    if (failure !== undefined && answeredCount === 0) throw failure
    return undefined
  }

  #moveTo(blocks: readonly ProvenHeader[], proof: FinalHeaderJson): void {
    for (const { id, header } of blocks) {
      this.#tip = { height: header.height, id, time: header.time }
      this.#recent.set(header.height, id)
    }
    for (const height of this.#recent.keys()) {
      if (this.#recent.size <= recentMax) break
      this.#recent.delete(height)
    }
    this.#tipProof = proof
  }

  /** Each time the next node in turn: what it says may be another chain. */
  async #crossCheckNow(): Promise<void> {
    const { nodes } = this.#client
    if (nodes.length < 2 || this.#now() - this.#crossCheckedAtMs < this.#options.crossCheckMs) return
    this.#crossCheckedAtMs = this.#now()
    this.#turn = (this.#turn + 1) % nodes.length
    await this.#compareTip(nodes[this.#turn] ?? '')
  }

  /** Whether the node has our block at the tip's height or, where it is behind, at that of its latest. */
  async #compareTip(node: string): Promise<void> {
    const [oldest] = this.#recent.keys()
    if (oldest === undefined) return
    try {
      const { height } = this.#tip
      const answer =
        (await this.#client.headers({ from: height, to: height, node })) ??
        (await this.#client.headers({ from: oldest, limit: recentMax, node }))
      if (answer === undefined) return
      const ours = this.#recent.get(answer.block.header.height)
      if (ours === undefined || ours === answer.block.id) return
      const first = await this.#proofOf(answer.block.header.height, ours)
      if (first === undefined) return
      const fork: ForkJson = { type: proofTypes.fork, first, second: lastOf(answer.proof) }
      if (!verifyFork({ trust: this.trust, proof: fork }).ok) return
      this.#evidence = fork
      throw new ForkError(answer.block.header.height, fork)
    } catch (error) {
      if (!(error instanceof ClientError)) throw error
      this.#onFailure(error)
    }
  }

  /** What shows that a block which we followed is final: kept of the tip, asked for of those before. */
  async #proofOf(height: Height, id: BlockId): Promise<FinalHeaderJson | undefined> {
    if (id === this.#tip.id) return this.#tipProof
    for (const node of this.#client.nodes) {
      try {
        const answer = await this.#client.headers({ from: height, to: height, node })
        if (answer?.block.id === id) return lastOf(answer.proof)
      } catch (error) {
        if (!(error instanceof ClientError)) throw error
        this.#onFailure(error)
      }
    }
    return undefined
  }
}

/** The last header of a proof that was verified, with its finalization. */
function lastOf(proof: unknown): FinalHeaderJson {
  const { headers, finalization } = proof as Pick<HeaderChainJson, 'headers' | 'finalization'>
  return { header: headers.at(-1) ?? '', finalization }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (isAborted(signal)) return resolve()
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end)
  })
}
