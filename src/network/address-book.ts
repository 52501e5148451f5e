// Who is known, where, and who is to be dialled when. Decides only: dialler.ts dials. Validators and bootstrap peers
// are tried for ever, others for as long as it seems worth it.
import type { PeerId } from '../types/index.ts'
import { type PeerAddress, parseAddress } from './peer-list.ts'
import type { KnownPeer } from './ports.ts'

/** How an address came to be known: from what dialled well or the peer itself said, or from others. */
export type AddressSource = 'itself' | 'hearsay'

export interface AddressBookOptions {
  readonly self: PeerId
  readonly validators: readonly PeerId[]
  readonly redialMinMs: number
  readonly redialMaxMs: number
  /** Strangers that are dialled while fewer peers than this are connected. */
  readonly wantedPeers: number
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** From 0 up to 1. */
  readonly random: () => number
}

/** A peer to dial now, at all of its addresses. */
export interface DialTarget {
  readonly key: string
  readonly peer?: PeerId
  readonly addresses: readonly string[]
}

/** Peers in the book; validators and bootstrap peers are never put out for strangers. */
const entriesMax = 1_000
/** Addresses of one peer that are sure, and that others told: liars cannot push out what is sure. */
const sureMax = 4
const hearsayMax = 4
/** A stranger that did not answer so often is forgotten. */
const strangerFailuresMax = 8
/** Of two validators that lose each other the one with the smaller id dials at once, the other waits this much
 *  longer: two connections at once help nobody. */
const politeWaitMs = 700

interface Entry {
  /** The peer id, or the address of a bootstrap peer whose id is not known yet. */
  readonly key: string
  readonly peer?: PeerId
  readonly isPermanent: boolean
  readonly sure: string[]
  readonly hearsay: string[]
  failures: number
  notBefore: number
  isDialling: boolean
}

export class AddressBook {
  readonly #options: AddressBookOptions
  readonly #validators: ReadonlySet<PeerId>
  /** Iterates from the one that was added first. */
  readonly #entries = new Map<string, Entry>()

  constructor(options: AddressBookOptions) {
    this.#options = options
    this.#validators = new Set(options.validators)
  }

