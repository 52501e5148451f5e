// The pool's door: who may put how much in, so that one spammer starves nobody and memory stays bounded. It refuses;
// it never evicts. What is refused is not lost to the network: its author keeps it and hands it on again.
//
// An author key costs nothing, so a share for each author alone bounds nobody. A peer costs a connection, which are
// few, but an honest peer brings everybody's batches, a spammer's among them. Only validators, and this node itself,
// are known beforehand. Hence the parts, fixed fractions of the whole, none of which the others can use up:
//
// - local: what clients submit to this node. Whatever gossip brings, its clients are not turned away for it.
// - author of each validator: what a validator's node signed as author, whoever brings it. Nobody else can make such
//   batches, so spam through the same peers cannot keep them out.
// - lister of each validator: what is fetched because this validator's commitment lists it. An honest validator's
//   door let it in, so an honest batch that came with spam and was refused gets in by this road; a liar that lists a
//   spammer's batches fills its own part.
// - block: what a block under vote holds and this node lacks. Power > f lists it, so an honest validator let it in;
//   one that is not stored could not be voted for.
// - shared: the rest, for all. Here a peer (or a lister beyond its part) may hold at most half of what it leaves free,
//   and an author at most a quarter, counting all it holds here. One spamming peer is stopped at a third of this
//   part, one author at a fifth; a second peer finds two thirds free, and so on: there is room for newcomers without
//   anybody deciding how many there may be. Strangers with ever new identities can crowd out strangers, never the
//   parts above.
//
// Where a reserved part has no room the batch goes on to the shared part, under its rules.
import type { PeerId, PublicKey, ValidatorIndex } from '../types/index.ts'

/** How a batch came here. */
export type Origin =
  /** Submitted to this node by a client. */
  | { readonly kind: 'local' }
  /** Brought by gossip, or handed over. */
  | { readonly kind: 'peer'; readonly peer: PeerId }
  /** Fetched because this validator's pool commitment lists it. */
  | { readonly kind: 'lister'; readonly validator: ValidatorIndex }
  /** Fetched because a block under vote holds it: attached commitments of power > f list it. */
  | { readonly kind: 'block' }
  /** From this node's own disk at start. Never refused: it was in when it was stored. */
  | { readonly kind: 'restored' }

export type RefusalReason = 'author-quota' | 'peer-quota' | 'full' | 'no-new-message'

export interface Size {
  readonly bytes: number
  readonly batches: number
}

/** Used and largest size of a part of the pool. */
export interface PartUse {
  readonly used: Size
  readonly max: Size
}

export type PartName = 'local' | 'authors' | 'listers' | 'block' | 'shared'

/** Sixteenths of the whole; the shared part is what these leave: three, or more where there are no validators. `authors`
 *  and `listers` are split evenly among validators. The block part must take a block of the smallest messages, whose
 *  charge is 45 times their bytes. */
const sixteenths = { local: 4, authors: 3, listers: 2, block: 4 } as const
/** A peer's batches in the shared part, times this, are at most what is free of it. */
const peerDivisor = 2
const authorDivisor = 4

/** What a batch's admission took, to be given back when it leaves. */
export interface Charge {
  readonly bytes: number
  readonly accounts: readonly Account[]
}

export type Admission =
  | { readonly kind: 'admitted'; readonly charge: Charge }
  | { readonly kind: 'refused'; readonly reason: Exclude<RefusalReason, 'no-new-message'> }

interface Arrival {
  readonly author: PublicKey
  readonly from: Origin
  readonly bytes: number
  readonly isPinned: boolean
}

/** A sum of batches, with or without a bound of its own. */
class Account {
  readonly key: string
  readonly max: Size
  #bytes = 0
  #batches = 0

  constructor(key: string, max: Size) {
    this.key = key
    this.max = max
  }

  get used(): Size {
    return { bytes: this.#bytes, batches: this.#batches }
  }

  add(bytes: number): void {
    this.#bytes += bytes
    this.#batches += 1
  }

  remove(bytes: number): void {
    this.#bytes -= bytes
    this.#batches -= 1
  }

  hasRoomFor(bytes: number): boolean {
    return this.#bytes + bytes <= this.max.bytes && this.#batches < this.max.batches
  }
}

export class Shares {
  readonly #local: Account
  readonly #block: Account
  readonly #shared: Account
  readonly #authors: ReadonlyMap<PublicKey, Account>
  /** By validator index. */
  readonly #listers: readonly Account[]
  /** Users of the shared part, authors and bringers, while they have something in it. */
  readonly #users = new Map<string, Account>()

