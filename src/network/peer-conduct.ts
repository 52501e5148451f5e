// How peers behave: rates, points for what cannot be valid, and who is shut out for how long. Decides when a peer is
// cut off; the cutting is the caller's (`onCutOff`). Time is an argument of the constructor.
import type { PeerId } from '../types/index.ts'

export interface ConductRules {
  readonly framesPerSecond: number
  readonly bytesPerSecond: number
  readonly banMs: number
  readonly validatorBanMs: number
}

export interface PeerConductOptions {
  readonly rules: ConductRules
  readonly isValidator: (peer: PeerId) => boolean
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** Called when a peer has gone too far; from then on it is banned. */
  readonly onCutOff: (peer: PeerId, reason: string) => void
}

/** Points at which a peer is cut off: the tenth fault in quick succession. They halve every minute, so that rare faults
 *  are forgiven, and ten points are never quite ten. */
export const pointsMax = 9.5
const pointsHalfLifeMs = 60_000
/** Over-rate frames are dropped, and only a long flood of them ends a connection: 2,000. */
const overRatePoints = pointsMax / 2_000
/** Four seconds' worth at once: a process that was held up delivers what piled up meanwhile. */
const burstSeconds = 4
/** What a message counts beside its own bytes: it is decoded, hashed and looked up, in 1 to 2 µs. With 64 MiB a second
 *  these are a quarter of a core, not a whole one and more. */
const messageCostBytes = 512
/** Requests of one peer, all protocols together. */
const requestsPerSecond = 100
/** Peers whose conduct is remembered, the ones heard from longest ago are forgotten first; 1 KB each. */
const recordsMax = 2_000
/** Peers shut out at once; beyond that the oldest ban ends early. */
const bansMax = 10_000

/** Batches, which anybody can make, have a rate of their own: however many there are, votes get through. */
export type RateClass = 'batches' | 'votes'

interface Rate {
  readonly frames: TokenBucket
  readonly bytes: TokenBucket
}

interface Record extends Readonly<globalThis.Record<RateClass, Rate>> {
  readonly requests: TokenBucket
  points: number
  pointsAt: number
  invalidCount: number
}

/** Refills steadily up to its capacity. */
class TokenBucket {
  readonly #perMs: number
  readonly #capacity: number
  #tokens: number
  #at: number

  constructor({ perSecond, capacity, now }: { perSecond: number; capacity: number; now: number }) {
    this.#perMs = perSecond / 1000
    this.#capacity = capacity
    this.#tokens = capacity
    this.#at = now
  }

  take(amount: number, now: number): boolean {
    this.#tokens = Math.min(this.#capacity, this.#tokens + (now - this.#at) * this.#perMs)
    this.#at = now
    if (this.#tokens < amount) return false
    this.#tokens -= amount
    return true
  }
}

export class PeerConduct {
  readonly #options: PeerConductOptions
  /** Iterates from the peer heard from longest ago. */
  readonly #records = new Map<PeerId, Record>()
  /** Until when. */
  readonly #bans = new Map<PeerId, number>()

  constructor(options: PeerConductOptions) {
    this.#options = options
  }

  /** Whether a frame of this size is within the peer's rate; a long flood beyond it gets a stranger cut off. */
  allowFrame(peer: PeerId, sizeBytes: number, rateClass: RateClass): boolean {
    const record = this.#recordOf(peer)
    const now = this.#options.now()
    const { frames, bytes } = record[rateClass]
    if (frames.take(1, now) && bytes.take(sizeBytes, now)) return true
    this.#onFlood(peer, record, 'a flood of frames')
    return false
  }

  /** The same for the messages of a batch, before it is decoded: tiny ones cost far more than their bytes. */
  allowMessages(peer: PeerId, count: number): boolean {
    const record = this.#recordOf(peer)
    if (record.batches.bytes.take(count * messageCostBytes, this.#options.now())) return true
    this.#onFlood(peer, record, 'a flood of messages')
    return false
  }

  /** The same for a request. */
  allowRequest(peer: PeerId): boolean {
    const record = this.#recordOf(peer)
    if (record.requests.take(1, this.#options.now())) return true
    this.#addPoints(peer, record, { points: overRatePoints, reason: 'a flood of requests' })
    return false
  }

  /** Counts one thing that no honest peer sends. */
  punish(peer: PeerId, reason: string, points = 1): void {
    const record = this.#recordOf(peer)
    record.invalidCount += 1
    this.#addPoints(peer, record, { points, reason })
  }

  /** Shuts a peer out, for a time of the caller's. */
  ban(peer: PeerId, durationMs: number): void {
    this.#bans.delete(peer)
    this.#bans.set(peer, this.#options.now() + durationMs)
    if (this.#bans.size > bansMax) for (const oldest of firstOf(this.#bans.keys())) this.#bans.delete(oldest)
  }

  isBanned(peer: PeerId): boolean {
    const until = this.#bans.get(peer)
    if (until === undefined) return false
    if (until > this.#options.now()) return true
    this.#bans.delete(peer)
    return false
  }

  /** Points as they stand now: 0 is good, `pointsMax` is the end. */
  pointsOf(peer: PeerId): number {
    const record = this.#records.get(peer)
    return record === undefined ? 0 : this.#decayed(record)
  }

  invalidCountOf(peer: PeerId): number {
    return this.#records.get(peer)?.invalidCount ?? 0
  }

  /** A validator hands on what others flood it with, and is no less honest for it: what is too much is dropped. */
  #onFlood(peer: PeerId, record: Record, reason: string): void {
    if (!this.#options.isValidator(peer)) this.#addPoints(peer, record, { points: overRatePoints, reason })
  }

  #addPoints(peer: PeerId, record: Record, { points, reason }: { points: number; reason: string }): void {
    record.points = this.#decayed(record) + points
    record.pointsAt = this.#options.now()
    if (record.points < pointsMax || this.isBanned(peer)) return

    // What it did is paid for by the ban: it begins anew after it.
    record.points = 0
    const { banMs, validatorBanMs } = this.#options.rules
    this.ban(peer, this.#options.isValidator(peer) ? validatorBanMs : banMs)
    this.#options.onCutOff(peer, reason)
  }

  #decayed({ points, pointsAt }: Record): number {
    return points * 0.5 ** ((this.#options.now() - pointsAt) / pointsHalfLifeMs)
  }

  #recordOf(peer: PeerId): Record {
    const record = this.#records.get(peer) ?? this.#newRecord()
    this.#records.delete(peer)
    this.#records.set(peer, record)
    if (this.#records.size > recordsMax)
      for (const oldest of firstOf(this.#records.keys())) this.#records.delete(oldest)
    return record
  }

  #newRecord(): Record {
    const now = this.#options.now()
    const { framesPerSecond, bytesPerSecond } = this.#options.rules
    const bucket = (perSecond: number) =>
      new TokenBucket({ perSecond, capacity: perSecond * burstSeconds, now })
    const rate = () => ({ frames: bucket(framesPerSecond), bytes: bucket(bytesPerSecond) })
    return {
      batches: rate(),
      votes: rate(),
      requests: bucket(requestsPerSecond),
      points: 0,
      pointsAt: now,
      invalidCount: 0,
    }
  }
}

function* firstOf<T>(items: Iterable<T>): Generator<T> {
  for (const item of items) {
    yield item
    return
  }
}
