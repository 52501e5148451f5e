// The type declarations of libp2p name five types of the browser's library, which a Node program does not load.
// They are declared here, no more than that, so that libraries stay type-checked (skipLibCheck is off).

interface EventInit {
  bubbles?: boolean
  cancelable?: boolean
  composed?: boolean
}

interface CustomEventInit<T = unknown> extends EventInit {
  detail?: T
}

interface AddEventListenerOptions extends EventListenerOptions {
  once?: boolean
  passive?: boolean
  signal?: AbortSignal
}

interface JsonWebKey {
  alg?: string
  crv?: string
  d?: string
  dp?: string
  dq?: string
  e?: string
  ext?: boolean
  k?: string
  key_ops?: string[]
  kty?: string
  n?: string
  p?: string
  q?: string
  qi?: string
  use?: string
  x?: string
  y?: string
}

interface CryptoKeyPair {
  privateKey: import('node:crypto').webcrypto.CryptoKey
  publicKey: import('node:crypto').webcrypto.CryptoKey
}
