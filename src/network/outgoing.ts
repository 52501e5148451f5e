// The way of a frame out: which frames go to validators at once, besides by gossip, and how long gossip may gather frames
// before it sends them. Best effort: what the queues cannot hold is counted.
import { encodeFrame, type Frame } from '../codec/index.ts'
import { type Admission, channelOf } from './admission.ts'
import type { Counters } from './counters.ts'
import type { DirectStreams } from './direct.ts'
import type { Gossip } from './gossip.ts'

export interface OutgoingOptions {
  readonly gossip: Gossip
  readonly direct: DirectStreams
  readonly admission: Admission
  readonly counters: Counters
  /** Validators besides this node. */
  readonly otherValidators: number
  readonly peerCount: () => number
  /** Batches above it go by gossip only. */
  readonly directBatchBytesMax: number
}

/** How long gossip gathers frames, by who waits for them: validators that are not reached directly and depend on
 *  others to forward; nodes that only follow; nobody, as every peer is a validator that has had its copy: then gossip
 *  is there for the copies that got stuck, before asking begins. */
const gossipDelayMs = { uncovered: 4, covered: 40, alone: 400 } as const

export class Outgoing {
  readonly #options: OutgoingOptions

  constructor(options: OutgoingOptions) {
    this.#options = options
  }

  /** Never throws. A block is no frame of gossip. */
  send(frame: Exclude<Frame, { readonly kind: 'block' }>): void {
    const { gossip, direct, admission, counters, directBatchBytesMax } = this.#options
    const bytes = encodeFrame(frame)
    admission.remember(bytes)
    counters.add(`frames_out_${frame.kind}`)
    // Gossip carries every frame; a direct copy may be sooner, and never stands in for it (protocol §4). A large batch has
    // none: sent twice it would cost more than it wins.
    const isGossipAlone = frame.kind === 'batch' && bytes.length > directBatchBytesMax
    if (isUrgent(frame) && !isGossipAlone) direct.send(bytes)
    const delayMs = isGossipAlone ? gossipDelayMs.uncovered : this.#gossipDelayMs()
    gossip.publish(channelOf[frame.kind], bytes, delayMs)
  }

  /** Gossip has time where every other validator has its copy by a direct stream; more where nobody else listens. */
  #gossipDelayMs(): number {
    const { direct, otherValidators, peerCount } = this.#options
    if (direct.openCount < otherValidators) return gossipDelayMs.uncovered
    return peerCount() > otherValidators ? gossipDelayMs.covered : gossipDelayMs.alone
  }
}

/** What validators wait for. They make certificates of view 0 themselves, of the votes that they all get; each forwards
 *  them by gossip all the same. */
function isUrgent(frame: Frame): boolean {
  return (
    frame.kind !== 'certificate' || frame.certificate.view > 0 || frame.certificate.kind === 'nullification'
  )
}
