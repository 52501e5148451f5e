// The proof vectors that are made by signing what no honest validator signs, or by changing what one signed.
import assert from 'node:assert/strict'
import {
  decodeHeader,
  encodeCertificate,
  encodeEvidence,
  encodeHeader,
  encodePoolCommitmentBody,
  encodeProposalBody,
  encodeVoteBody,
} from '../../src/codec/index.ts'
import { sha256 } from '../../src/crypto/native/index.ts'
import { type FinalityProofJson, type HeaderChainJson, proofTypes } from '../../src/proofs/index.ts'
import { finalHeaderJson } from '../../src/proofs/make.ts'
import type {
  BatchId,
  BlockId,
  Hash,
  Header,
  SignedKind,
  SignedPayload,
  VoteBody,
} from '../../src/types/index.ts'
import type { ProvenChain } from './proven-chain.ts'

/** What is done to a copy of a proof; what it returns takes the copy's place. */
export type Change = (proof: Record<string, unknown>) => unknown

/** What an honest validator never signs both of, and pairs that come near. */
export function addPayloadPairs(
  { builder }: ProvenChain,
  accept: (name: string, proof: unknown) => void,
  refuse: (name: string, proof: unknown) => void,
): void {
  const signed = (kind: SignedKind, bytes: Uint8Array): SignedPayload => ({
    kind,
    bytes,
    signature: builder.signVote(1, kind, bytes),
  })
  const proof = (payloads: readonly [SignedPayload, SignedPayload]) => {
    const [one, other] = payloads
    const [first, second] = Buffer.compare(one.bytes, other.bytes) < 0 ? [one, other] : [other, one]
    const evidence = Buffer.from(encodeEvidence({ validator: 1, height: 1, first, second }))
    return { type: proofTypes.evidence, evidence: evidence.toString('base64') }
  }
  const place = { height: 1, view: 2 }
  const blockId = (digit: string) => digit.repeat(64) as BlockId
  const vote = (kind: 'notarize' | 'finalize', digit: string, at = place) =>
    signed(kind, encodeVoteBody({ kind, ...at, blockId: blockId(digit) }))
  const nullify = (at = place) => signed('nullify', encodeVoteBody({ kind: 'nullify', ...at }))
  const proposal = (digit: string, at = place) =>
    signed('proposal', encodeProposalBody({ ...at, blockId: blockId(digit) }))
  const commitmentBytes = (receivedAt: readonly number[], time = 9) =>
    encodePoolCommitmentBody({
      height: 1,
      time,
      entries: receivedAt.map((at, index) => ({
        batchId: `0${index}`.repeat(32) as BatchId,
        receivedAt: at,
      })),
    })
  const commitment = (...receivedAt: number[]) => signed('pool-commitment', commitmentBytes(receivedAt))

  accept('evidence of two finalizes', proof([vote('finalize', 'a'), vote('finalize', 'b')]))
  accept('evidence of two proposals', proof([proposal('a'), proposal('b')]))
  accept('evidence of two pool commitments', proof([commitment(1, 2), commitment(1, 3)]))
  accept('evidence of an empty pool commitment and another', proof([commitment(), commitment(1)]))
  const later = { height: 1, view: 3 }
  refuse('two proposals of different views', proof([proposal('a'), proposal('b', later)]))
  refuse('two finalizes of different views', proof([vote('finalize', 'a'), vote('finalize', 'b', later)]))
  refuse('two nullifies of different views', proof([nullify(), nullify(later)]))
  refuse('finalize and nullify of different views', proof([vote('finalize', 'a'), nullify(later)]))
  refuse('notarize and finalize of two blocks', proof([vote('notarize', 'a'), vote('finalize', 'b')]))
  refuse(
    'finalizes of different heights',
    proof([vote('finalize', 'a'), vote('finalize', 'b', { height: 2, view: 2 })]),
  )
  const unsorted = Uint8Array.from(commitmentBytes([1, 2]))
  // Both entries' batch ids are one.
  unsorted.copyWithin(61, 21, 53)
  refuse(
    'pool commitments, one with a batch twice',
    proof([commitment(1, 3), signed('pool-commitment', unsorted)]),
  )
  const early = signed('pool-commitment', commitmentBytes([5], 4))
  refuse('pool commitments, one with a batch received after it was made', proof([commitment(1), early]))
  const long = signed('pool-commitment', Uint8Array.of(...commitmentBytes([1]), 0))
  refuse('pool commitments, one with a byte too many', proof([commitment(2), long]))
  const asVote = {
    ...vote('finalize', 'b'),
    signature: builder.signVote(1, 'notarize', vote('finalize', 'b').bytes),
  }
  refuse('two finalizes, one signed as a notarize', proof([vote('finalize', 'a'), asVote]))
}

