// What a node answers, as its /openapi.json describes it; and messages on their way to it.
import type { BlockId, Hash, MessageId, PeerId } from '../types/index.ts'
import { fromBase64, toBase64 } from './base64.ts'

/** A message to be sequenced. */
export interface OutgoingMessage {
  readonly data: Uint8Array
  /** 1 to 64 bytes of UTF-8. */
  readonly namespace?: string
  /** u32; 0 where absent, so that sending again is harmless. */
  readonly timestamp?: number
  /** The last height whose block may include it. */
  readonly expiresAt?: number
}

/** What became of a message that was sent. */
export interface MessageState {
  readonly id: MessageId
  readonly state: 'pending' | 'final' | 'expired' | 'refused'
  /** Of its block and its place there; with `final` only. */
  readonly height?: number
  readonly index?: number
  readonly reason?: string
}

export interface NodeStatus {
  readonly chainId: string
  readonly genesisHash: Hash
  readonly version: string
  readonly peerId: PeerId
  /** The node's place among the validators; null where it only follows. */
  readonly validator: number | null
  readonly finalHeight: number
  readonly finalBlockId: BlockId
  /** Milliseconds since the Unix epoch, as all times here. */
  readonly finalBlockTime: number
  readonly stateRoot: Hash
  /** The height and view under way. */
  readonly height: number
  readonly view: number
  readonly isReady: boolean
  /** Why it is not ready. */
  readonly reason?: string
  readonly peerCount: number
  readonly pool: { readonly messageCount: number; readonly sizeBytes: number }
  readonly startedAt: number
}

export interface BlockMessage {
  /** Place in the block. */
  readonly index: number
  readonly id: MessageId
  readonly data: Uint8Array
  readonly namespace?: string
  readonly timestamp: number
  readonly expiresAt?: number
}

export interface BlockReply {
  readonly height: number
  readonly id: BlockId
  readonly time: number
  /** Null for genesis. */
  readonly header: BlockHeader | null
  readonly messages: readonly BlockMessage[]
  readonly finalization: {
    readonly view: number
    readonly signatures: readonly { readonly validator: number }[]
  } | null
}

/** The fields of a header that people look at; the reply has all of them. */
export interface BlockHeader {
  readonly view: number
  readonly leader: number
  readonly previousBlockId: BlockId
  readonly stateRoot: Hash
  readonly messageCount: number
}

/** A message as the API takes it. */
export function messageToJson({ data, namespace, timestamp, expiresAt }: OutgoingMessage): object {
  return { data: toBase64(data), namespace, timestamp, expiresAt }
}

/** A block whose messages have their data as bytes. */
export function blockFromJson(value: BlockJson): BlockReply {
  const messages = value.messages.map((message) => ({ ...message, data: fromBase64(message.data) }))
  return { ...value, messages }
}

/** A block as the API sends it. */
export type BlockJson = Omit<BlockReply, 'messages'> & {
  readonly messages: readonly (Omit<BlockMessage, 'data'> & { readonly data: string })[]
}

/** A block of the stream: all of it, or the messages of one namespace. */
export interface FollowedBlock {
  readonly height: number
  readonly id: BlockId
  readonly time: number
  /** Where one namespace is followed. */
  readonly namespace?: string
  readonly messages: readonly BlockMessage[]
}

/** @param data of an event: JSON. */
export function followedFromJson(data: string): FollowedBlock {
  const { height, id, time, namespace, messages } = JSON.parse(data) as BlockJson & { namespace?: string }
  const decoded = messages.map((message) => ({ ...message, data: fromBase64(message.data) }))
  return { height, id, time, ...(namespace === undefined ? {} : { namespace }), messages: decoded }
}

export interface PoolReply {
  /** Of the whole pool. */
  readonly messageCount: number
  readonly sizeBytes: number
  readonly messages: readonly (Omit<BlockMessage, 'index'> & { readonly receivedAt: number })[]
}

export interface PoolJson extends Omit<PoolReply, 'messages'> {
  readonly messages: readonly (Omit<BlockMessage, 'index' | 'data'> & {
    readonly data: string
    readonly receivedAt: number
  })[]
}

export function poolFromJson(value: PoolJson): PoolReply {
  const messages = value.messages.map((message) => ({ ...message, data: fromBase64(message.data) }))
  return { ...value, messages }
}
