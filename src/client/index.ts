// What applications import to talk to a node.
export { fromBase64, toBase64 } from './base64.ts'
export { Client, type ClientOptions, maxMessagesPerRequest, type SendOptions } from './client.ts'
export { ClientError, type ClientErrorCode } from './errors.ts'
export type {
  BlockHeader,
  BlockMessage,
  BlockReply,
  MessageState,
  NodeStatus,
  OutgoingMessage,
} from './replies.ts'
export { sendMany } from './send-many.ts'
