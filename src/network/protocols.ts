// The request-response protocols (protocol §4): what each carries, its limits, and both of its ends.
import {
  type BatchesRequest,
  type BlocksRequest,
  commitmentEntriesMax,
  commitmentEntryBytes,
  decodeBatchesRequest,
  decodeBlocksRequest,
  decodeFinalBlock,
  decodeFrames,
  decodeStatus,
  decodeViewRequest,
  encodeBatchesRequest,
  encodeBlocksRequest,
  encodeFrames,
  encodeStatus,
  encodeViewRequest,
  type FinalBlock,
  type FrameContext,
  maxFramesPerReply,
  type PeerStatus,
  type ViewRequest,
} from '../codec/index.ts'
import type { Genesis, PeerId } from '../types/index.ts'
import type { Admission, FrameKind } from './admission.ts'
import { messageOf, NetworkError } from './errors.ts'
import { decodePeerList, encodePeerList, peerListMaxBytes } from './peer-list.ts'
import type { KnownPeer, NetworkHandler } from './ports.ts'
import type { RequestProtocol, Requests } from './requests.ts'
import type { VerifiedFrame } from './verify.ts'

export interface ProtocolsOptions {
  readonly genesis: Genesis
  readonly context: FrameContext
  readonly requests: Requests
  readonly admission: Admission
  readonly handler: NetworkHandler
  /** A peer told its status; says whether it is of this chain. */
  readonly onStatus: (peer: PeerId, status: PeerStatus) => boolean
  /** What to tell a peer that asks for others. */
  readonly knownPeers: (asker: PeerId) => readonly KnownPeer[]
}

const MiB = 1024 * 1024
/** Of frames in one reply: the largest single frame fits twice. What does not fit is asked for again. */
const replyMaxBytes = 8 * MiB
/** Of frames handed over in one request: the largest fits. With the requests answered at once this bounds the memory
 *  that askers can make a node use. */
const pushedMaxBytes = 4 * MiB + 128 * 1024
const statusProtocol: RequestProtocol = {
  name: 'status',
  requestMaxBytes: 128 * 1024,
  recordMaxBytes: 128 * 1024,
  timeoutMs: 5_000,
  inboundPerPeer: 4,
  inboundMax: 256,
}
const peersProtocol: RequestProtocol = {
  name: 'peers',
  requestMaxBytes: 0,
  recordMaxBytes: peerListMaxBytes,
  timeoutMs: 5_000,
  inboundPerPeer: 2,
  inboundMax: 64,
}
const viewProtocol: RequestProtocol = {
  name: 'view',
  requestMaxBytes: pushedMaxBytes,
  recordMaxBytes: replyMaxBytes,
  timeoutMs: 10_000,
  inboundPerPeer: 4,
  inboundMax: 32,
}
const batchesProtocol: RequestProtocol = {
  name: 'batches',
  requestMaxBytes: pushedMaxBytes,
  recordMaxBytes: replyMaxBytes,
  timeoutMs: 10_000,
  inboundPerPeer: 4,
  inboundMax: 32,
}

const viewKinds: readonly FrameKind[] = [
  'proposal',
  'block',
  'pool-commitment',
  'vote',
  'certificate',
  'evidence',
]

export class Protocols {
  readonly #options: ProtocolsOptions
  readonly #blocks: RequestProtocol

