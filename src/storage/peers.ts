// Where peers were last reached: a hint for the next start, never relied on.
import type { PeerId } from '../types/index.ts'
import { corrupted } from './errors.ts'

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

/** @throws StorageError `corrupted` where the bytes are no list of peers. */
export function decodePeers(bytes: Uint8Array): KnownPeer[] {
  const value = parse(new TextDecoder().decode(bytes))
  if (!Array.isArray(value) || !value.every(isKnownPeer))
    throw corrupted('peers list', 'it is no list of peers')
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
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
