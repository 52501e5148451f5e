// Whether data is in the trie after a block. The walk is the trie's own (`trie/verify.ts`); here the root is tied to a
// final header.
import { bytesToHex, hexToBytes } from '../codec/index.ts'
import {
  checkAbsence,
  checkInclusion,
  keyOfData,
  type MerkleProof,
  readAbsenceProofValue,
  readProofValue,
} from '../trie/verify.ts'
import type { Hash, Height } from '../types/index.ts'
import { type FinalBlockHeader, finalised, readHeader } from './final-header.ts'
import { proofTypes } from './formats.ts'
import { fieldsOf, hasField, hexOf, jsonOf } from './json.ts'
import { demand, type Verdict, verdictOf } from './refusals.ts'
import type { Trust } from './trust.ts'

export interface ProvenKey {
  readonly kind: 'trie'
  readonly key: Hash
  /** What lies under the key; undefined: the key is absent. */
  readonly data: Uint8Array | undefined
  /** Its header's `stateRoot` is the trie's after block `stateHeight`, which may be an earlier one: absence says nothing
   *  of the blocks in between. */
  readonly block: FinalBlockHeader
}

/** The key under which the trie has data, in hex. */
export function dataKey(data: Uint8Array): Hash {
  return bytesToHex(keyOfData(data)) as Hash
}

/** Whether `proof` (text or parsed) shows that a key is in the trie of a final header, with what data, or that it is not;
 *  of `key` in hex and of the header at `height`, where they are given. */
export function verifyTrie({
  trust,
  proof,
  key,
  height,
}: {
  readonly trust: Trust
  readonly proof: unknown
  readonly key?: string
  readonly height?: Height | undefined
}): Verdict<ProvenKey> {
  return verdictOf(() => {
    const proven = readTrieProof(trust, jsonOf(proof))
    demand(key === undefined || key === proven.key, 'other-key', proven.key)
    demand(height === undefined || height === proven.block.header.height, 'other-range')
    return proven
  })
}

export function readTrieProof(trust: Trust, value: unknown): ProvenKey {
  const fields = fieldsOf(value, ['type', 'header', 'finalization', 'key', 'proof'], 'the trie proof')
  demand(fields.type === proofTypes.trie, 'other-type')
  const key = hexOf<Hash>(fields.key, 32, 'key')
  const proven = readHeader(trust, fields.header)
  const final = () => finalised(trust, proven, fields.finalization)
  const walk = { rootHash: hexToBytes(proven.header.stateRoot), key: hexToBytes(key) }
  if (hasField(fields.proof, 'absent')) {
    const reading = readAbsenceProofValue(fields.proof)
    demand(reading.ok, 'malformed', reading.ok ? undefined : reading.reason)
    const verdict = checkAbsence({ ...walk, proof: reading.proof })
    demand(verdict.ok, 'not-absent', verdict.ok ? undefined : verdict.reason)
    return { kind: 'trie', key, data: undefined, block: final() }
  }
  const reading = readProofValue(fields.proof)
  demand(reading.ok, 'malformed', reading.ok ? undefined : reading.reason)
  const data = dataOfLeaf(reading.proof)
  demand(data !== undefined, 'not-in-trie', 'its last node is no leaf with data')
  const verdict = checkInclusion({ ...walk, data, proof: reading.proof })
  demand(verdict.ok, 'not-in-trie', verdict.ok ? undefined : verdict.reason)
  return { kind: 'trie', key, data, block: final() }
}

/** What the proof claims to lie under the key; the walk says whether it does. */
function dataOfLeaf({ nodes }: MerkleProof): Uint8Array | undefined {
  const node = nodes.at(-1)?.[1]
  const data = node !== undefined && 'Leaf' in node ? node.Leaf.data : null
  return data === null ? undefined : Uint8Array.from(data)
}
