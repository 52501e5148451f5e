// The portable half and the signing domain. A node takes native/index.ts: the same names, the same answers, faster.
export * from './domain.ts'
export * from './portable/ed25519.ts'
export * from './portable/hash.ts'
export * from './portable/hex.ts'
export * from './portable/vrf.ts'
