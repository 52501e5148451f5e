import { toHex } from '../crypto/portable/hex.ts'
import type { LeafReference } from './ports.ts'

/** What a damaged or incomplete store does to the trie. Nothing a peer or client sends leads here. */
export type TrieFailure =
  | { readonly code: 'missing-node'; readonly hash: Uint8Array }
  | { readonly code: 'bad-record'; readonly record: Uint8Array }
  | { readonly code: 'missing-data'; readonly reference: LeafReference }

/** Thrown where the store does not hold what the trie put there; the node has to stop. */
export class TrieError extends Error {
  override readonly name = 'TrieError'
  readonly code: TrieFailure['code']
  readonly failure: TrieFailure

  constructor(failure: TrieFailure) {
    super(sentenceOf(failure))
    this.code = failure.code
    this.failure = failure
  }
}

function sentenceOf(failure: TrieFailure): string {
  switch (failure.code) {
    case 'missing-node':
      return `the store lacks the trie node ${toHex(failure.hash)}`
    case 'bad-record':
      return `the store holds a trie record that cannot be read: ${toHex(failure.record)}`
    case 'missing-data':
      return `the store lacks message ${failure.reference.index} of block ${failure.reference.height}, which the trie holds`
  }
}
