// The shapes of proofs for the API's description; what they mean, and how they are checked, is docs/proofs.md's.
import { hexHash, hexSignature, integer, listOf, objectOf, ref, type Schema, timeMs, u32 } from './shared.ts'

const base64 = { type: 'string', contentEncoding: 'base64' } as const
const headerBytes = {
  ...base64,
  description: 'The encoding of a header; its SHA-256 is the block id.',
} as const
const finalization = {
  ...base64,
  description: 'The encoding of the finalization of the (last) header.',
} as const
const messageBytes = { ...base64, description: 'The encoding of a message; its SHA-256 is its id.' } as const
const path = listOf(hexHash, { maxItems: 64, description: 'RFC 9162, from the leaf up.' })

function typeOf(name: string): Schema {
  return { type: 'string', const: `diseq/1/${name}` }
}

const byteList = listOf({ type: 'integer', minimum: 0, maximum: 255 })
const trieNodes = listOf({
  type: 'array',
  description: 'false for left, true for right; and a Root, Branch or Leaf.',
  minItems: 2,
  maxItems: 2,
  prefixItems: [{ type: 'boolean' }, { type: 'object' }],
})
const merkleProof = {
  anyOf: [
    objectOf({ nodes: trieNodes }),
    objectOf({ absent: { type: 'boolean', const: true }, key: byteList, nodes: trieNodes }),
  ],
  description: "The original's form of a proof; with `absent`, that nothing is there.",
}

const present = objectOf(
  {
    position: { ...u32, description: "Place of the namespace's leaf." },
    messages: listOf(objectOf({ index: u32, message: messageBytes }), { minItems: 1 }),
    path,
  },
  { description: "All of the namespace's messages in the block." },
)
const absent = objectOf(
  {
    position: { ...u32, description: 'Place that its leaf would have.' },
    neighbours: listOf(objectOf({ namespace: { type: 'string' }, count: u32, root: hexHash }), {
      maxItems: 2,
    }),
    path,
  },
  { description: 'The namespace is not in the block.' },
)

/** By name. */
export const proofSchemas = {
  TrieProof: objectOf({
    type: typeOf('trie-proof'),
    header: headerBytes,
    finalization,
    key: hexHash,
    proof: merkleProof,
  }),
  FinalityProof: objectOf(
    {
      type: typeOf('finality-proof'),
      header: headerBytes,
      finalization,
      message: messageBytes,
      index: u32,
      path,
      trie: ref('TrieProof'),
    },
    { optional: ['trie'] },
  ),
  NamespaceProof: objectOf({
    type: typeOf('namespace-proof'),
    namespace: { type: 'string' },
    headers: listOf(headerBytes, { minItems: 1 }),
    finalization,
    blocks: listOf({ anyOf: [present, absent] }),
  }),
  HeaderChain: objectOf({
    type: typeOf('header-chain'),
    headers: listOf(headerBytes, { minItems: 1 }),
    finalization,
  }),
  Receipt: objectOf(
    {
      type: typeOf('receipt'),
      node: hexHash,
      time: timeMs,
      finalHeight: integer,
      ids: listOf(hexHash),
      signature: hexSignature,
    },
    { description: "The node's signed word that it has these messages on its disk." },
  ),
} as const