/** Finality proofs, each with one thing in it that does not hold. */
export function addForgedFinalities(
  { builder }: ProvenChain,
  plain: FinalityProofJson,
  change: (name: string, proof: object, edit: Change) => void,
): void {
  const final = Buffer.from(plain.finalization, 'base64')
  const header = Buffer.from(plain.header, 'base64')
  const blockId = Buffer.from(sha256(header)).toString('hex') as BlockId
  const body: VoteBody = { kind: 'finalize', height: 1, view: 0, blockId }
  const certified = (name: string, vote: VoteBody, signers: number[], edit = (bytes: Buffer) => bytes) =>
    change(name, plain, (copy) => {
      const bytes = Buffer.from(encodeCertificate(builder.certificate(vote, signers)))
      copy.finalization = edit(bytes).toString('base64')
    })
  certified('one signer too few: power 6 of a quorum of 7', body, [0, 1, 3])
  certified('no signers', body, [])
  certified('a notarization', { ...body, kind: 'notarize' }, [0, 1, 2, 3, 4])
  certified(
    'a notarization that says it is a finalization',
    { ...body, kind: 'notarize' },
    [0, 1, 2, 3, 4],
    (bytes) => {
      bytes[0] = 3
      return bytes
    },
  )
  certified('a nullification', { kind: 'nullify', height: 1, view: 0 }, [0, 1, 2, 3, 4])
  certified('a finalization of another height', { ...body, height: 2 }, [0, 1, 2, 3, 4])
  certified(
    'a finalization of another block',
    { ...body, blockId: 'ab'.repeat(32) as BlockId },
    [0, 1, 2, 3, 4],
  )
  certified('a byte after the finalization', body, [0, 1, 2], (bytes) => Buffer.concat([bytes, Buffer.of(0)]))
  certified('a signer that is no validator', body, [0, 1, 2, 3, 4], (bytes) => {
    bytes.writeUInt16BE(5, bytes.length - 66)
    return bytes
  })
  certified('a signer twice', body, [0, 1, 2, 3, 4], (bytes) => {
    bytes.writeUInt16BE(3, bytes.length - 66)
    return bytes
  })
  change('a bit of a signature', plain, (copy) => {
    const bytes = Buffer.from(final)
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    copy.finalization = bytes.toString('base64')
  })
  // S + L in place of S: the same number, another encoding.
  change('a signature whose S is not below L', plain, (copy) => {
    const bytes = Buffer.from(final)
    const at = bytes.length - 32
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    const s = BigInt(`0x${Buffer.from(bytes.subarray(at)).reverse().toString('hex')}`) + order
    Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse().copy(bytes, at)
    copy.finalization = bytes.toString('base64')
  })
  change('a bit of the header', plain, (copy) => {
    const bytes = Buffer.from(header)
    bytes[40] = (bytes[40] ?? 0) ^ 1
    copy.header = bytes.toString('base64')
  })
  change('a header of another version', plain, (copy) => {
    const bytes = Buffer.from(header)
    bytes[1] = 2
    copy.header = bytes.toString('base64')
  })
  change('a header of another chain', plain, (copy) => {
    const bytes = Buffer.from(header)
    bytes.write('w', 3)
    copy.header = bytes.toString('base64')
  })
  change('another index', plain, (copy) => ({ ...copy, index: 1 }))
  change('an index beyond the block', plain, (copy) => ({ ...copy, index: 5 }))
  change('a shorter path', plain, (copy) => void (copy.path as string[]).pop())
  change('a longer path', plain, (copy) => void (copy.path as string[]).push('00'.repeat(32)))
  change('another message', plain, (copy) => ({ ...copy, message: 'AAAAAAAAAAAA' }))
  change('a message with unknown flags', plain, (copy) => ({ ...copy, message: 'BAAAAAAAAAAA' }))
  change('a message cut short', plain, (copy) => ({ ...copy, message: 'AAAAAAAAAAAB' }))
}

