// Noise hands a packet on as two pieces, its length and its ciphertext, and the TCP transport writes piece by piece: two
// system calls, two segments and two events at the other end, of which one was for two bytes (measured: half of all
// segments between validators). Here a packet is put together before it is written.

/** Bytes, or the library's list of them (`uint8arraylist`). */
type Packet = Uint8Array | { readonly byteLength: number; subarray(): Uint8Array }

/** What is longer is written as it comes: copying would cost as much as it spares. */
export const wholeBytesMax = 256 * 1024

/** From now on the stream sends what it is given in one piece. */
export function sendingWhole<Stream extends { send(data: Packet): boolean }>(stream: Stream): Stream {
  const send = stream.send.bind(stream)
  stream.send = (data) =>
    send(data instanceof Uint8Array || data.byteLength > wholeBytesMax ? data : data.subarray())
  return stream
}
