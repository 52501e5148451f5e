// Messages from arguments and standard input, in groups for one request each.
import type { OutgoingMessage } from '../client/index.ts'
import { UsageError } from './errors.ts'

/** Messages of one request: enough that the request's own cost is small, few enough to show progress. */
export const groupMessagesMax = 500
/** A request stays well below a node's default limit of 10 MB, base64 and all. */
export const groupBytesMax = 2 * 1024 * 1024

export type ToMessage = (data: Uint8Array) => OutgoingMessage

/** Bytes of one argument or line. @param place for the error. @throws UsageError for what is no hex. */
export function dataOf(text: string, { isHex, place }: { isHex: boolean; place: string }): Uint8Array {
  if (!isHex) return new TextEncoder().encode(text)
  const digits = text.startsWith('0x') ? text.slice(2) : text
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) {
    throw new UsageError(`${place}: pairs of hex digits are needed with --hex`)
  }
  return new Uint8Array(Buffer.from(digits, 'hex'))
}

/** The lines of a stream with their numbers, from 1; those that arrive together come together, so that a slow stream
 *  is not held up. The last line needs no line end. */
export async function* linesOf(
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ text: string; line: number }[]> {
  const decoder = new TextDecoder()
  let rest = ''
  let line = 0
  for await (const chunk of input) {
    const texts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = texts.pop() ?? ''
    if (texts.length > 0) yield texts.map((text) => ({ text: text.replace(/\r$/, ''), line: ++line }))
  }
  rest += decoder.decode()
  if (rest !== '') yield [{ text: rest, line: line + 1 }]
}

/** The data in groups that fit one request each; data that arrive together share groups. */
export async function* groupsOf(
  arrivals: AsyncIterable<readonly Uint8Array[]> | Iterable<readonly Uint8Array[]>,
  toMessage: ToMessage,
): AsyncGenerator<readonly OutgoingMessage[]> {
  for await (const arrived of arrivals) {
    let group: OutgoingMessage[] = []
    let sizeBytes = 0
    for (const data of arrived) {
      if (
        group.length === groupMessagesMax ||
        (group.length > 0 && sizeBytes + data.length > groupBytesMax)
      ) {
        yield group
        group = []
        sizeBytes = 0
      }
      group.push(toMessage(data))
      sizeBytes += data.length
    }
    if (group.length > 0) yield group
  }
}