  /** A bootstrap address, with or without a peer id. */
  addBootstrap({ address, peer }: PeerAddress): void {
    if (peer === this.#options.self) return
    const entry = this.#entryOf(peer ?? address, { peer, isPermanent: true })
    if (entry !== undefined) keep(entry.sure, address, sureMax)
  }

  /** Addresses of a peer. @returns whether anything new was learnt. */
  learn(peer: PeerId, addresses: readonly string[], source: AddressSource): boolean {
    if (peer === this.#options.self) return false
    const parsed = addresses.flatMap((text) => parseAddress(text) ?? [])
    const usable = parsed.filter((known) => known.peer === undefined || known.peer === peer)
    if (usable.length === 0) return false
    const entry = this.#entryOf(peer, { peer, isPermanent: this.#validators.has(peer) })
    if (entry === undefined) return false
    let isNew = false
    for (const { address } of usable) {
      if (source === 'itself') isNew = keep(entry.sure, address, sureMax) || isNew
      else if (!entry.sure.includes(address)) isNew = keep(entry.hearsay, address, hearsayMax) || isNew
    }
    return isNew
  }

  /** Who is to be dialled now; each counts as being dialled until `dialled` is called. */
  takeDue(connected: ReadonlySet<PeerId>): DialTarget[] {
    const now = this.#options.now()
    let missing = this.#options.wantedPeers - connected.size
    const due: DialTarget[] = []
    for (const entry of this.#entries.values()) {
      if (entry.isDialling || entry.notBefore > now) continue
      if (entry.peer !== undefined && connected.has(entry.peer)) continue
      if (!entry.isPermanent && missing-- <= 0) continue
      entry.isDialling = true
      const addresses = [...new Set([...entry.sure, ...entry.hearsay])]
      due.push({ key: entry.key, addresses, ...(entry.peer === undefined ? {} : { peer: entry.peer }) })
    }
    return due
  }

  /** The end of a dial. On success `peer` is who was there, and `address` where. */
  dialled(key: string, result: { readonly peer: PeerId; readonly address?: string } | 'failed'): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    entry.isDialling = false
    if (result === 'failed') {
      entry.failures += 1
      if (!entry.isPermanent && entry.failures >= strangerFailuresMax) this.#entries.delete(key)
      entry.notBefore = this.#options.now() + this.#waitMs(entry)
      return
    }
    entry.failures = 0
    if (entry.peer === undefined) this.#nameBootstrap(entry, result.peer)
    if (result.address !== undefined) this.learn(result.peer, [result.address], 'itself')
  }

  /** A connection is gone: the peer is dialled again soon. */
  lost(peer: PeerId): void {
    const entry = this.#entries.get(peer)
    if (entry === undefined) return
    entry.failures = 0
    entry.notBefore = this.#options.now() + this.#waitMs(entry)
  }

  /** Not to be dialled for a time: it was cut off. */
  rest(peer: PeerId, durationMs: number): void {
    const entry = this.#entries.get(peer)
    if (entry !== undefined) entry.notBefore = this.#options.now() + durationMs
  }

  /** For others and for the next start; sure addresses first, validators first. */
  known(): KnownPeer[] {
    const peers = [...this.#entries.values()].flatMap(({ peer, sure, hearsay }) =>
      peer === undefined || sure.length + hearsay.length === 0
        ? []
        : [{ peer, addresses: [...new Set([...sure, ...hearsay])] }],
    )
    const isValidator = ({ peer }: KnownPeer) => this.#validators.has(peer)
    return [...peers.filter(isValidator), ...peers.filter((peer) => !isValidator(peer))]
  }

  /** Peers with an address that is sure: what is worth telling others. */
  sure(): KnownPeer[] {
    const sureOf = (peer: PeerId) => this.#entries.get(peer)?.sure ?? []
    return this.known().flatMap(({ peer }) => {
      const addresses = sureOf(peer)
      return addresses.length === 0 ? [] : [{ peer, addresses: [...addresses] }]
    })
  }

  addressesOf(peer: PeerId): string[] {
    const entry = this.#entries.get(peer)
    return entry === undefined ? [] : [...new Set([...entry.sure, ...entry.hearsay])]
  }

  /** 0.3 s, doubled with every failure up to 10 s, a quarter of it at random. */
  #waitMs({ failures, peer }: Entry): number {
    const { redialMinMs, redialMaxMs, random } = this.#options
    const baseMs = Math.min(redialMaxMs, redialMinMs * 2 ** Math.max(0, failures - 1))
    return baseMs * (0.75 + 0.25 * random()) + (failures === 0 && this.#waitsFor(peer) ? politeWaitMs : 0)
  }

  /** Whether the other of two validators dials first. */
  #waitsFor(peer: PeerId | undefined): boolean {
    const { self } = this.#options
    return peer !== undefined && this.#validators.has(self) && this.#validators.has(peer) && self > peer
  }

  /** A bootstrap peer that was known by its address only: now its id is known. */
  #nameBootstrap(entry: Entry, peer: PeerId): void {
    this.#entries.delete(entry.key)
    const named = this.#entryOf(peer, { peer, isPermanent: true })
    if (named !== undefined) for (const address of entry.sure) keep(named.sure, address, sureMax)
  }

  #entryOf(key: string, made: { peer: PeerId | undefined; isPermanent: boolean }): Entry | undefined {
    const known = this.#entries.get(key)
    if (known !== undefined && (known.isPermanent || !made.isPermanent)) return known
    if (known === undefined && this.#entries.size >= entriesMax && !this.#makeRoom()) return undefined
    const entry: Entry = {
      key,
      ...(made.peer === undefined ? {} : { peer: made.peer }),
      isPermanent: made.isPermanent,
      sure: known?.sure ?? [],
      hearsay: known?.hearsay ?? [],
      failures: 0,
      notBefore: known?.notBefore ?? this.#options.now() + (this.#waitsFor(made.peer) ? politeWaitMs : 0),
      isDialling: known?.isDialling ?? false,
    }
    this.#entries.set(key, entry)
    return entry
  }

  /** Puts out the stranger that is known only from others, or failed most. */
  #makeRoom(): boolean {
    let worst: Entry | undefined
    for (const entry of this.#entries.values()) {
      if (entry.isPermanent || entry.isDialling) continue
      if (worst === undefined || badness(entry) > badness(worst)) worst = entry
    }
    if (worst === undefined) return false
    this.#entries.delete(worst.key)
    return true
  }
}

function badness({ sure, failures }: Entry): number {
  return failures + (sure.length === 0 ? strangerFailuresMax : 0)
}

/** Puts an address first; the one unused longest gives way. @returns whether it is new. */
function keep(addresses: string[], address: string, max: number): boolean {
  const at = addresses.indexOf(address)
  if (at >= 0) addresses.splice(at, 1)
  addresses.unshift(address)
  if (addresses.length > max) addresses.pop()
  return at < 0
}
