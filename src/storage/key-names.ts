// Keys in words, for whoever reports what is wrong with one.
import { bytesToHex } from '../codec/index.ts'
import { type KeyKind, kinds, metaKeys } from './keys.ts'

/** What follows the byte of the kind: names and sizes; 32 bytes are an id, fewer an integer. */
const fields: Record<Exclude<KeyKind, 'meta'>, readonly (readonly [name: string, sizeBytes: number])[]> = {
  blockHead: [['height', 8]],
  blockBatch: [
    ['height', 8],
    ['position', 2],
  ],
  header: [['height', 8]],
  spans: [['height', 8]],
  skipped: [['height', 8]],
  batchPlace: [['batch', 32]],
  blockHeight: [['block', 32]],
  messagePlace: [
    ['part', 4],
    ['message', 32],
  ],
  messageFilter: [['part', 4]],
  conviction: [['validator', 2]],
  poolBatch: [['batch', 32]],
  frame: [
    ['height', 8],
    ['kind', 1],
    ['view', 4],
    ['validator', 2],
    ['subject', 32],
  ],
  evidence: [
    ['validator', 2],
    ['height', 8],
  ],
  refusal: [['message', 32]],
  refusalOrder: [['number', 8]],
}

const kindOfByte = new Map(Object.entries(kinds).map(([kind, byte]) => [byte as number, kind as KeyKind]))
const metaNames: ReadonlySet<string> = new Set(Object.values(metaKeys).map(nameOfMeta))

/** The kind of a key; undefined where this code writes none like it. */
export function kindOf(key: Uint8Array): KeyKind | undefined {
  const kind = kindOfByte.get(key[0] ?? 0)
  if (kind === undefined) return undefined
  if (kind === 'meta') return metaNames.has(nameOfMeta(key)) ? kind : undefined
  const sizeBytes = fields[kind].reduce((sum, [, size]) => sum + size, 1)
  return key.length === sizeBytes ? kind : undefined
}

/** The kind and place of a key, such as `block batch (height 5, position 0)`. */
export function describeKey(key: Uint8Array): string {
  const kind = kindOf(key)
  if (kind === undefined) return `unknown key (${bytesToHex(key)})`
  if (kind === 'meta') return `meta (${nameOfMeta(key)})`
  let at = 1
  const places = fields[kind].map(([name, sizeBytes]) => {
    const field = bytesToHex(key.subarray(at, at + sizeBytes))
    at += sizeBytes
    return `${name} ${sizeBytes === 32 ? field : BigInt(`0x${field}`)}`
  })
  return `${wordsOf(kind)} (${places.join(', ')})`
}

function nameOfMeta(key: Uint8Array): string {
  return Buffer.from(key.subarray(1)).toString('latin1')
}

/** `blockHead` → `block head`. */
function wordsOf(kind: KeyKind): string {
  return kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
