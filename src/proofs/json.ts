// Strict reading of proofs: exactly the fields there are, nothing coerced, everything bounded. What is read twice in
// two ways proves two things, so a value has one form only.
import { hexToBytes, isHexOf, parseStrictJson } from '../codec/index.ts'
import { demand } from './refusals.ts'

/** Of a proof's text. A range of blocks full of messages is the largest there is; nodes send less at a time. */
export const maxProofCharacters = 64 * 1024 * 1024

/** The value of a proof that came as text, or as a value that was parsed already. A text may have blanks, but no field
 *  twice and no number or string in any but its shortest form: what `JSON.parse` alone would let pass. */
export function jsonOf(input: unknown): unknown {
  if (typeof input !== 'string') return input
  demand(input.length <= maxProofCharacters, 'malformed', `more than ${maxProofCharacters} characters`)
  const parsed = parseStrictJson(input)
  demand(parsed.ok, 'malformed', parsed.ok ? undefined : parsed.reason)
  return parsed.value
}

export type Fields<K extends string> = { readonly [name in K]: unknown }

/** The fields of an object that has exactly these. */
export function fieldsOf<K extends string>(value: unknown, names: readonly K[], at: string): Fields<K> {
  demand(isObject(value), 'malformed', `${at} is no object`)
  for (const name of names) demand(Object.hasOwn(value, name), 'malformed', `${at} lacks ${name}`)
  const extra = Object.keys(value).find((name) => !(names as readonly string[]).includes(name))
  demand(extra === undefined, 'malformed', `${at} has an unknown field`)
  return value as Fields<K>
}

export function hasField(value: unknown, name: string): boolean {
  return isObject(value) && Object.hasOwn(value, name)
}

export function listOf(value: unknown, maxLength: number, at: string): readonly unknown[] {
  demand(Array.isArray(value), 'malformed', `${at} is no list`)
  demand(value.length <= maxLength, 'malformed', `${at} has more than ${maxLength} entries`)
  return value
}

export function integerOf(value: unknown, max: number, at: string): number {
  const isInteger = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max
  demand(isInteger && !Object.is(value, -0), 'malformed', `${at} is no integer from 0 to ${max}`)
  return value
}

export function u32Of(value: unknown, at: string): number {
  return integerOf(value, 0xffff_ffff, at)
}

/** Hex digits of exactly so many bytes. */
export function hexOf<T extends string>(value: unknown, sizeBytes: number, at: string): T {
  demand(isHexOf(value, sizeBytes), 'malformed', `${at} is not ${sizeBytes} bytes of lower-case hex`)
  return value as string as T
}

export function hashBytesOf(value: unknown, at: string): Uint8Array {
  return hexToBytes(hexOf(value, 32, at))
}

/** The bytes of base64 with padding, in the one form that they have. */
export function base64Of(value: unknown, maxBytes: number, at: string): Uint8Array {
  demand(typeof value === 'string', 'malformed', `${at} is no text`)
  demand(value.length <= 4 * Math.ceil(maxBytes / 3), 'malformed', `${at} has more than ${maxBytes} bytes`)
  const bytes = fromBase64(value)
  demand(bytes !== undefined, 'malformed', `${at} is no base64`)
  return bytes
}

/** A namespace: 1 to 64 bytes of well-formed UTF-8. */
export function namespaceOf(value: unknown, at: string): string {
  const isText = typeof value === 'string' && value.length >= 1 && value.length <= 64 && value.isWellFormed()
  demand(isText && utf8.encode(value).length <= 64, 'malformed', `${at} is not 1 to 64 bytes of UTF-8`)
  return value
}

const utf8 = new TextEncoder()
// Arguments of one call are limited; this many are safe everywhere. A multiple of three, so that pieces join.
const chunkBytes = 8_190

/** Base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + chunkBytes)))
  }
  return text
}

/** `atob` passes over blanks, missing padding and bits that no byte takes: only what it would write itself counts. */
function fromBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  return toBase64(bytes) === text ? bytes : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
