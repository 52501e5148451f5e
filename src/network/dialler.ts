// Dials whom the address book says is due, and keeps the book: what is learnt comes into it here, it is read at the start and
// saved when it changed. Decides nothing: whom to dial when is address-book.ts, what to do with who is connected peers.ts.
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { PeerId } from '../types/index.ts'
import type { AddressBook, AddressSource, DialTarget } from './address-book.ts'
import type { Counters } from './counters.ts'
import { messageOf } from './errors.ts'
import type { Libp2pNode } from './libp2p.ts'
import type { PeerConduct } from './peer-conduct.ts'
import { isLoopback, parseAddress } from './peer-list.ts'
import type { KnownPeer, NetworkHandler } from './ports.ts'

export interface DiallerOptions {
  readonly node: Pick<Libp2pNode, 'dial'>
  readonly book: AddressBook
  readonly conduct: PeerConduct
  readonly counters: Counters
  readonly bootstrap: readonly string[]
  readonly handler: Pick<NetworkHandler, 'loadPeers' | 'savePeers' | 'log'>
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
}

const saveEveryMs = 5_000

export class Dialler {
  readonly #options: DiallerOptions
  #isBookChanged = false
  #savedAt = 0
  #saving: Promise<void> = Promise.resolve()

  constructor(options: DiallerOptions) {
    this.#options = options
  }

  /** Puts bootstrap addresses and those of before into the book. */
  async start(): Promise<void> {
    const { book, bootstrap, handler, now } = this.#options
    for (const text of bootstrap) {
      const address = parseAddress(text)
      if (address === undefined) handler.log.warn({ address: text }, 'bootstrap address is not usable')
      else book.addBootstrap(address)
    }
    for (const { peer, addresses } of await this.#loaded()) book.learn(peer, addresses, 'hearsay')
    this.#savedAt = now()
  }

  /** What changed is on its way to disk when it resolves. */
  async stop(): Promise<void> {
    if (this.#isBookChanged) this.#save()
    await this.#saving
  }

  /** @param isNear told by someone on this machine, who alone may tell of addresses on it. */
  learn(peer: PeerId, told: { addresses: readonly string[]; isNear: boolean; source: AddressSource }): void {
    const usable = told.isNear ? told.addresses : told.addresses.filter((address) => !isLoopback(address))
    if (this.#options.book.learn(peer, usable, told.source)) this.#isBookChanged = true
  }

  /** Dials who is due, and saves the book where it is time. To be called several times a second. */
  tick(connected: ReadonlySet<PeerId>): void {
    const { book, conduct, now } = this.#options
    for (const target of book.takeDue(connected)) {
      if (target.peer !== undefined && conduct.isBanned(target.peer)) book.dialled(target.key, 'failed')
      else void this.#dial(target)
    }
    if (this.#isBookChanged && now() - this.#savedAt >= saveEveryMs) this.#save()
  }

  async #dial({ key, peer, addresses }: DialTarget): Promise<void> {
    const { node, book, handler, counters } = this.#options
    if (addresses.length === 0) {
      book.dialled(key, 'failed')
      return
    }
    counters.add('dials')
    try {
      const connection = await node.dial(addresses.map((address) => dialAddress(address, peer)))
      const remote = connection.remotePeer.toString() as PeerId
      const address = parseAddress(connection.remoteAddr.toString())?.address
      const where = connection.direction === 'outbound' && address !== undefined ? { address } : {}
      book.dialled(key, { peer: remote, ...where })
      this.#isBookChanged = true
    } catch (error) {
      handler.log.debug({ peer: peer ?? key, error: messageOf(error) }, 'dial failed')
      counters.add('dials_failed')
      book.dialled(key, 'failed')
    }
  }

  async #loaded(): Promise<readonly KnownPeer[]> {
    const { handler } = this.#options
    try {
      return await handler.loadPeers()
    } catch (error) {
      // Bootstrap peers know them too.
      handler.log.warn({ error: messageOf(error) }, 'known peers could not be read')
      return []
    }
  }

  #save(): void {
    const { book, handler, now } = this.#options
    this.#isBookChanged = false
    this.#savedAt = now()
    this.#saving = handler.savePeers(book.known()).catch((error: unknown) => {
      handler.log.warn({ error: messageOf(error) }, 'known peers could not be saved')
    })
  }
}

function dialAddress(address: string, peer: PeerId | undefined): Multiaddr {
  return multiaddr(peer === undefined ? address : `${address}/p2p/${peer}`)
}
