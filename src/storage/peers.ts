// Where peers were last reached: a hint for the next start, never relied on.
import type { PeerId } from '../types/index.ts'

export interface KnownPeer {
  readonly peerId: PeerId
  /** Multiaddresses as text. */
  readonly addresses: readonly string[]
}

/** More than a node needs to find the network again. */
const peersMax = 200
const addressesMax = 8

export function encodePeers(peers: readonly KnownPeer[]): Uint8Array {
  const kept = peers.slice(0, peersMax).map(({ peerId, addresses }) => ({
    peerId,
    addresses: addresses.slice(0, addressesMax),
  }))
  return new TextEncoder().encode(JSON.stringify(kept))
}

/** A damaged list is no list: the bootstrap addresses are there too. */
export function decodePeers(bytes: Uint8Array | undefined): KnownPeer[] {
  if (bytes === undefined) return []
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return Array.isArray(value) ? value.filter(isKnownPeer) : []
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}

function isKnownPeer(value: unknown): value is KnownPeer {
  if (typeof value !== 'object' || value === null) return false
  const { peerId, addresses } = value as Partial<Record<keyof KnownPeer, unknown>>
  return (
    typeof peerId === 'string' &&
    Array.isArray(addresses) &&
    addresses.every((address) => typeof address === 'string')
  )
}
