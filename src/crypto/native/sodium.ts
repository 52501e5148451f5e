// libsodium, where it can be loaded.
import { createRequire } from 'node:module'

/** What is used of sodium-native, which has no types; each throws where libsodium returns an error, but for the
 *  verification, which says whether the signature holds. */
export interface Sodium {
  crypto_core_ed25519_add(out: Uint8Array, p: Uint8Array, q: Uint8Array): void
  crypto_core_ed25519_sub(out: Uint8Array, p: Uint8Array, q: Uint8Array): void
  crypto_scalarmult_ed25519_noclamp(out: Uint8Array, scalar: Uint8Array, p: Uint8Array): void
  crypto_scalarmult_ed25519_base_noclamp(out: Uint8Array, scalar: Uint8Array): void
  crypto_core_ed25519_scalar_reduce(out: Uint8Array, scalar: Uint8Array): void
  crypto_sign_verify_detached(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean
}

/** Undefined where it cannot be loaded. */
export const sodium = loadSodium()

/** Undefined on a platform for which the package has no binary: nothing is wrong then, only slower. */
function loadSodium(): Sodium | undefined {
  try {
    return createRequire(import.meta.url)('sodium-native') as Sodium
  } catch {
    return undefined
  }
}
