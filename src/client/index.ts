// What applications import to talk to a node.
export { fromBase64, toBase64 } from './base64.ts'
export {
  Client,
  type ClientOptions,
  type FollowOptions,
  maxMessagesPerRequest,
  type SendOptions,
} from './client.ts'
export { ClientError, type ClientErrorCode } from './errors.ts'
export type {
  BlockHeader,
  BlockMessage,
  BlockReply,
  FollowedBlock,
  MessageState,
  NodeStatus,
  OutgoingMessage,
  PoolReply,
} from './replies.ts'
export { NamespaceSequencer, type SequencedBatch, type SequencerOptions } from './sequencer.ts'
export { type Answer, VerifiedClient, type VerifiedClientOptions } from './verified.ts'
