import type { Brand } from './brand.ts'

/** 32 bytes as 64 lower-case hex digits. */
export type Hash = Brand<string, 'Hash'>
/** SHA-256 of a message's encoding. */
export type MessageId = Brand<Hash, 'MessageId'>
/** SHA-256 of a batch's signed bytes (its signature is not part of it). */
export type BatchId = Brand<Hash, 'BatchId'>
/** SHA-256 of a header's encoding; of genesis for block 0. */
export type BlockId = Brand<Hash, 'BlockId'>
/** An Ed25519 public key, 32 bytes in hex. */
export type PublicKey = Brand<string, 'PublicKey'>
/** An ECVRF-EDWARDS25519 public key, 32 bytes in hex. */
export type VrfPublicKey = Brand<string, 'VrfPublicKey'>
/** A libp2p peer id in its text form (`12D3KooW…`). */
export type PeerId = Brand<string, 'PeerId'>

/** Position of a block in the chain; genesis is 0. */
export type Height = number
/** An attempt at a height, from 0. */
export type View = number
/** Position of a validator in the genesis list, from 0. */
export type ValidatorIndex = number
/** Milliseconds since the Unix epoch, an integer below 2^53. */
export type TimeMs = number
