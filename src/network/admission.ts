// The one door for frames, whatever road they came by (protocol §4): size, rate, kind, height and signatures are
// checked, in the order of what they cost, before a frame is handed to the node or forwarded by gossip.
import {
  commitmentEntriesMax,
  commitmentEntryBytes,
  decodeFrame,
  type Frame,
  frameKindOf,
  heightOf,
  maxGossipFrameBytes,
  maxValidators,
  messageCountOf,
} from '../codec/index.ts'
import type { Genesis, PeerId } from '../types/index.ts'
import { decodeBundle } from './bundles.ts'
import type { Counters } from './counters.ts'
import type { PeerConduct, RateClass } from './peer-conduct.ts'
import type { HeightWindow, NetworkHandler } from './ports.ts'
import { RecentSet } from './recent-set.ts'
import { Statements, type Uselessness } from './statements.ts'
import type { FrameVerifier, VerifiedFrame, VerifierCrypto } from './verify.ts'

export type GossipChannel = 'messages' | 'proposals' | 'commitments'
export type Channel = GossipChannel | 'direct'
export type FrameKind = Frame['kind']

/** What to do with a frame: hand on and forward; drop without blame; drop and blame. */
export type Verdict = 'accept' | 'ignore' | 'reject'

export interface AdmissionOptions {
  readonly genesis: Genesis
  readonly verifier: FrameVerifier
  readonly conduct: PeerConduct
  readonly counters: Counters
  readonly crypto: Pick<VerifierCrypto, 'sha256Hex'>
  readonly handler: Pick<NetworkHandler, 'onFrame' | 'onAhead' | 'heightWindow' | 'log'>
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
}

/** The gossip topic that carries a kind; a block travels inside proposals and in replies only. */
export const channelOf: Record<Exclude<FrameKind, 'block'>, GossipChannel> = {
  batch: 'messages',
  proposal: 'proposals',
  'pool-commitment': 'commitments',
  vote: 'commitments',
  certificate: 'commitments',
  evidence: 'commitments',
}

/** Heights above the final one whose frames are taken: the one under way, and the next, whose commitments come with
 *  finalize votes (protocol §3.1). */
export const heightsAhead = 2
/** Frames remembered as seen and valid: the second copy of a road costs a hash. 100 bytes each. */
const seenFrames = 20_000
/** A node behind by far gets all live traffic; it need not hear that more often. */
const aheadIntervalMs = 1_000

export class Admission {
  readonly #options: AdmissionOptions
  readonly #maxBytes: Record<Channel, number>
  readonly #seen = new RecentSet(seenFrames)
  readonly #statements = new Statements()
  #aheadReported = { height: 0, at: Number.NEGATIVE_INFINITY }

  constructor(options: AdmissionOptions) {
    this.#options = options
    this.#maxBytes = frameBytesMax(options.genesis)
  }

