// Who is let in: nobody that was cut off, and strangers only while there is room for them. A validator always finds room.
import type { Connection, ConnectionGater } from '@libp2p/interface'
import type { PeerId } from '../types/index.ts'
import type { PeerConduct } from './peer-conduct.ts'

export interface GateOptions {
  readonly conduct: PeerConduct
  readonly isValidator: (peer: PeerId) => boolean
  /** With strangers. */
  readonly maxConnections: number
  readonly connections: () => readonly Connection[]
}

export function gateOf({ conduct, isValidator, maxConnections, connections }: GateOptions): ConnectionGater {
  const isBanned = (peer: { toString(): string }) => conduct.isBanned(peer.toString() as PeerId)
  const strangerCount = () =>
    connections().filter(({ remotePeer }) => !isValidator(remotePeer.toString() as PeerId)).length
  return {
    denyDialPeer: isBanned,
    denyOutboundEncryptedConnection: isBanned,
    denyInboundEncryptedConnection: (id) => {
      const peer = id.toString() as PeerId
      return isBanned(peer) || (!isValidator(peer) && strangerCount() >= maxConnections)
    },
  }
}
