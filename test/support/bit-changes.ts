// Every single-bit change of a JSON value, of what its texts stand for: one bit of a header's bytes is several of the
// base64 that carries them, so changes of the text alone would not reach it.

/** Calls `check` with the value after each change, and undoes it: all bits of the bytes in base64 or hex, of all other
 *  texts in UTF-8, of all integers up to 2^53 (in lists of bytes up to 2^9), and each truth value. Returns how many there were. */
export function forEachBitChange(value: object, check: (where: string) => void): number {
  let count = 0
  for (const { holder, name, where } of leavesOf(value, '')) {
    const was = Reflect.get(holder, name) as unknown
    for (const changed of changesOf(was, Array.isArray(holder) ? 9 : 53)) {
      Reflect.set(holder, name, changed)
      check(`${where} ${JSON.stringify(changed).slice(0, 200)}`)
      count += 1
    }
    Reflect.set(holder, name, was)
  }
  return count
}

interface Leaf {
  readonly holder: object
  readonly name: string
  readonly where: string
}

function leavesOf(value: object, where: string): Leaf[] {
  return Object.entries(value).flatMap(([name, below]: [string, unknown]) => {
    const at = `${where}.${name}`
    if (typeof below === 'object' && below !== null) return leavesOf(below, at)
    return [{ holder: value, name, where: at }]
  })
}

function* changesOf(value: unknown, integerBits: number): Generator<unknown> {
  if (typeof value === 'boolean') yield !value
  else if (typeof value === 'number') yield* changesOfInteger(value, integerBits)
  else if (typeof value === 'string') yield* changesOfText(value)
}

function* changesOfInteger(value: number, bits: number): Generator<number> {
  for (let bit = 0; bit < bits; bit += 1) yield Number(BigInt(value) ^ (1n << BigInt(bit)))
}

function* changesOfText(text: string): Generator<string> {
  for (const form of ['hex', 'base64', 'utf8'] as const) {
    const bytes = Buffer.from(text, form)
    if (bytes.toString(form) !== text) continue
    for (const _ of bitFlips(bytes)) yield bytes.toString(form)
    return
  }
}

/** The same bytes over and over, each time with another bit changed. */
export function* bitFlips(bytes: Uint8Array): Generator<{ readonly at: number; readonly bit: number }> {
  for (let place = 0; place < 8 * bytes.length; place += 1) {
    const at = place >> 3
    const bit = place & 7
    const was = bytes[at] ?? 0
    bytes[at] = was ^ (1 << bit)
    yield { at, bit }
    bytes[at] = was
  }
}
