// Names for values that look alike but must not be mixed: a block id is not a batch id.

declare const brand: unique symbol

/** `T` that only the functions naming the brand `N` produce; the mark exists in types only. */
export type Brand<T, N extends string> = T & { readonly [brand]: { readonly [K in N]: true } }

/** A value whose signatures, proofs and limits were checked. Only `network/verify.ts` (from bytes) and the
 *  core (a certificate out of verified votes) make one. */
export type Verified<T> = T & { readonly [verified]: true }
declare const verified: unique symbol
