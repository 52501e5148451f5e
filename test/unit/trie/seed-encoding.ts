// The original's encoding of any node, hand-made ones included (bincode: lengths u64 little-endian, options one byte,
// enum tags u32 little-endian). The trie itself writes only the layouts that a canonical trie has.

import type { JsonBytes, ProofNode } from '../../../src/trie/index.ts'

type Field = JsonBytes | null

/** What is hashed for a node: its struct, without the enum's tag and with no hash. */
export function encodeForHash(node: ProofNode): Uint8Array {
  return Uint8Array.from(structOf(node, null))
}

/** What the original stored: the enum's tag, then the struct with its hash. */
export function encodeForStore(node: ProofNode): Uint8Array {
  const tag = 'Root' in node ? 0 : 'Branch' in node ? 1 : 2
  return Uint8Array.from([tag, 0, 0, 0, ...structOf(node, hashOf(node))])
}

function structOf(node: ProofNode, hash: Field): number[] {
  if ('Root' in node) {
    return [...option(hash), ...option(node.Root.left), ...option(node.Root.right)]
  }
  if ('Branch' in node) {
    const { key, left, right } = node.Branch
    return [...vector(key), ...option(hash), ...option(left), ...option(right)]
  }
  const { prefix, key, data } = node.Leaf
  return [...option(prefix), ...vector(key), ...option(hash), ...option(data)]
}

function hashOf(node: ProofNode): Field {
  if ('Root' in node) return node.Root.hash
  return 'Branch' in node ? node.Branch.hash : node.Leaf.hash
}

function option(field: Field): number[] {
  return field === null ? [0] : [1, ...vector(field)]
}

function vector(bytes: JsonBytes): number[] {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(bytes.length))
  return [...length, ...bytes]
}