  constructor(options: ProtocolsOptions) {
    this.#options = options
    this.#blocks = {
      name: 'blocks',
      requestMaxBytes: 16,
      recordMaxBytes: finalBlockMaxBytes(options.genesis),
      // Between two blocks: sync on a slow line and a busy disk.
      timeoutMs: 20_000,
      inboundPerPeer: 2,
      inboundMax: 16,
    }
  }

  /** Answers all protocols from now on. */
  async serve(): Promise<void> {
    const { requests } = this.#options
    await requests.serve(statusProtocol, (bytes, from) => this.#answerStatus(bytes, from))
    await requests.serve(peersProtocol, (_, from) => [encodePeerList(this.#options.knownPeers(from))])
    await requests.serve(viewProtocol, (bytes, from) => this.#answerView(bytes, from))
    await requests.serve(batchesProtocol, (bytes, from) => this.#answerBatches(bytes, from))
    await requests.serve(this.#blocks, (bytes, from) => this.#answerBlocks(bytes, from))
  }

  /** Tells this node's status and learns the peer's. @throws NetworkError */
  async requestStatus(peer: PeerId): Promise<PeerStatus> {
    const body = encodeStatus(this.#options.handler.status())
    const decoded = decodeStatus(await this.#askOnce(statusProtocol, peer, body))
    if (!decoded.ok) throw this.#badReply(statusProtocol, peer, decoded.reason)
    return decoded.value
  }

  /** Peers that a peer knows; claims of a stranger. @throws NetworkError */
  async requestPeers(peer: PeerId): Promise<KnownPeer[]> {
    const decoded = decodePeerList(await this.#askOnce(peersProtocol, peer, new Uint8Array(0)))
    if (!decoded.ok) throw this.#badReply(peersProtocol, peer, decoded.reason)
    return decoded.value
  }

  /** What the peer has of a height that this node lacks, verified. @throws NetworkError */
  async requestView(peer: PeerId, request: ViewRequest): Promise<VerifiedFrame[]> {
    const frames = await this.#askForFrames(viewProtocol, peer, encodeViewRequest(request))
    return this.#options.admission.verifyEach({ frames, kinds: viewKinds, from: peer, isAskedFor: true })
  }

  /** Batches by id, verified; those that were not asked for are left out. @throws NetworkError */
  async requestBatches(peer: PeerId, request: BatchesRequest): Promise<VerifiedFrame[]> {
    const frames = await this.#askForFrames(batchesProtocol, peer, encodeBatchesRequest(request))
    const wanted = new Set(request.wanted)
    const verified = this.#options.admission.verifyEach({
      frames,
      kinds: ['batch'],
      from: peer,
      isAskedFor: true,
    })
    return verified.filter((frame) => frame.kind === 'batch' && wanted.has(frame.batch.id))
  }

  /** Final blocks of consecutive heights from `request.from` on, as the peer sends them: decoded, not verified.
   *  Fewer than asked for where it has no more. The peer is read as slowly as the caller reads. @throws NetworkError */
  async *requestBlocks(peer: PeerId, request: BlocksRequest): AsyncGenerator<FinalBlock> {
    let height = request.from
    const records = this.#options.requests.ask(this.#blocks, peer, encodeBlocksRequest(request))
    for await (const record of records) {
      const decoded = decodeFinalBlock(record, this.#options.context)
      if (!decoded.ok) throw this.#badReply(this.#blocks, peer, decoded.reason)
      if (decoded.value.block.header.height !== height || height >= request.from + request.count)
        throw this.#badReply(this.#blocks, peer, 'a block of a height that was not asked for')
      height += 1
      yield decoded.value
    }
  }

  async #askForFrames(protocol: RequestProtocol, peer: PeerId, body: Uint8Array): Promise<Uint8Array[]> {
    const decoded = decodeFrames(await this.#askOnce(protocol, peer, body))
    if (!decoded.ok) throw this.#badReply(protocol, peer, decoded.reason)
    return decoded.value
  }

  /** The one record of a reply. */
  async #askOnce(protocol: RequestProtocol, peer: PeerId, body: Uint8Array): Promise<Uint8Array> {
    let reply: Uint8Array | undefined
    for await (const record of this.#options.requests.ask(protocol, peer, body)) {
      if (reply !== undefined) throw this.#badReply(protocol, peer, 'more than one record')
      reply = record
    }
    if (reply === undefined) throw new NetworkError({ code: 'broken', peer })
    return reply
  }

  #badReply(protocol: RequestProtocol, peer: PeerId, reason: string): NetworkError {
    return this.#options.requests.badReply(protocol, peer, reason)
  }

  #answerStatus(bytes: Uint8Array, from: PeerId): Uint8Array[] | undefined {
    const decoded = decodeStatus(bytes)
    if (!decoded.ok) return undefined
    // One of another chain gets its answer too, and learns from it why it is sent away.
    this.#options.onStatus(from, decoded.value)
    return [encodeStatus(this.#options.handler.status())]
  }

  #answerView(bytes: Uint8Array, from: PeerId): AsyncIterable<Uint8Array> | undefined {
    const decoded = decodeViewRequest(bytes)
    if (!decoded.ok) return undefined
    const { admission, handler } = this.#options
    const pushed = admission.verifyEach({
      frames: decoded.value.pushed,
      kinds: viewKinds,
      from,
      isAskedFor: false,
    })
    return this.#framesOf(() => handler.answerView(decoded.value, pushed, from))
  }

  #answerBatches(bytes: Uint8Array, from: PeerId): AsyncIterable<Uint8Array> | undefined {
    const decoded = decodeBatchesRequest(bytes)
    if (!decoded.ok) return undefined
    const { admission, handler } = this.#options
    const pushed = admission.verifyEach({
      frames: decoded.value.pushed,
      kinds: ['batch'],
      from,
      isAskedFor: false,
    })
    return this.#framesOf(() => handler.answerBatches(decoded.value, pushed, from))
  }

  #answerBlocks(bytes: Uint8Array, from: PeerId): AsyncIterable<Uint8Array> | undefined {
    const decoded = decodeBlocksRequest(bytes)
    if (!decoded.ok) return undefined
    return atMost(this.#options.handler.answerBlocks(decoded.value, from), decoded.value.count)
  }

  /** One record with as many of the frames as fit. */
  async *#framesOf(answer: () => Promise<readonly Uint8Array[]>): AsyncGenerator<Uint8Array> {
    try {
      yield encodeFrames(fitting(await answer()))
    } catch (error) {
      this.#options.handler.log.error({ error: messageOf(error) }, 'cannot answer a peer')
      throw error
    }
  }
}

/** The first frames that fit one body: its count, and a length before each. */
export function fitting(frames: readonly Uint8Array[], maxBytes = replyMaxBytes): readonly Uint8Array[] {
  let sizeBytes = 4
  let count = 0
  for (const frame of frames) {
    sizeBytes += 4 + frame.length
    if (sizeBytes > maxBytes || count === maxFramesPerReply) break
    count += 1
  }
  return frames.slice(0, count)
}

async function* atMost<T>(items: AsyncIterable<T>, max: number): AsyncGenerator<T> {
  let count = 0
  for await (const item of items) {
    yield item
    count += 1
    if (count === max) return
  }
}

/** A final block of the largest kind: header, commitments of all validators, finalization, batches. */
function finalBlockMaxBytes({ limits, validators }: Genesis): number {
  const entries = commitmentEntriesMax(limits, validators.length)
  const commitments = validators.length * (128 + commitmentEntryBytes * entries)
  const certificate = 128 + 66 * validators.length
  // A length and a signature for each batch.
  return 4096 + commitments + certificate + limits.maxBlockBytes + 68 * limits.maxBlockBatches
}
