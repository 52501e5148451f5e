// The VRF has no faster road than the portable one: OpenSSL has no group operations on edwards25519, and hashing
// is a hundredth of the time.
export * from '../portable/vrf.ts'
