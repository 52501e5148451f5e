// Any proof, by the type it names.

import { type ProvenEvidence, readEvidence } from './evidence.ts'
import { type ProvenMessage, readFinalityProof } from './finality.ts'
import type { ProofKind } from './formats.ts'
import { proofTypes } from './formats.ts'
import { type ProvenFork, type ProvenHeaders, readFork, readHeaderChain } from './headers.ts'
import { hasField, jsonOf } from './json.ts'
import { type ProvenNamespace, readNamespaceProof } from './namespace.ts'
import { type ProvenReceipt, readReceipt } from './receipt.ts'
import { demand, ProofRefused, type Verdict, verdictOf } from './refusals.ts'
import { type ProvenKey, readTrieProof } from './trie.ts'
import type { Trust } from './trust.ts'

/** What a proof of any kind proves. */
export type Proven =
  | ProvenMessage
  | ProvenNamespace
  | ProvenKey
  | ProvenHeaders
  | ProvenReceipt
  | ProvenFork
  | ProvenEvidence

const readers: { readonly [kind in ProofKind]: (trust: Trust, value: unknown) => Proven } = {
  finality: readFinalityProof,
  namespace: readNamespaceProof,
  trie: readTrieProof,
  headers: readHeaderChain,
  receipt: readReceipt,
  fork: readFork,
  evidence: readEvidence,
}
const kinds = Object.keys(readers) as readonly ProofKind[]

/** What `proof` (text or parsed) proves to whoever trusts this genesis, or which check failed. Never throws on JSON; its
 *  work is bounded by the proof's size and one quorum of signatures for each final header in it. */
export function verifyProof({
  trust,
  proof,
}: {
  readonly trust: Trust
  readonly proof: unknown
}): Verdict<Proven> {
  return verdictOf(() => {
    const value = jsonOf(proof)
    demand(hasField(value, 'type'), 'malformed', 'the proof has no type')
    const { type } = value as { readonly type: unknown }
    const kind = kinds.find((known) => proofTypes[known] === type)
    if (kind === undefined) throw new ProofRefused('other-type', 'one that this verifier does not know')
    return readers[kind](trust, value)
  })
}
