// Reads the JSON bodies of the original's routes as the original (serde) did: integers only in their plain form (120,
// not 120.0 or 1.2e2), a field given twice refused, unknown fields passed over, a struct also as a list of its fields
// in order, and text after the value ignored. `JSON.parse` can tell none of these. One pass over the bytes, straight
// into the wanted shape; nesting, which only unknown fields can have, is bounded.

/** The fields of a body in their order; an array of bytes, or an integer below 2^32. */
export type BodyShape = Readonly<Record<string, 'bytes' | 'u32'>>
export type BodyOf<S extends BodyShape> = {
  readonly [K in keyof S]: S[K] extends 'bytes' ? Uint8Array : number
}

export type JsonRead<T> =
  | { readonly ok: true; readonly value: T }
  /** `syntax`: no JSON (400). `shape`: JSON of something else (422). `reason`: one sentence. */
  | { readonly ok: false; readonly fault: 'syntax' | 'shape'; readonly reason: string }

/** serde_json's own limit of recursion. */
const maxDepth = 128
const maxU32 = 0xffff_ffff
const utf8 = new TextDecoder('utf-8', { fatal: true })
const numberForm = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const backslash = 0x5c
const openList = 0x5b
const closeList = 0x5d
const openObject = 0x7b
const closeObject = 0x7d
const zero = 0x30
const nine = 0x39

/** A body that is an object of `shape`, or a list of its fields in order. */
export function readJsonBody<S extends BodyShape>(body: Uint8Array, shape: S): JsonRead<BodyOf<S>> {
  return reading(body, (reader) => reader.struct(shape))
}

/** A body that is an array of bytes. */
export function readJsonBytes(body: Uint8Array): JsonRead<Uint8Array> {
  return reading(body, (reader) => reader.byteArray('the body'))
}

/** The JSON schema of what `readJsonBody` takes, for the API's description. `lengths`: of fields of bytes for which the
 *  route takes only one. */
export function schemaOfShape(
  shape: BodyShape,
  lengths: Readonly<Record<string, number>> = {},
): Record<string, unknown> {
  const schemas = {
    bytes: { type: 'array', items: { type: 'integer', minimum: 0, maximum: 255 } },
    u32: { type: 'integer', minimum: 0, maximum: maxU32 },
  }
  const fields = Object.entries(shape).map(([name, kind]) => {
    const length = lengths[name]
    return [
      name,
      length === undefined ? schemas[kind] : { ...schemas[kind], minItems: length, maxItems: length },
    ]
  })
  return { type: 'object', required: Object.keys(shape), properties: Object.fromEntries(fields) }
}

/** Thrown and caught in this file. */
class JsonFault extends Error {
  readonly fault: 'syntax' | 'shape'
  constructor(fault: 'syntax' | 'shape', reason: string) {
    super(reason)
    this.fault = fault
  }
}

function reading<T>(body: Uint8Array, read: (reader: StrictReader) => T): JsonRead<T> {
  try {
    return { ok: true, value: read(new StrictReader(body)) }
  } catch (error) {
    if (error instanceof JsonFault) return { ok: false, fault: error.fault, reason: error.message }
    throw error
  }
}

class StrictReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  struct<S extends BodyShape>(shape: S): BodyOf<S> {
    const first = this.#peek()
    const fields = new Map<string, Uint8Array | number>()
    if (first === openObject) this.#fieldsByName(shape, fields)
    else if (first === openList) this.#fieldsInOrder(shape, fields)
    else throw this.#otherThan('an object', 'the body')
    return Object.fromEntries(fields) as BodyOf<S>
  }

  byteArray(name: string): Uint8Array {
    if (this.#peek() !== openList) throw this.#otherThan('an array of bytes', name)
    this.#at += 1
    // A byte takes a digit and a comma at least.
    const bytes = new Uint8Array((this.#bytes.length - this.#at + 1) >> 1)
    let count = 0
    while (this.#hasItem(closeList, count === 0)) {
      bytes[count] = this.#integer(255, () => `${name}[${count}]`)
      count += 1
    }
    return bytes.slice(0, count)
  }

  #fieldsByName(shape: BodyShape, fields: Map<string, Uint8Array | number>): void {
    this.#at += 1
    for (let isFirst = true; this.#hasItem(closeObject, isFirst); isFirst = false) {
      const name = this.#fieldName()
      const kind = Object.hasOwn(shape, name) ? shape[name] : undefined
      if (kind === undefined) this.#skipValue()
      else if (fields.has(name)) throw this.#shape(`the field "${name}" is given twice`)
      else fields.set(name, this.#field(kind, name))
    }
    for (const name of Object.keys(shape)) {
      if (!fields.has(name)) throw this.#shape(`the field "${name}" is missing`)
    }
  }

  #fieldsInOrder(shape: BodyShape, fields: Map<string, Uint8Array | number>): void {
    this.#at += 1
    for (const [name, kind] of Object.entries(shape)) {
      if (!this.#hasItem(closeList, fields.size === 0)) throw this.#shape(`the field "${name}" is missing`)
      fields.set(name, this.#field(kind, name))
    }
    if (this.#hasItem(closeList, false))
      throw this.#syntax('the array has more entries than there are fields')
  }

  #field(kind: 'bytes' | 'u32', name: string): Uint8Array | number {
    return kind === 'bytes' ? this.byteArray(name) : this.#integer(maxU32, () => name)
  }

  /** An unsigned integer in its plain form. The name is asked for only where something is wrong with it. */
  #integer(max: number, name: () => string): number {
    const bytes = this.#bytes
    const first = this.#peek()
    if (!isDigit(first)) throw this.#otherThan(`an integer from 0 to ${max}`, name())
    const start = this.#at
    let at = start
    let value = 0
    for (let digit = bytes[at]; isDigit(digit); digit = bytes[++at]) value = value * 10 + (digit - zero)
    const next = bytes[at]
    const isPlain = next !== 0x2e && next !== 0x65 && next !== 0x45 && (first !== zero || at === start + 1)
    if (!isPlain || value > max) throw this.#otherThan(`an integer from 0 to ${max}`, name())
    this.#at = at
    return value
  }

  /** Whether another item follows in a list or object; reads the comma before it, or the end. */
  #hasItem(close: number, isFirst: boolean): boolean {
    const next = this.#peek()
    if (next === close) {
      this.#at += 1
      return false
    }
    if (isFirst) return true
    if (next !== comma) throw this.#syntax('a comma or the end of the list is needed')
    this.#at += 1
    if (this.#peek() === close) throw this.#syntax('a comma stands before the end')
    return true
  }

  #fieldName(): string {
    if (this.#peek() !== quote) throw this.#syntax('the name of a field is needed')
    const name = this.#string()
    if (this.#peek() !== colon) throw this.#syntax('a colon is needed')
    this.#at += 1
    return name
  }

  #string(): string {
    const start = this.#at
    const hasEscapes = this.#skipString()
    try {
      const text = utf8.decode(this.#bytes.subarray(start, this.#at))
      return hasEscapes ? (JSON.parse(text) as string) : text.slice(1, -1)
    } catch {
      // A bad escape or bytes that are no UTF-8: both make it no JSON text.
      this.#at = start
      throw this.#syntax('a text is not well-formed')
    }
  }

  /** Reads up to and over the closing quote; whether there were escapes. */
  #skipString(): boolean {
    let hasEscapes = false
    for (this.#at += 1; this.#at < this.#bytes.length; this.#at += 1) {
      const byte = this.#bytes[this.#at] ?? 0
      if (byte === quote) {
        this.#at += 1
        return hasEscapes
      }
      if (byte < 0x20) throw this.#syntax('a text holds a control character')
      if (byte !== backslash) continue
      hasEscapes = true
      this.#at += 1
    }
    throw this.#syntax('the body ends within a text')
  }

  /** Passes over the value of an unknown field, without recursion. */
  #skipValue(): void {
    const open: number[] = []
    do {
      const first = this.#peek()
      if (first === openList || first === openObject) {
        if (open.length === maxDepth) throw this.#syntax(`values are nested more than ${maxDepth} deep`)
        open.push(first === openList ? closeList : closeObject)
        this.#at += 1
        if (this.#entersItem(open, true)) continue
      } else this.#skipScalar(first)
      while (open.length > 0 && !this.#entersItem(open, false));
    } while (open.length > 0)
  }

  /** At the next item of the innermost open list or object: true. At its end: closes it, false. */
  #entersItem(open: number[], isFirst: boolean): boolean {
    const close = open.at(-1) ?? closeList
    if (!this.#hasItem(close, isFirst)) {
      open.pop()
      return false
    }
    if (close === closeObject) this.#fieldName()
    return true
  }

  #skipScalar(first: number | undefined): void {
    if (first === quote) {
      this.#string()
      return
    }
    const word = this.#word()
    if (word !== 'null' && word !== 'true' && word !== 'false' && !numberForm.test(word)) {
      throw this.#syntax('no value of JSON')
    }
    this.#at += word.length
  }

  /** What stands here up to the next blank, bracket, comma or colon. */
  #word(): string {
    let end = this.#at
    while (end < this.#bytes.length && isWordByte(this.#bytes[end] ?? 0)) end += 1
    return Buffer.from(this.#bytes.subarray(this.#at, end)).toString('latin1')
  }

  /** The fault of what stands here instead of what was wanted: of shape where it is JSON, else of syntax. */
  #otherThan(wanted: string, name: string): JsonFault {
    const first = this.#peek()
    const start = this.#at
    if (first !== openList && first !== openObject) this.#skipScalar(first)
    this.#at = start
    return this.#shape(`${name} must be ${wanted}`)
  }

  /** The next byte that is no blank; at the end of the body this is a fault of syntax. */
  #peek(): number {
    for (; this.#at < this.#bytes.length; this.#at += 1) {
      const byte = this.#bytes[this.#at] ?? 0
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte
    }
    throw this.#syntax('the body ends too early')
  }

  #syntax(what: string): JsonFault {
    return new JsonFault('syntax', `The body is not JSON: ${what}, at byte ${this.#at}.`)
  }

  #shape(what: string): JsonFault {
    return new JsonFault(
      'shape',
      `The body has another form than this route needs: ${what}, at byte ${this.#at}.`,
    )
  }
}

function isDigit(byte: number | undefined): byte is number {
  return byte !== undefined && byte >= zero && byte <= nine
}

function isWordByte(byte: number): boolean {
  if (byte <= 0x20 || byte === comma || byte === colon || byte === quote) return false
  return byte !== openList && byte !== closeList && byte !== openObject && byte !== closeObject
}
