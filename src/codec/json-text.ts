// JSON text with one meaning. `JSON.parse` takes a field given twice, 1.20e2 for 120 and "\u0061" for "a" without a word;
// two readers of one file could believe in two things.
import type { Decoded } from './reader.ts'

/** The value of a text that is as JSON.stringify writes it, but for blanks between tokens. Takes time and memory in
 *  proportion to the text and never throws. */
export function parseStrictJson(text: string): Decoded<unknown> {
  let value: unknown
  let shortest: string | undefined
  try {
    value = JSON.parse(text)
    shortest = JSON.stringify(value)
  } catch (error) {
    // Not JSON, or nested deeper than the stack.
    return { ok: false, reason: `not JSON: ${error instanceof Error ? error.message : 'unreadable'}` }
  }
  if (isWithBlanks(text, shortest)) return { ok: true, value }
  return {
    ok: false,
    reason: 'not JSON as it has to be: a field twice, or a number or text not in its shortest form',
  }
}

/** Whether `text` is `shortest` with blanks between its tokens. Character by character: a regular expression runs out of
 *  stack on a long string, and out of memory on many short ones. */
function isWithBlanks(text: string, shortest: string): boolean {
  let at = 0
  let isInString = false
  for (let read = 0; read < text.length; read += 1) {
    const character = text[read]
    if (!isInString && isBlank(character)) continue
    if (character !== shortest[at++]) return false
    if (character === '"') isInString = !isInString
    else if (character === '\\' && text[++read] !== shortest[at++]) return false
  }
  return at === shortest.length
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\n' || character === '\r' || character === '\t'
}