  /** @param max of the whole pool, in bytes as charged and in batches.
   *  @param reservedAuthors the validators' node keys, by index. */
  constructor({
    max,
    reservedAuthors,
  }: { readonly max: Size; readonly reservedAuthors: readonly PublicKey[] }) {
    const count = Math.max(1, reservedAuthors.length)
    const local = portion(max, sixteenths.local)
    const block = portion(max, sixteenths.block)
    const author = portion(max, sixteenths.authors / count)
    const lister = portion(max, sixteenths.listers / count)
    this.#local = new Account('local', local)
    this.#block = new Account('block', block)
    this.#authors = new Map(
      reservedAuthors.map((key) => [key, new Account(`reserved author ${key}`, author)]),
    )
    this.#listers = reservedAuthors.map((_, index) => new Account(`reserved lister ${index}`, lister))
    const reserved = [local, block, ...reservedAuthors.flatMap(() => [author, lister])]
    this.#shared = new Account('shared', {
      bytes: max.bytes - reserved.reduce((sum, part) => sum + part.bytes, 0),
      batches: max.batches - reserved.reduce((sum, part) => sum + part.batches, 0),
    })
  }

  /** Lets a batch in, charging it, or says why not. */
  admit(arrival: Arrival): Admission {
    const { from, bytes } = arrival
    if (from.kind === 'restored') return charge(bytes, [arrival.isPinned ? this.#local : this.#shared])
    const reserved = this.#reservedFor(arrival).find((account) => account.hasRoomFor(bytes))
    if (reserved !== undefined) return charge(bytes, [reserved])
    return this.#admitToShared(arrival)
  }

  /** Gives back what a batch took. */
  release({ bytes, accounts }: Charge): void {
    for (const account of accounts) {
      account.remove(bytes)
      if (account.used.batches === 0) this.#users.delete(account.key)
    }
  }

  parts(): Record<PartName, PartUse> {
    return {
      local: useOf([this.#local]),
      authors: useOf([...this.#authors.values()]),
      listers: useOf(this.#listers),
      block: useOf([this.#block]),
      shared: useOf([this.#shared]),
    }
  }

  /** Reserved parts that a batch may use, the narrowest purpose first. */
  #reservedFor({ author, from }: Arrival): Account[] {
    if (from.kind === 'local') return [this.#local]
    const accounts: Account[] = []
    const ofAuthor = this.#authors.get(author)
    if (ofAuthor !== undefined) accounts.push(ofAuthor)
    const ofLister = from.kind === 'lister' ? this.#listers[from.validator] : undefined
    if (ofLister !== undefined) accounts.push(ofLister)
    if (from.kind === 'block') accounts.push(this.#block)
    return accounts
  }

  #admitToShared(arrival: Arrival): Admission {
    const { author, from, bytes } = arrival
    if (!this.#shared.hasRoomFor(bytes)) return { kind: 'refused', reason: 'full' }
    if (from.kind === 'block') return charge(bytes, [this.#shared])
    const ofAuthor = this.#userOf(`author ${author}`)
    if (!this.#isWithinShare(ofAuthor, bytes, authorDivisor))
      return { kind: 'refused', reason: 'author-quota' }
    const bringer = bringerOf(from)
    const ofPeer = bringer === undefined ? undefined : this.#userOf(bringer)
    if (ofPeer !== undefined && !this.#isWithinShare(ofPeer, bytes, peerDivisor))
      return { kind: 'refused', reason: 'peer-quota' }
    const users = ofPeer === undefined ? [ofAuthor] : [ofAuthor, ofPeer]
    for (const user of users) this.#users.set(user.key, user)
    return charge(bytes, [this.#shared, ...users])
  }

  /** Whether a user's holding, times `divisor`, would be at most what would be free. */
  #isWithinShare(user: Account, bytes: number, divisor: number): boolean {
    const { used, max } = this.#shared
    const freeBytes = max.bytes - used.bytes - bytes
    const freeBatches = max.batches - used.batches - 1
    return (
      (user.used.bytes + bytes) * divisor <= freeBytes && (user.used.batches + 1) * divisor <= freeBatches
    )
  }

  #userOf(key: string): Account {
    return this.#users.get(key) ?? new Account(key, this.#shared.max)
  }
}

function charge(bytes: number, accounts: readonly Account[]): Admission {
  for (const account of accounts) account.add(bytes)
  return { kind: 'admitted', charge: { bytes, accounts } }
}

/** Who answers for a batch in the shared part; what clients submitted here, its author alone. */
function bringerOf(from: Origin): string | undefined {
  if (from.kind === 'peer') return `peer ${from.peer}`
  return from.kind === 'lister' ? `lister ${from.validator}` : undefined
}

function portion(max: Size, count: number): Size {
  return { bytes: Math.floor((max.bytes * count) / 16), batches: Math.floor((max.batches * count) / 16) }
}

function useOf(accounts: readonly Account[]): PartUse {
  const sum = (sizes: readonly Size[]): Size => ({
    bytes: sizes.reduce((total, size) => total + size.bytes, 0),
    batches: sizes.reduce((total, size) => total + size.batches, 0),
  })
  return {
    used: sum(accounts.map((account) => account.used)),
    max: sum(accounts.map((account) => account.max)),
  }
}