  /** Checks a message of gossip, a frame or a bundle of them. It is forwarded as a whole, and whoever finds a bad frame
   *  in it blames the forwarder: so the verdict is that of its worst frame, and none may be left unchecked. */
  admitMessage(message: { channel: GossipChannel; bytes: Uint8Array; from: PeerId }): Verdict {
    const { channel, from } = message
    const frames = decodeBundle(message.bytes)
    if (frames === undefined) return this.#reject(from, 'malformed', 'a broken bundle')
    const isShared = frames.length > 1
    const verdicts = frames.map((bytes) => this.#admit({ channel, bytes, from, isShared }))
    if (verdicts.includes('reject')) return 'reject'
    return verdicts.includes('accept') && !verdicts.includes('unchecked') ? 'accept' : 'ignore'
  }

  /** Checks one frame of a peer; a new one that is accepted goes to `handler.onFrame`. */
  admit(frame: { channel: Channel; bytes: Uint8Array; from: PeerId }): Verdict {
    const verdict = this.#admit({ ...frame, isShared: false })
    return verdict === 'unchecked' ? 'ignore' : verdict
  }

  /** @param frame.isShared others are forwarded with it: its signatures are checked though it is of no use here. */
  #admit({
    channel,
    bytes,
    from,
    isShared,
  }: {
    readonly channel: Channel
    readonly bytes: Uint8Array
    readonly from: PeerId
    readonly isShared: boolean
  }): Verdict | 'unchecked' {
    const { conduct, counters, crypto, verifier } = this.#options
    counters.add('bytes_in', bytes.length)
    if (bytes.length > this.#maxBytes[channel])
      return this.#reject(from, 'too-large', `${bytes.length} bytes`)
    const isHeard = !conduct.isBanned(from)
    if (!isHeard || !conduct.allowFrame(from, bytes.length, rateClassOf(bytes))) {
      this.#ignore(isHeard ? 'rate' : 'banned')
      return 'unchecked'
    }
    // Before what is known: a frame that is known here, on the wrong topic, is not known to all it would go on to.
    const kind = frameKindOf(bytes)
    if (kind !== undefined && !travelsOn(channel, kind)) return this.#reject(from, 'wrong-channel', kind)

    const hash = crypto.sha256Hex(bytes)
    if (this.#seen.has(hash)) {
      counters.add('frames_in_again')
      return 'accept'
    }
    // A frame that is known costs no more than its hash.
    if (!conduct.allowMessages(from, messageCountOf(bytes))) {
      this.#ignore('rate')
      return 'unchecked'
    }
    const decoded = decodeFrame(ownBytes(bytes), verifier.context)
    if (!decoded.ok) return this.#reject(from, 'malformed', decoded.reason)
    const frame = decoded.value

    const place = this.#placeOf(frame)
    if (place === 'old' && !isShared) return this.#ignore('old')
    if (place === 'ahead' && !isShared) return this.#onAhead(frame, from)
    const window = this.#options.handler.heightWindow()
    const uselessness = place === 'here' ? this.#uselessnessOf(frame, { window, channel, from }) : undefined
    if (uselessness !== undefined && !isShared) return this.#ignore(uselessness)

    const verified = verifier.verifyFrame(frame)
    if (!verified.ok) return this.#reject(from, verified.rejected, verified.detail)
    if (place === 'old') return this.#ignore('old')
    if (place === 'ahead') return this.#onAhead(frame, from)
    if (uselessness !== undefined) return this.#ignore(uselessness)
    this.#statements.note(frame, window)
    this.#seen.add(hash)
    counters.add(`frames_in_${frame.kind}`)
    counters.add(`first_by_${channel}`)
    // Apart from the caller, which is inside a library that swallows exceptions: a bug of the node must be seen.
    queueMicrotask(() => {
      this.#options.handler.onFrame(verified.value, from)
    })
    return 'accept'
  }

  /** Frames inside a request or a reply: each is checked as if it came by itself. What is not valid is left out, and its
   *  sender blamed; what is of no height in the window is left out without blame. */
  verifyEach({
    frames,
    kinds,
    from,
    isAskedFor,
  }: {
    readonly frames: readonly Uint8Array[]
    readonly kinds: readonly FrameKind[]
    readonly from: PeerId
    /** Frames of a reply: their number is this node's own doing, and counts in no rate of the peer's. */
    readonly isAskedFor: boolean
  }): VerifiedFrame[] {
    const { conduct, counters } = this.#options
    const valid: VerifiedFrame[] = []
    for (const bytes of frames) {
      counters.add('bytes_in', bytes.length)
      // One that was cut off in the middle, or is over its rate, is not listened to further.
      const isWithinRate =
        isAskedFor ||
        (conduct.allowFrame(from, bytes.length, rateClassOf(bytes)) &&
          conduct.allowMessages(from, messageCountOf(bytes)))
      const isAllowed = isWithinRate && !conduct.isBanned(from)
      if (!isAllowed) {
        this.#ignore('rate')
        return valid
      }
      const frame = this.#verifyAsked({ bytes, kinds, from })
      if (frame === undefined) continue
      counters.add(`frames_in_${frame.kind}`)
      valid.push(frame)
    }
    return valid
  }

  /** What a validator says for itself, on its own stream, is not handed on; it is heard however often it says it. */
  #uselessnessOf(
    frame: Frame,
    { window, channel, from }: { window: HeightWindow; channel: Channel; from: PeerId },
  ): Uselessness | undefined {
    const uselessness = this.#statements.uselessnessOf(frame, window)
    if (uselessness !== 'repeated' || channel !== 'direct') return uselessness
    const signer = frame.kind === 'proposal' ? frame.proposal.leader : undefined
    const isBySigner = signer !== undefined && this.#options.genesis.validators[signer]?.peerId === from
    return isBySigner ? undefined : uselessness
  }

  #verifyAsked({
    bytes,
    kinds,
    from,
  }: {
    readonly bytes: Uint8Array
    readonly kinds: readonly FrameKind[]
    readonly from: PeerId
  }): VerifiedFrame | undefined {
    const verified = this.#options.verifier.verify(ownBytes(bytes))
    const place = verified.ok ? this.#placeOf(verified.value) : 'here'
    if (!verified.ok) this.#reject(from, verified.rejected, verified.detail)
    else if (!kinds.includes(verified.value.kind)) this.#reject(from, 'wrong-channel', verified.value.kind)
    // The height moved on while the reply was on its way, or a liar signed one that is far.
    else if (place !== 'here') this.#ignore(place)
    else return verified.value
    return undefined
  }

  /** A frame of one's own need not be taken from others. */
  remember(bytes: Uint8Array): void {
    this.#seen.add(this.#options.crypto.sha256Hex(bytes))
  }

  #placeOf(frame: Frame): 'here' | 'old' | 'ahead' {
    const height = heightOf(frame)
    if (height === undefined) return 'here'
    const { final } = this.#options.handler.heightWindow()
    if (height > final + heightsAhead) return 'ahead'
    // Evidence is of use for as long as it is not in the chain.
    if (height <= final && frame.kind !== 'evidence') return 'old'
    return 'here'
  }

  /** Only a validator's signature says that there is a height: anybody can write down a large number. */
  #onAhead(frame: Frame, from: PeerId): Verdict {
    const height = heightOf(frame) ?? 0
    const now = this.#options.now()
    const { height: reported, at } = this.#aheadReported
    if (height <= reported && now - at < aheadIntervalMs) return this.#ignore('ahead')

    const verified = this.#options.verifier.verifyFrame(frame)
    if (!verified.ok) return this.#reject(from, verified.rejected, verified.detail)
    this.#aheadReported = { height, at: now }
    queueMicrotask(() => this.#options.handler.onAhead(height, from))
    return this.#ignore('ahead')
  }

  #ignore(reason: string): Verdict {
    this.#options.counters.add(`ignored_${reason}`)
    return 'ignore'
  }

  #reject(from: PeerId, reason: string, detail: string): Verdict {
    const { conduct, counters, handler } = this.#options
    counters.add(`rejected_${reason}`)
    handler.log.debug({ peer: from, reason, detail }, 'frame rejected')
    conduct.punish(from, `${reason}: ${detail}`)
    return 'reject'
  }
}

/** A decoded frame is made of views of its bytes, and these often are a view of what came from the socket, or of a whole
 *  reply: a small frame that is kept would keep all of that. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength > 2 * bytes.length ? new Uint8Array(bytes) : bytes
}

function rateClassOf(bytes: Uint8Array): RateClass {
  return frameKindOf(bytes) === 'batch' ? 'batches' : 'votes'
}

function travelsOn(channel: Channel, kind: FrameKind): boolean {
  if (kind === 'block') return false
  return channel === 'direct' || channelOf[kind] === channel
}

/** The largest frame that can be valid on a channel. */
function frameBytesMax({ limits, validators }: Genesis): Record<Channel, number> {
  const overhead = 128
  const commitment = overhead + commitmentEntryBytes * commitmentEntriesMax(limits, validators.length)
  const certificate = overhead + 66 * maxValidators
  return {
    messages: limits.maxBatchBytes + overhead,
    proposals: maxGossipFrameBytes,
    // Evidence holds two commitments.
    commitments: Math.max(2 * commitment + overhead, certificate),
    direct: maxGossipFrameBytes,
  }
}
