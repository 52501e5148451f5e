// The recorded answers of the original DISEQ, with the types of the parts that the tests read.

import { readFileSync } from 'node:fs'
import type { MerkleProof, ProofNode, ProofRoot } from '../../../src/trie/index.ts'

export interface LeafVector {
  readonly name: string
  readonly dataHex: string
  readonly keyHex: string
  readonly leafHashHex: string
  readonly keyPreimageHex?: string
  readonly leafHashedBytesHex?: string
  readonly keyBits?: string
}
export interface NodeVector {
  readonly name: string
  readonly kind: 'Root' | 'Branch' | 'Leaf'
  readonly hashedBytesHex: string
  readonly hashHex: string
  readonly nodeJson: ProofNode
  readonly storedEnumBytesHex: string
}
export interface TrieVector {
  readonly name: string
  readonly keysAreHashesOfData: boolean
  readonly messages: readonly { dataHex: string | null; keyHex: string; leafHashHex: string }[]
  readonly seedInsertOrder: readonly number[]
  readonly rootHashAfterEachInsert: readonly string[]
  readonly rootHashHex: string
  readonly rootJson: ProofRoot
  readonly rootText: string
  readonly proofs: readonly { message: number; depth: number; proof: MerkleProof; proofText?: string }[]
}
export interface NonCanonicalTrie {
  readonly messagesInOrder: readonly string[]
  readonly seedRootHashHex: string
  readonly canonicalRootHashHex: string
  readonly exampleMessage: number
  readonly exampleProof: MerkleProof
}
export interface ProofClaim {
  readonly group?: string
  readonly name: string
  readonly rootHashHex: string
  readonly claimedDataHex: string
  readonly proof: unknown
}
export interface JsonTextVector {
  readonly name: string
  readonly text: string
  readonly seedReads: boolean
}

interface TrieAndChain {
  readonly leaves: readonly LeafVector[]
  readonly nodes: readonly NodeVector[]
  readonly tries: readonly TrieVector[]
  readonly seedNonCanonicalTries: readonly NonCanonicalTrie[]
}
interface ForgedProofs {
  readonly controlsThatMustPass: readonly ProofClaim[]
  readonly mustReject: readonly ProofClaim[]
  readonly hashFieldsOnly: readonly ProofClaim[]
  readonly jsonTexts: readonly JsonTextVector[]
}

function read(file: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../vectors/${file}`, import.meta.url), 'utf8'))
}

export const { leaves, nodes, tries, seedNonCanonicalTries } = read('trie-and-chain.json') as TrieAndChain
export const forged = read('forged-proofs.json') as ForgedProofs

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
export function unhex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}
