// Proofs as plain JSON values, in the shape the original's serde_json gave them. Portable.

/** Bytes as JSON writes them: a list of 0 to 255. */
export type JsonBytes = readonly number[]

export interface ProofRoot {
  readonly hash: JsonBytes | null
  readonly left: JsonBytes | null
  readonly right: JsonBytes | null
}
export interface ProofBranch {
  /** One entry: the index of the bit. */
  readonly key: JsonBytes
  readonly hash: JsonBytes | null
  readonly left: JsonBytes | null
  readonly right: JsonBytes | null
}
export interface ProofLeaf {
  readonly prefix: JsonBytes | null
  /** 256 entries of 0 or 1. */
  readonly key: JsonBytes
  readonly hash: JsonBytes | null
  readonly data: JsonBytes | null
}
export type ProofNode =
  | { readonly Root: ProofRoot }
  | { readonly Branch: ProofBranch }
  | { readonly Leaf: ProofLeaf }

/** A node and the edge by which the node before it leads there: true for right. False at the root. */
export type ProofStep = readonly [boolean, ProofNode]

/** Shows that a message is in the trie: the nodes from the root down to its leaf. */
export interface MerkleProof {
  readonly nodes: readonly ProofStep[]
}

/** Shows that no leaf has `key`: the nodes on the way to where it would be (see README.md). */
export interface AbsenceProof {
  readonly absent: true
  /** 256 entries of 0 or 1. */
  readonly key: JsonBytes
  readonly nodes: readonly ProofStep[]
}

/** A path has the root, at most 255 branches (bits 1 to 255, each once) and a leaf. */
export const PROOF_NODES_MAX = 257

/** Every field there is, each after those it follows in the original's structs. */
const FIELD_ORDER = [
  'absent',
  'prefix',
  'key',
  'hash',
  'left',
  'right',
  'data',
  'nodes',
  'Root',
  'Branch',
  'Leaf',
]

/** The exact reply of `POST /merkle_proof`: fields in the original's order, no blanks. Takes absence proofs too. */
export function proofToJsonText(proof: MerkleProof | AbsenceProof): string {
  return toJsonText(proof)
}

/** JSON text of a proof or root, whatever the order in which its fields were set. */
export function toJsonText(value: MerkleProof | AbsenceProof | ProofRoot): string {
  return JSON.stringify(value, FIELD_ORDER)
}
