// Batches for tests of the pool, which reads ids, sizes and expiries only.
import type { Batch, BatchId, Message, MessageId, PeerId, PublicKey } from '../../../src/types/index.ts'

export const author = (name: string) => `author ${name}` as PublicKey
export const peer = (name: string) => `peer ${name}` as PeerId
export const batchId = (name: string | number) => `batch ${name}` as BatchId
export const messageId = (name: string | number) => `message ${name}` as MessageId

/** A batch of messages given by name; a name with a height, `a@7`, expires there. */
export function aBatch(
  name: string | number,
  { messages = [`of ${name}`], by = 'someone', sizeBytes = 100 } = {},
): Batch {
  const ids = messages.map((message) => messageId(message))
  return {
    id: batchId(name),
    author: author(by),
    messages: messages.map((message): Message => {
      const expiresAt = message.split('@')[1]
      const fields = { data: new Uint8Array(0), timestamp: 0 }
      return expiresAt === undefined ? fields : { ...fields, expiresAt: Number(expiresAt) }
    }),
    messageIds: ids,
    bytes: new Uint8Array(sizeBytes),
    signature: new Uint8Array(64),
  }
}
