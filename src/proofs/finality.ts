// A message's place in the sequence: from genesis alone, whoever sent the proof.
import { bytesToHex, decodeMessage } from '../codec/index.ts'
import { verifySequencePath } from '../sequencing/roots.ts'
import type { Hash, Message, MessageId } from '../types/index.ts'
import { type FinalBlockHeader, finalised, readHeader } from './final-header.ts'
import { proofTypes } from './formats.ts'
import { base64Of, fieldsOf, hasField, hexOf, jsonOf, listOf, u32Of } from './json.ts'
import { demand, type Verdict, verdictOf } from './refusals.ts'
import { dataKey, type ProvenKey, readTrieProof } from './trie.ts'
import type { Trust } from './trust.ts'

/** More than any path has: a level for each bit of an index. */
export const maxPath = 64

export interface ProvenMessage {
  readonly kind: 'finality'
  readonly id: MessageId
  readonly message: Message
  readonly index: number
  readonly block: FinalBlockHeader
  /** The trie that has its data, where the proof shows one. */
  readonly trie?: ProvenKey
}

/** Whether `proof` (text or parsed) shows that a message is final, and where; of the message with `id`, where that is
 *  given. At most a quorum of signature checks; never throws on JSON. */
export function verifyFinality({
  trust,
  proof,
  id,
}: {
  readonly trust: Trust
  readonly proof: unknown
  readonly id?: string
}): Verdict<ProvenMessage> {
  return verdictOf(() => {
    const proven = readFinalityProof(trust, jsonOf(proof))
    demand(id === undefined || id === proven.id, 'other-message', proven.id)
    return proven
  })
}

export function readFinalityProof(trust: Trust, value: unknown): ProvenMessage {
  const names = ['type', 'header', 'finalization', 'message', 'index', 'path'] as const
  const withTrie = hasField(value, 'trie')
  const fields = fieldsOf(value, withTrie ? [...names, 'trie'] : names, 'the proof')
  demand(fields.type === proofTypes.finality, 'other-type')
  const index = u32Of(fields.index, 'index')
  const path = pathOf(fields.path, 'path')
  const { id, message } = readMessage(trust, fields.message, 'message')
  const proven = readHeader(trust, fields.header)
  const { sequenceRoot: root, messageCount: count } = proven.header
  const isThere = verifySequencePath({ root, messageId: id, index, count, path, sha256: trust.sha256 })
  demand(isThere, 'not-in-sequence')
  const block = finalised(trust, proven, fields.finalization)
  const place = { kind: 'finality', id, message, index, block } as const
  if (!withTrie) return place
  const trie = readTrieProof(trust, (value as { trie: unknown }).trie)
  demand(trie.key === dataKey(message.data), 'other-key', 'the trie proof is of other data than the message')
  demand(trie.data !== undefined, 'not-in-trie', "the message's data is absent from it")
  return { ...place, trie }
}

/** A message out of its exact bytes. */
export function readMessage(
  { genesis, sha256 }: Trust,
  value: unknown,
  at: string,
): { readonly id: MessageId; readonly message: Message } {
  const bytes = base64Of(value, genesis.limits.maxMessageBytes, at)
  const decoded = decodeMessage(bytes, genesis.limits)
  demand(decoded.ok, 'bad-message', decoded.ok ? at : decoded.reason)
  return { id: bytesToHex(sha256(bytes)) as MessageId, message: decoded.value }
}

export function pathOf(value: unknown, at: string): Hash[] {
  return listOf(value, maxPath, at).map((node, index) => hexOf<Hash>(node, 32, `${at}[${index}]`))
}