/** Trie proofs that are not of the form, or end where they must not. */
export function addForgedTries(
  honest: { readonly included: object; readonly gone: object; readonly whole: object },
  change: (name: string, proof: object, edit: Change) => void,
): void {
  const { included, gone, whole } = honest
  const nodesOf = (copy: Record<string, unknown>) =>
    copy.proof as { nodes: unknown[] } & Record<string, unknown>
  change('inclusion without its leaf', included, (copy) => void nodesOf(copy).nodes.pop())
  change('inclusion without nodes', included, (copy) => ({ ...copy, proof: { nodes: [] } }))
  change('inclusion with its leaf twice', included, (copy) => {
    const { nodes } = nodesOf(copy)
    nodes.push(nodes.at(-1))
  })
  change('inclusion without its root', included, (copy) => void nodesOf(copy).nodes.shift())
  change('inclusion with an unknown field', included, (copy) => {
    nodesOf(copy).more = 1
  })
  change('absence that says it is none', gone, (copy) => {
    nodesOf(copy).absent = false
  })
  change('absence with an unknown field', gone, (copy) => {
    nodesOf(copy).more = 1
  })
  change('absence without its last node', gone, (copy) => void nodesOf(copy).nodes.pop())
  change('absence without nodes', gone, (copy) => {
    nodesOf(copy).nodes = []
  })
  change('absence that is written as inclusion', gone, (copy) => ({
    ...copy,
    proof: { nodes: nodesOf(copy).nodes },
  }))
  change('a trie proof of another type in a finality proof', whole, (copy) => {
    copy.trie = { ...(copy.trie as object), type: proofTypes.headers }
  })
  change('null for the trie proof of a finality proof', whole, (copy) => ({ ...copy, trie: null }))
}

/** Headers that a quorum signed, and that no honest one would. */
export function addForgedHeaders(
  { builder, trust }: ProvenChain,
  chain: HeaderChainJson,
  plain: FinalityProofJson,
  change: (name: string, proof: object, edit: Change) => void,
): void {
  const [first = '', second = ''] = chain.headers
  const decodedOf = (text: string): Header => {
    const decoded = decodeHeader(Buffer.from(text, 'base64'))
    assert(decoded.ok)
    return decoded.value
  }
  const signed = (text: string, edit: Partial<Header>, finalView = 9) => {
    const header = { ...decodedOf(text), ...edit }
    const blockId = Buffer.from(sha256(encodeHeader(header))).toString('hex') as BlockId
    const { height } = header
    const finalization = builder.certificate({ kind: 'finalize', height, view: finalView, blockId })
    assert(finalization.kind === 'finalization')
    return finalHeaderJson({ header, finalization })
  }
  const other = 'ab'.repeat(32) as Hash
  change('a header of other validators', plain, (copy) => ({
    ...copy,
    ...signed(first, { validatorsHash: other }),
  }))
  change('a header of other next validators', plain, (copy) => ({
    ...copy,
    ...signed(first, { nextValidatorsHash: other }),
  }))
  change('a header of genesis', plain, (copy) => ({ ...copy, ...signed(first, { height: 0 }) }))
  change('a block that became final before it was made', plain, (copy) => ({
    ...copy,
    ...signed(first, { view: 4 }, 3),
  }))
  change('a block of fewer messages than the tree has', plain, (copy) => ({
    ...copy,
    ...signed(first, { messageCount: 4 }),
  }))
  change('headers whose time stands still', chain, (copy) => {
    const { header, finalization } = signed(second, { time: decodedOf(first).time })
    return { ...copy, headers: [first, header], finalization }
  })
  change('headers of which one has another block before it', chain, (copy) => {
    const { header, finalization } = signed(second, { previousBlockId: trust.genesis.hash as BlockId })
    return { ...copy, headers: [first, header], finalization }
  })
}
