// Frames between nodes: gossip, direct streams, requests; bytes in, verified frames out.
export type { FrameKind } from './admission.ts'
export { NetworkError, type NetworkErrorCode, type NetworkFailure, networkErrorCode } from './errors.ts'
export { Network } from './network.ts'
export { parseAddress } from './peer-list.ts'
export {
  defaultSettings,
  type HeightWindow,
  type KnownPeer,
  type NetworkHandler,
  type NetworkLogger,
  type NetworkOptions,
  type NetworkSettings,
  type PeerInfo,
} from './ports.ts'
export {
  FrameVerifier,
  type FrameVerifierOptions,
  type InvalidReason,
  type Verification,
  type VerifiedFrame,
  type VerifierCrypto,
} from './verify.ts'
