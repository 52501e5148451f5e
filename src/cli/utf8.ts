// Text of files that have to have one meaning: bytes that are no UTF-8 would all become the same sign, and a byte order mark
// would go unseen.

/** The text of bytes; undefined where they are no UTF-8. A byte order mark stays in it. */
export function textOfUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    // Not UTF-8: that is what the caller asks.
    return undefined
  }
}
