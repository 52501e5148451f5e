// What runs in a browser as well: hashes, signatures and the VRF without node:crypto.
export * from './ed25519.ts'
export * from './hash.ts'
export * from './hex.ts'
export * from './vrf.ts'
