// The texts of the original's replies: Rust's Debug form of its structs, and its JSON, where bytes are arrays of
// decimal numbers. Clients of the original compare these texts, so they are fixed to the byte.
import { hexToBytes } from '../codec/index.ts'
import type { Message, PublicKey } from '../types/index.ts'
import type { BlockView, SignedSubmission, StateRootView } from './ports.ts'

const decimals = Array.from({ length: 256 }, (_, byte) => Buffer.from(String(byte), 'latin1'))

/** `[1, 2, 3]`, as Rust prints a `Vec<u8>`. */
export function debugBytes(bytes: Uint8Array): string {
  return decimalList(bytes, ', ')
}

/** `[1,2,3]` */
export function jsonBytes(bytes: Uint8Array): string {
  return decimalList(bytes, ',')
}

export function debugMessage(message: Pick<Message, 'data' | 'timestamp'>): string {
  return `Message { data: ${debugBytes(message.data)}, timestamp: ${message.timestamp} }`
}

export function jsonMessage(message: Pick<Message, 'data' | 'timestamp'>): string {
  return `{"data":${jsonBytes(message.data)},"timestamp":${message.timestamp}}`
}

export function debugSigned({ bytes, signature, validator }: SignedSubmission): string {
  const key = debugBytes(hexToBytes(validator))
  return `ConsensusCommitment { validator: ${key}, bytes: ${debugBytes(bytes)}, signature: ${debugBytes(signature)} }`
}

/** The body that `/commit` takes. */
export function jsonSigned({ bytes, signature, validator }: SignedSubmission): string {
  const key = jsonBytes(hexToBytes(validator))
  return `{"bytes":${jsonBytes(bytes)},"signature":${jsonBytes(signature)},"validator":${key}}`
}

export function jsonStateRoot({ hash, left, right }: StateRootView): string {
  return `{"hash":${jsonBytesOrNull(hash)},"left":${jsonBytesOrNull(left)},"right":${jsonBytesOrNull(right)}}`
}

/** The original's fields in its order, then our own. `timestamp` is in seconds, as a u32. `votingKeys`: by index. */
export function jsonBlock(view: BlockView, votingKeys: readonly PublicKey[]): string {
  if (view.kind === 'genesis') {
    const timestamp = secondsOf(view.time)
    const original = `"height":0,"messages":[],"signature":[],"commitments":null,"timestamp":${timestamp}`
    return `{${original},"id":"${view.id}","timeMs":${view.time}}`
  }
  const { block, messages, finalization } = view
  const { header } = block
  const timestamp = secondsOf(header.time)
  const commitments = finalization.signatures.map(({ validator, signature }) => {
    const key = jsonBytes(hexToBytes(votingKeys[validator] ?? ''))
    return `{"signature":${jsonBytes(signature)},"validator":${key},"timestamp":${timestamp}}`
  })
  const original =
    `"height":${header.height},"messages":[${messages.map(({ message }) => jsonMessage(message)).join(',')}],` +
    `"signature":${jsonBytes(block.signature)},"commitments":[${commitments.join(',')}],"timestamp":${timestamp}`
  const own =
    `"id":"${block.id}","timeMs":${header.time},"previousBlockId":"${header.previousBlockId}",` +
    `"view":${header.view},"leader":${header.leader},"stateRoot":"${header.stateRoot}",` +
    `"messageIds":${JSON.stringify(messages.map(({ id }) => id))}`
  return `{${original},${own}}`
}

function jsonBytesOrNull(bytes: Uint8Array | null): string {
  return bytes === null ? 'null' : jsonBytes(bytes)
}

function secondsOf(timeMs: number): number {
  return Math.floor(timeMs / 1000)
}

/** Written digit by digit into one buffer: a block's data is megabytes, and `join` takes ten times as long. */
function decimalList(bytes: Uint8Array, separator: string): string {
  const text = Buffer.allocUnsafe(2 + bytes.length * (3 + separator.length))
  text[0] = 0x5b
  let at = 1
  for (let index = 0; index < bytes.length; index += 1) {
    if (index > 0)
      for (let part = 0; part < separator.length; part += 1) text[at++] = separator.charCodeAt(part)
    const digits = decimals[bytes[index] ?? 0] as Buffer
    for (let digit = 0; digit < digits.length; digit += 1) text[at++] = digits[digit] as number
  }
  text[at++] = 0x5d
  return text.toString('latin1', 0, at)
}
