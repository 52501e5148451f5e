// The transport of one process of a simulated node: frames and requests become bytes, travel as the weather lets them,
// and are decoded and verified where they arrive, as on the real wire. A process that crashed hears nothing more.
import {
  type BatchesRequest,
  type BlocksRequest,
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
  type Frame,
  type PeerStatus,
  type ViewRequest,
} from '../codec/index.ts'
import type { ConnectedPeer, Transport } from '../node/ports.ts'
import type { Batch, PeerId } from '../types/index.ts'
import type { SharedVerifier } from './verifier.ts'

/** After which a request without an answer fails. */
const requestTimeoutMs = 2_000

export type RequestKind = 'status' | 'view' | 'batches' | 'blocks'

/** A request on its way to a peer. */
export interface CarriedRequest {
  readonly peer: PeerId
  readonly kind: RequestKind
  readonly body: Uint8Array
  /** Called at most once. */
  readonly answer: (body: Uint8Array) => void
}

/** What a wire needs of the world around its node. */
export interface WireOptions {
  readonly verifier: SharedVerifier
  readonly isAlive: () => boolean
  readonly peers: () => readonly ConnectedPeer[]
  /** To everyone else, each copy with a fate of its own. */
  readonly broadcast: (frame: Frame) => void
  /** Carries a request to a peer and its answer back; never answers where either is lost. */
  readonly carry: (request: CarriedRequest) => void
  readonly after: (delayMs: number, action: () => void) => void
  readonly onSeen: (frame: Frame) => void
  readonly onBadFrame: (peer: PeerId, reason: string) => void
  readonly onReport: (peer: PeerId, reason: string) => void
}

export class Wire implements Transport {
  readonly #options: WireOptions

  constructor(options: WireOptions) {
    this.#options = options
  }

  publish(frame: Frame): void {
    if (this.#options.isAlive()) this.#options.broadcast(frame)
  }

  peers(): readonly ConnectedPeer[] {
    return this.#options.peers()
  }

  async requestStatus(peer: PeerId): Promise<PeerStatus> {
    const decoded = decodeStatus(await this.#request(peer, 'status', new Uint8Array()))
    if (!decoded.ok) throw new Error(`a status that does not decode: ${decoded.reason}`)
    return decoded.value
  }

  async requestView(peer: PeerId, request: ViewRequest): Promise<readonly Frame[]> {
    return this.#verified(peer, await this.#request(peer, 'view', encodeViewRequest(request)))
  }

  async requestBatches(peer: PeerId, request: BatchesRequest): Promise<readonly Batch[]> {
    const frames = this.#verified(peer, await this.#request(peer, 'batches', encodeBatchesRequest(request)))
    return frames.flatMap((frame) => (frame.kind === 'batch' ? [frame.batch] : []))
  }

  async *requestBlocks(peer: PeerId, request: BlocksRequest): AsyncGenerator<FinalBlock> {
    const body = await this.#request(peer, 'blocks', encodeBlocksRequest(request))
    const records = decodeFrames(body)
    if (!records.ok) throw new Error(records.reason)
    for (const record of records.value) {
      const decoded = decodeFinalBlock(record, this.#options.verifier.context)
      if (!decoded.ok) throw new Error(`a block that does not decode: ${decoded.reason}`)
      yield decoded.value
    }
  }

  reportPeer(peer: PeerId, reason: string): void {
    this.#options.onReport(peer, reason)
  }

  #request(peer: PeerId, kind: RequestKind, body: Uint8Array): Promise<Uint8Array> {
    const { carry, after, isAlive } = this.#options
    return new Promise((resolve, reject) => {
      const answer = (answered: Uint8Array) => {
        if (isAlive()) resolve(answered)
      }
      carry({ peer, kind, body, answer })
      after(requestTimeoutMs, () => {
        if (isAlive()) reject(new Error(`${kind}: no answer in time`))
      })
    })
  }

  #verified(peer: PeerId, body: Uint8Array): Frame[] {
    const frames = decodeFrames(body)
    if (!frames.ok) throw new Error(frames.reason)
    const { verifier, onBadFrame, onSeen } = this.#options
    const valid = verifiedFrames(frames.value, verifier, (reason) => onBadFrame(peer, reason))
    for (const frame of valid) onSeen(frame)
    return valid
  }
}

/** Those of the frames that verify. */
export function verifiedFrames(
  frames: readonly Uint8Array[],
  verifier: SharedVerifier,
  onBad: (reason: string) => void,
): Frame[] {
  const valid: Frame[] = []
  for (const bytes of frames) {
    const verified = verifier.verify(bytes)
    if (verified.ok) valid.push(verified.value)
    else onBad(`${verified.rejected}: ${verified.detail}`)
  }
  return valid
}

/** What a node does with requests. */
export interface Answers {
  readonly verifier: SharedVerifier
  /** Frames that came with a request. */
  readonly take: (frames: readonly Frame[]) => void
  readonly onBadFrame: (reason: string) => void
  readonly status: () => PeerStatus
  readonly view: (request: ViewRequest) => readonly Uint8Array[] | undefined
  readonly batches: (request: BatchesRequest) => Promise<readonly Uint8Array[] | undefined>
  readonly blocks: (request: BlocksRequest) => Promise<readonly Uint8Array[] | undefined>
}

/** The answer to a request's bytes; undefined: none is given. */
export async function answerTo(
  kind: RequestKind,
  body: Uint8Array,
  answers: Answers,
): Promise<Uint8Array | undefined> {
  const { verifier, take, onBadFrame } = answers
  switch (kind) {
    case 'status':
      return encodeStatus(answers.status())
    case 'view': {
      const request = decodeViewRequest(body)
      if (!request.ok) return undefined
      take(verifiedFrames(request.value.pushed, verifier, onBadFrame))
      return framed(answers.view(request.value))
    }
    case 'batches': {
      const request = decodeBatchesRequest(body)
      if (!request.ok) return undefined
      take(verifiedFrames(request.value.pushed, verifier, onBadFrame))
      return framed(await answers.batches(request.value))
    }
    case 'blocks': {
      const request = decodeBlocksRequest(body)
      return request.ok ? framed(await answers.blocks(request.value)) : undefined
    }
  }
}

function framed(frames: readonly Uint8Array[] | undefined): Uint8Array | undefined {
  return frames === undefined ? undefined : encodeFrames(frames)
}
