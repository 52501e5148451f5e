// Several frames in one gossip message. A message costs the sender, every peer and every forwarder about 0.2 ms each
// whatever its size (measured), and validators have most frames by their direct streams when gossip brings them: so
// gossip gathers what comes close together. The frames inside are checked one by one.

/** No frame's tag. */
const bundleTag = 0xff
const lengthBytes = 4
/** Frames of one bundle, at most: more is not valid. */
export const bundleFramesMax = 256
/** Bytes of one bundle; a larger frame travels alone. */
export const bundleBytesMax = 256 * 1024

/** One message of these frames: a single one as it is. */
export function encodeBundle(frames: readonly Uint8Array[]): Uint8Array {
  const [first] = frames
  if (first !== undefined && frames.length === 1) return first
  const bytes = new Uint8Array(frames.reduce((sum, frame) => sum + lengthBytes + frame.length, 1))
  const view = new DataView(bytes.buffer)
  bytes[0] = bundleTag
  let at = 1
  for (const frame of frames) {
    view.setUint32(at, frame.length)
    bytes.set(frame, at + lengthBytes)
    at += lengthBytes + frame.length
  }
  return bytes
}

/** The frames of a message; undefined for a bundle that is none: cut off, empty, of one frame, or over a limit. */
export function decodeBundle(bytes: Uint8Array): Uint8Array[] | undefined {
  if (bytes[0] !== bundleTag) return [bytes]
  if (bytes.length > bundleBytesMax) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const frames: Uint8Array[] = []
  let at = 1
  while (at < bytes.length) {
    if (at + lengthBytes > bytes.length || frames.length === bundleFramesMax) return undefined
    const end = at + lengthBytes + view.getUint32(at)
    if (end > bytes.length || end === at + lengthBytes || bytes[at + lengthBytes] === bundleTag)
      return undefined
    frames.push(bytes.subarray(at + lengthBytes, end))
    at = end
  }
  return frames.length < 2 ? undefined : frames
}
