// Reads the JSON text of a proof. Why not `JSON.parse`: it takes a field given twice and 1.20e2 for 120 without a
// word, and another reader may take the other field. Proofs hold few kinds of value, so this reads those only: objects
// with plain names, lists, the bytes 0 to 255, true, false and null. Blanks are allowed as in all JSON. Portable.

export type JsonValue =
  | boolean
  | null
  | number
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue }

export type JsonReading =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly reason: string }

/** Proof, list of steps, step, node by kind, its fields, list of bytes, byte. */
const DEPTH_MAX = 7

/** The value of the whole text. Takes time in proportion to the text, never throws. */
export function readJsonText(text: string): JsonReading {
  const reader = new TextReader(text)
  const value = reader.value(1)
  if (value !== undefined && reader.isAtEnd()) return { ok: true, value }
  return { ok: false, reason: `not the JSON of a proof at character ${reader.position}` }
}

/** Reads forward only. Undefined is "not what may stand here", at `position`. */
class TextReader {
  position = 0
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  value(depth: number): JsonValue | undefined {
    if (depth > DEPTH_MAX) return undefined
    switch (this.#peek()) {
      case '{':
        return this.#object(depth)
      case '[':
        return this.#list(depth)
      case 't':
        return this.#word('true', true)
      case 'f':
        return this.#word('false', false)
      case 'n':
        return this.#word('null', null)
      default:
        return this.#byte()
    }
  }

  isAtEnd(): boolean {
    return this.#peek() === ''
  }

  #object(depth: number): JsonValue | undefined {
    // Without a prototype, so that no name means anything but a field.
    const fields: Record<string, JsonValue> = Object.create(null)
    this.position += 1
    if (this.#takes('}')) return fields
    do {
      const name = this.#name()
      if (name === undefined || name in fields || !this.#takes(':')) return undefined
      const value = this.value(depth + 1)
      if (value === undefined) return undefined
      fields[name] = value
    } while (this.#takes(','))
    return this.#takes('}') ? fields : undefined
  }

  #list(depth: number): JsonValue | undefined {
    const values: JsonValue[] = []
    this.position += 1
    if (this.#takes(']')) return values
    do {
      const value = this.value(depth + 1)
      if (value === undefined) return undefined
      values.push(value)
    } while (this.#takes(','))
    return this.#takes(']') ? values : undefined
  }

  /** No name of a proof needs an escape. */
  #name(): string | undefined {
    if (!this.#takes('"')) return undefined
    const start = this.position
    while (/^[a-zA-Z]$/.test(this.#text.charAt(this.position))) this.position += 1
    const name = this.#text.slice(start, this.position)
    if (this.#text.charAt(this.position) !== '"') return undefined
    this.position += 1
    return name
  }

  /** Decimal digits without a sign, a needless zero, a fraction or an exponent. */
  #byte(): number | undefined {
    const start = this.position
    let byte = 0
    // Three digits at most: a fourth is above 255 or follows a zero.
    for (let digit = this.#digit(); digit >= 0; digit = this.#digit()) {
      if (this.position > start && byte === 0) return undefined
      byte = byte * 10 + digit
      if (byte > 255) return undefined
      this.position += 1
    }
    return this.position > start ? byte : undefined
  }

  #digit(): number {
    const code = this.#text.charCodeAt(this.position)
    return code >= 0x30 && code <= 0x39 ? code - 0x30 : -1
  }

  #word<T extends JsonValue>(word: string, value: T): T | undefined {
    if (!this.#text.startsWith(word, this.position)) return undefined
    this.position += word.length
    return value
  }

  #takes(character: string): boolean {
    if (this.#peek() !== character) return false
    this.position += 1
    return true
  }

  /** The next character that is no blank; empty at the end. */
  #peek(): string {
    let character = this.#text.charAt(this.position)
    while (character === ' ' || character === '\n' || character === '\r' || character === '\t') {
      this.position += 1
      character = this.#text.charAt(this.position)
    }
    return character
  }
}
