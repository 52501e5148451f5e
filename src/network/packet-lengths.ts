// Noise reads packets off its buffer until no whole length is left, and hears of that by an exception, whose stack trace
// is recorded: one for each time that bytes come. Where blocks are small that was a twentieth of a node's main thread
// (measured by `perf`; V8's own profiler shows it as time of the loop around it). Here the length that is not there is
// no number instead, which the library's comparisons take for "not yet".
import type { MessageStream } from '@libp2p/interface'

const lengthBytes = 2

/** Of `uint8arraylist`, as far as it is read here. */
interface Buffered {
  readonly byteLength: number
  get(at: number): number
}

/** What the library's encrypted stream reads with; not part of its interface. */
interface ReadingPackets {
  readonly decoder?: { lengthDecoder?: (buffer: Buffered) => number }
}

/** From now on the stream reads lengths without exceptions. One of another make is left as it is. */
export function readingQuietly(stream: MessageStream): MessageStream {
  const { decoder } = stream as ReadingPackets
  if (typeof decoder?.lengthDecoder === 'function') decoder.lengthDecoder = packetLength
  return stream
}

/** Big-endian, as the Noise specification of libp2p has it; not a number where its two bytes are not there yet. */
export function packetLength(buffer: Buffered): number {
  return buffer.byteLength < lengthBytes ? Number.NaN : (buffer.get(0) << 8) | buffer.get(1)
}
