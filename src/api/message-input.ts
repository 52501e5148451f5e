// A message as `/v1` takes it in JSON, and as it shows it. The schema has checked the fields' types and bounds; what a
// schema cannot say (strict base64, bytes of UTF-8) is checked here.
import { maxNamespaceBytes } from '../codec/index.ts'
import type { Message } from '../types/index.ts'
import { ApiError } from './errors.ts'

export interface MessageInput {
  readonly data: string
  readonly namespace?: string
  readonly timestamp?: number
  readonly expiresAt?: number
}

/** `index`: its place in the request, for the error. An absent timestamp is 0: sending again gives the same id. */
export function messageOfInput(input: MessageInput, index: number): Message {
  const { namespace, expiresAt } = input
  const data = Buffer.from(input.data, 'base64')
  // Node's decoder passes over what is no base64; only the canonical text comes back as it was sent.
  if (data.toString('base64') !== input.data) {
    throw new ApiError(
      'invalid-body',
      'The data of a message must be base64 with padding and nothing else.',
      { index },
    )
  }
  const message = { data, timestamp: input.timestamp ?? 0 }
  if (namespace === undefined) return expiresAt === undefined ? message : { ...message, expiresAt }
  if (!namespace.isWellFormed() || Buffer.byteLength(namespace) > maxNamespaceBytes) {
    throw new ApiError('invalid-namespace', `A namespace must be 1 to ${maxNamespaceBytes} bytes of UTF-8.`, {
      index,
    })
  }
  return expiresAt === undefined ? { ...message, namespace } : { ...message, namespace, expiresAt }
}

/** The same fields, for replies. */
export function messageToJson(message: Message): MessageInput {
  const { namespace, data, timestamp, expiresAt } = message
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  return {
    ...(namespace === undefined ? {} : { namespace }),
    data: bytes.toString('base64'),
    timestamp,
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}
