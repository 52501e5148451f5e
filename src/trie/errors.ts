import type { LeafReference } from './ports.ts'

/** What a damaged or incomplete store does to the trie. Nothing a peer or client sends leads here. */
export type TrieFailure =
  | { readonly code: 'missing-page'; readonly id: number }
  | { readonly code: 'bad-page'; readonly id: number }
  | { readonly code: 'bad-checkpoint' }
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
    case 'missing-page':
      return `trie page ${failure.id} is missing`
    case 'bad-page':
      return `trie page ${failure.id} cannot be read`
    case 'bad-checkpoint':
      return "the trie's checkpoint cannot be read"
    case 'missing-data':
      return `the store lacks message ${failure.reference.index} of block ${failure.reference.height}, which the trie holds`
  }
}
