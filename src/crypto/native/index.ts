// The same names and answers as ../index.ts on node:crypto; for code that never runs in a browser.
export * from '../domain.ts'
export * from './ed25519.ts'
export * from './hash.ts'
export * from './hex.ts'
export * from './merkle-lanes.ts'
export * from './sha256-lanes.ts'
export * from './vrf.ts'
