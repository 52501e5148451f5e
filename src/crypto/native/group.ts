// Operations of the group of edwards25519 on libsodium, which OpenSSL keeps to itself. Where libsodium cannot be loaded on this
// platform there are none, and callers go the portable way. Every function returns undefined where libsodium refuses its
// arguments, which says nothing of them: it takes products of points of the main subgroup only, for example. Who has to know
// asks the portable half.
import { isCanonicalPoint, pointBytes } from '../portable/encoding.ts'
import { type Sodium, sodium } from './sodium.ts'

/** Points are 32 bytes, canonical; scalars 32 bytes little-endian, below the group's order. Products with a scalar take a
 *  time that does not depend on it. */
export interface Group {
  /** scalar · base point. */
  multiplyBase(scalar: Uint8Array): Uint8Array | undefined
  multiply(point: Uint8Array, scalar: Uint8Array): Uint8Array | undefined
  subtract(point: Uint8Array, other: Uint8Array): Uint8Array | undefined
  /** 8 · point, of any order. */
  clearCofactor(point: Uint8Array): Uint8Array | undefined
  /** 64 bytes as an integer modulo the group's order. */
  reduceScalar(wide: Uint8Array): Uint8Array | undefined
}

const doublings = 3

export const group: Group | undefined = createGroup(sodium)

function createGroup(library: Sodium | undefined): Group | undefined {
  if (library === undefined) return undefined
  const made = (make: (out: Uint8Array) => void): Uint8Array | undefined => {
    const out = new Uint8Array(pointBytes)
    try {
      make(out)
      return out
    } catch {
      // How the binding says that libsodium refuses; the function's undefined says the same.
      return undefined
    }
  }
  return {
    multiplyBase: (scalar) => made((out) => library.crypto_scalarmult_ed25519_base_noclamp(out, scalar)),
    multiply: (point, scalar) => made((out) => library.crypto_scalarmult_ed25519_noclamp(out, scalar, point)),
    subtract: (point, other) => made((out) => library.crypto_core_ed25519_sub(out, point, other)),
    clearCofactor: (point) => {
      if (!isCanonicalPoint(point)) return undefined
      let multiple: Uint8Array | undefined = point
      for (let done = 0; done < doublings && multiple !== undefined; done += 1) {
        const half: Uint8Array = multiple
        multiple = made((out) => library.crypto_core_ed25519_add(out, half, half))
      }
      return multiple
    },
    reduceScalar: (wide) => made((out) => library.crypto_core_ed25519_scalar_reduce(out, wide)),
  }
}
