// Addresses of peers: which are taken from strangers, and the list that `/peers/1` answers with.
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { type ByteReader, ByteWriter, type Decoded, decodeAll } from '../codec/index.ts'
import type { PeerId } from '../types/index.ts'
import type { KnownPeer } from './ports.ts'

/** Peers of one list. */
export const listedPeersMax = 64
/** Addresses of one peer in a list. */
export const listedAddressesMax = 4
export const addressMaxBytes = 128
const peerIdMaxBytes = 64
/** A list is at most this long. */
export const peerListMaxBytes =
  2 + listedPeersMax * (2 + peerIdMaxBytes + listedAddressesMax * (1 + addressMaxBytes))

const hostProtocols = ['ip4', 'ip6', 'dns', 'dns4', 'dns6']
const unusableHosts = ['0.0.0.0', '::', '255.255.255.255']
const peerIdForm = /^[1-9A-HJ-NP-Za-km-z]{40,64}$/

/** A host, a TCP port and perhaps the peer id that is expected there. */
export interface PeerAddress {
  /** Without the peer id. */
  readonly address: string
  readonly peer?: PeerId
}

/** The address if it is one that this node could dial: a host and a TCP port, nothing more exotic. */
export function parseAddress(text: string): PeerAddress | undefined {
  if (text.length > addressMaxBytes + peerIdMaxBytes) return undefined
  const parsed = parseMultiaddr(text)
  if (parsed === undefined) return undefined
  const [host, port, identity, ...more] = parsed.getComponents()
  if (host?.value === undefined || !hostProtocols.includes(host.name)) return undefined
  if (unusableHosts.includes(host.value) || host.value.startsWith('ff')) return undefined
  if (port?.name !== 'tcp' || !isPort(port.value)) return undefined
  if (more.length > 0) return undefined
  const address = `/${host.name}/${host.value}/tcp/${port.value}`
  if (address.length > addressMaxBytes) return undefined
  if (identity === undefined) return { address }
  if (identity.name !== 'p2p' || !isPeerId(identity.value)) return undefined
  return { address, peer: identity.value }
}

/** Of use on the machine itself only; from elsewhere it would lead back to oneself. */
export function isLoopback(address: string): boolean {
  return /^\/ip4\/127\.|^\/ip6\/::1\/|^\/dns[46]?\/localhost\//.test(address)
}

export function isPeerId(value: unknown): value is PeerId {
  return typeof value === 'string' && peerIdForm.test(value)
}

/** At most `listedPeersMax` peers with `listedAddressesMax` addresses each; more are left out. */
export function encodePeerList(peers: readonly KnownPeer[]): Uint8Array {
  const listed = peers.slice(0, listedPeersMax)
  const writer = new ByteWriter(1024).u16(listed.length)
  for (const { peer, addresses } of listed) {
    const told = addresses.slice(0, listedAddressesMax)
    writer.text(peer).u8(told.length)
    for (const address of told) writer.text(address)
  }
  return writer.finish()
}

/** A list of strangers' claims; addresses that nobody could dial are left out. */
export function decodePeerList(bytes: Uint8Array): Decoded<KnownPeer[]> {
  return decodeAll(bytes, (reader: ByteReader) => {
    const limits = { count: reader.u16(), maxCount: listedPeersMax, itemBytes: 2 }
    const peers = reader.list(limits, () => {
      const peer = reader.text(1, peerIdMaxBytes)
      const addressLimits = { count: reader.u8(), maxCount: listedAddressesMax, itemBytes: 1 }
      const addresses = reader.list(addressLimits, () => reader.text(1, addressMaxBytes))
      return { peer, addresses }
    })
    return peers.flatMap(({ peer, addresses }) => {
      if (!isPeerId(peer)) return []
      return [{ peer, addresses: addresses.flatMap((text) => parseAddress(text)?.address ?? []) }]
    })
  })
}

function parseMultiaddr(text: string): Multiaddr | undefined {
  try {
    return multiaddr(text)
  } catch {
    // The library has no other way to say that a text is no address.
    return undefined
  }
}

function isPort(value: string | undefined): boolean {
  const port = Number(value)
  return Number.isInteger(port) && port >= 1 && port <= 65_535
}
