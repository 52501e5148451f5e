// `diseq/verify`: checks proofs in Node and in browsers, with a genesis file and nothing else.
export type { ProvenEvidence } from './evidence.ts'
export type { FinalBlockHeader, ProvenFinality, ProvenHeader, RangeClaim } from './final-header.ts'
export { type ProvenMessage, verifyFinality } from './finality.ts'
export * from './formats.ts'
export { type ProvenFork, type ProvenHeaders, verifyFork, verifyHeaders } from './headers.ts'
export {
  type NamespaceBlock,
  type NamespaceMessage,
  type ProvenNamespace,
  verifyNamespace,
} from './namespace.ts'
export { encodeReceiptBody, type ProvenReceipt, type ReceiptBody, verifyReceipt } from './receipt.ts'
export type { Refusal, Refused, Verdict } from './refusals.ts'
export { dataKey, type ProvenKey, verifyTrie } from './trie.ts'
export { genesisBlock, type Trust, type TrustedBlock, type TrustOptions, trustGenesis } from './trust.ts'
export { type Proven, verifyProof } from './verify.ts'
