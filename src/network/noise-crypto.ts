// Noise's ciphers with key objects. The library's own, for large frames, hands Node raw key bytes, which Node checks
// anew for each packet by catching exceptions: 15 µs of about 40 (measured). Everything else stays the library's.
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import type { ICryptoInterface } from '@chainsafe/libp2p-noise'
import { defaultCrypto } from '@chainsafe/libp2p-noise/crypto'

const algorithm = 'chacha20-poly1305'
const tagBytes = 16
const tagOptions = { authTagLength: tagBytes }
/** Below it the library's WebAssembly is faster (its own measurement). */
const nativeMinBytes = 1_200

/** A session keeps one array a direction for as long as it lives. */
const keyObjects = new WeakMap<Uint8Array, KeyObject>()

export const noiseCrypto: ICryptoInterface = {
  ...defaultCrypto,
  chaCha20Poly1305Encrypt(plaintext, nonce, ad, k) {
    if (plaintext.byteLength < nativeMinBytes)
      return defaultCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, k)
    const cipher = createCipheriv(algorithm, keyObjectOf(k), nonce, tagOptions)
    cipher.setAAD(ad, { plaintextLength: plaintext.byteLength })
    const text = cipher.update(plaintext.subarray())
    const rest = cipher.final()
    const sealed = new Uint8Array(text.length + rest.length + tagBytes)
    sealed.set(text)
    sealed.set(rest, text.length)
    sealed.set(cipher.getAuthTag(), text.length + rest.length)
    return sealed
  },
  chaCha20Poly1305Decrypt(ciphertext, nonce, ad, k, dst) {
    if (ciphertext.byteLength < nativeMinBytes)
      return defaultCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, k, dst)
    const bytes = ciphertext.subarray()
    const decipher = createDecipheriv(algorithm, keyObjectOf(k), nonce, tagOptions)
    decipher.setAAD(ad, { plaintextLength: bytes.length - tagBytes })
    decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes))
    const text = decipher.update(bytes.subarray(0, bytes.length - tagBytes))
    // Throws where the tag does not hold.
    const rest = decipher.final()
    return rest.length === 0 ? text : new Uint8Array(Buffer.concat([text, rest]))
  },
}

function keyObjectOf(key: Uint8Array): KeyObject {
  const known = keyObjects.get(key)
  if (known !== undefined) return known
  const made = createSecretKey(key)
  keyObjects.set(key, made)
  return made
}
