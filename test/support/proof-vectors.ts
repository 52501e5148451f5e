// Known answers for verifiers in other languages: proofs of a made-up chain to accept, with what they prove, and forged
// ones to refuse, with the check that fails. `node test/support/proof-vectors.ts` writes test/vectors/proofs.json.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
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
import {
  dataKey,
  type FinalityProofJson,
  type HeaderChainJson,
  type Proven,
  proofTypes,
  type TrieProofJson,
  verifyProof,
} from '../../src/proofs/index.ts'
import { finalHeaderJson } from '../../src/proofs/make.ts'
import type {
  BatchId,
  BlockId,
  Evidence,
  Hash,
  Header,
  SignedKind,
  SignedPayload,
  VoteBody,
} from '../../src/types/index.ts'
import { idsOf, type ProvenChain, provenChain, there, withLaggingState } from './proven-chain.ts'

export const vectorsPath = fileURLToPath(new URL('../vectors/proofs.json', import.meta.url))

export interface ProofVector {
  readonly name: string
  readonly proof: unknown
  /** Absent: as JSON.stringify writes `proof`. For texts that are no plain JSON value. */
  readonly text?: string
  readonly valid: boolean
  /** What it proves, or the check that fails. */
  readonly proves?: Readonly<Record<string, unknown>>
  readonly refusal?: string
}

export interface ProofVectors {
  readonly about: string
  readonly genesis: unknown
  readonly genesisHash: string
  readonly vectors: readonly ProofVector[]
}

type Change = (proof: Record<string, unknown>) => unknown

async function aVectorChain(): Promise<ProvenChain> {
  const chain = await provenChain({ powers: [3, 2, 2, 1, 1], chainId: 'vectors' })
  const text = (data: string) => new TextEncoder().encode(data)
  await chain.builder.addBlock({
    messages: [
      { data: text('hello'), timestamp: 1, namespace: 'chat' },
      { data: text(''), timestamp: 0xffff_ffff },
      { data: text('later'), timestamp: 0, namespace: 'chat', expiresAt: 9 },
      { data: text('größer'), timestamp: 2, namespace: 'ß', expiresAt: 2 ** 53 - 1 },
      { data: text('a'), timestamp: 3, namespace: 'a' },
    ],
    signers: [0, 1, 2],
  })
  await chain.builder.addBlock({ messages: [], signers: [0, 1, 2, 4], view: 1, finalView: 3 })
  await chain.builder.addBlock({
    messages: [{ data: text('x'), timestamp: 4, namespace: 'chat' }],
    signers: [0, 1, 2],
  })
  return chain
}

export async function makeProofVectors(): Promise<ProofVectors> {
  const chain = await aVectorChain()
  const { maker, trust, builder } = chain
  const ids = await idsOf(chain, 1)
  const vectors: ProofVector[] = []
  const accept = (name: string, proof: unknown) => {
    const verdict = verifyProof({ trust, proof })
    assert(verdict.ok, name)
    vectors.push({ name, proof, valid: true, proves: summaryOf(verdict) })
  }
  const refuse = (name: string, proof: unknown, text?: string) => {
    const verdict = verifyProof({ trust, proof: text ?? proof })
    assert(!verdict.ok, name)
    vectors.push({
      name,
      proof,
      ...(text === undefined ? {} : { text }),
      valid: false,
      refusal: verdict.reason,
    })
  }
  const change = (name: string, proof: object, edit: Change) => {
    const copy = structuredClone(proof) as Record<string, unknown>
    refuse(name, edit(copy) ?? copy)
  }

  for (const [index, id] of ids.entries()) accept(`message ${index}`, await maker.finality(id))
  const proof = there(await maker.finality(there(ids[2]), { withTrie: true }))
  accept('a message with its data in the trie of a later block', proof)
  for (const namespace of ['chat', 'a', 'ß', 'Z', 'b', 'z', '\u{1f600}']) {
    accept(`namespace ${namespace}, block 1`, await maker.namespace(namespace, { from: 1, count: 1 }))
    accept(`namespace ${namespace}, all blocks`, await maker.namespace(namespace, { from: 1, count: 9 }))
  }
  for (const data of ['hello', 'x', 'absent', 'absent 2', 'absent 3']) {
    const key = Buffer.from(dataKey(new TextEncoder().encode(data)), 'hex')
    for (const height of [1, 3]) accept(`data "${data}" after block ${height}`, await maker.trie(key, height))
  }
  accept('headers', await maker.headers({ from: 1, count: 9 }))
  accept('one header, made in view 1 and final in view 3', await maker.headers({ from: 2, count: 1 }))
  accept('a receipt', maker.receipt(ids))

  const plain = there(await maker.finality(there(ids[0])))
  addForgedFinalities(chain, plain, change)
  change('a trie proof of other data', proof, (copy) => {
    copy.trie = there(vectors.find(({ name }) => name === 'data "x" after block 3')).proof
  })
  change('a trie proof of absence', proof, (copy) => {
    copy.trie = there(vectors.find(({ name }) => name === 'data "absent" after block 3')).proof
  })

  const all = there(await maker.namespace('chat', { from: 1, count: 3 }))
  const content = (copy: Record<string, unknown>, at = 0) =>
    (
      copy.blocks as {
        messages: { index: number }[]
        position: number
        path: string[]
        neighbours: object[]
      }[]
    )[at]
  change('a message of the namespace left out', all, (copy) => void content(copy)?.messages.pop())
  change('its messages in another order', all, (copy) => void content(copy)?.messages.reverse())
  change('a message at another place', all, (copy) => {
    const last = content(copy)?.messages.at(-1)
    if (last !== undefined) last.index += 1
  })
  change('another namespace claimed', all, (copy) => ({ ...copy, namespace: 'a' }))
  change('a block left out', all, (copy) => {
    ;(copy.headers as unknown[]).splice(1, 1)
    ;(copy.blocks as unknown[]).splice(1, 1)
  })
  change('fewer contents than headers', all, (copy) => void (copy.blocks as unknown[]).pop())
  const absent = there(await maker.namespace('b', { from: 1, count: 1 }))
  change('absence of a namespace that is a neighbour', absent, (copy) => ({ ...copy, namespace: 'chat' }))
  change('absence of a namespace beyond the neighbours', absent, (copy) => ({ ...copy, namespace: 'ß' }))
  change('absence with one neighbour of two', absent, (copy) => void content(copy)?.neighbours.pop())
  change('absence with another position', absent, (copy) => {
    const block = content(copy)
    if (block !== undefined) block.position += 1
  })
  change('absence with a longer path', absent, (copy) => void content(copy)?.path.push('00'.repeat(32)))

  const included = there(vectors.find(({ name }) => name === 'data "hello" after block 3')).proof as object
  const gone = there(vectors.find(({ name }) => name === 'data "absent" after block 3')).proof as {
    key: string
  }
  change('inclusion of another key', included, (copy) => ({ ...copy, key: gone.key }))
  const first = await finalHeaderOf(chain, 1)
  const second = await finalHeaderOf(chain, 2)
  change('inclusion against another root', included, (copy) => ({ ...copy, ...first }))
  change('absence of a key that is there', gone, (copy) => ({
    ...copy,
    key: (included as { key: string }).key,
  }))

  const lagging = await withLaggingState(chain, 1)
  const keyed = async (from: ProvenChain, data: string) =>
    there(await from.maker.trie(Buffer.from(dataKey(new TextEncoder().encode(data)), 'hex'), 3)) as object
  accept('data "hello", the state being of the block before', await keyed(lagging, 'hello'))
  accept('data of the block itself, absent from the state of the block before', await keyed(lagging, 'x'))
  const late = there(await lagging.maker.finality(there(ids[2]), { withTrie: true }))
  accept('a message with its data in the state of the block before', late)
  const { header, finalization } = late.trie as TrieProofJson
  change(
    'the nodes after the block itself, the state being of the block before',
    await keyed(chain, 'x'),
    (copy) => ({
      ...copy,
      header,
      finalization,
    }),
  )

  const headers = there(await maker.headers({ from: 1, count: 3 }))
  addForgedHeaders(chain, headers, plain, change)
  change('headers in another order', headers, (copy) => void (copy.headers as unknown[]).reverse())
  change('headers without one', headers, (copy) => void (copy.headers as unknown[]).splice(1, 1))
  change('headers without the last', headers, (copy) => void (copy.headers as unknown[]).pop())
  change('no headers', headers, (copy) => ({ ...copy, headers: [] }))

  const receipt = maker.receipt(ids)
  change('a receipt for one message less', receipt, (copy) => void (copy.ids as unknown[]).pop())
  change('a receipt of another time', receipt, (copy) => ({ ...copy, time: Number(copy.time) + 1 }))
  change('a receipt of another node', receipt, (copy) => ({
    ...copy,
    node: trust.genesis.validators[1]?.nodeKey,
  }))
  change('a receipt of a key of small order', receipt, (copy) => ({ ...copy, node: `01${'00'.repeat(31)}` }))

  const fork = { type: proofTypes.fork, first, second: await secondOf(chain) }
  accept('a fork', fork)
  change('a fork of one block', fork, (copy) => ({ ...copy, second: copy.first }))
  change('a fork of two heights', fork, (copy) => ({ ...copy, second: second }))

  const decided = builder.evidence(3)
  const written = (evidence: Evidence) => ({
    type: proofTypes.evidence,
    evidence: Buffer.from(encodeEvidence(evidence)).toString('base64'),
  })
  const withSecond = (second: Partial<Evidence['second']>) =>
    written({ ...decided, second: { ...decided.second, ...second } })
  accept('evidence of two notarize votes', written(decided))
  refuse('evidence against another validator', written({ ...decided, validator: 2 }))
  refuse('evidence against no validator', written({ ...decided, validator: 5 }))
  refuse('evidence with a signature of the other part', withSecond({ signature: decided.first.signature }))
  refuse('evidence of one vote twice', withSecond(decided.first))
  refuse('evidence in another order', written({ ...decided, first: decided.second, second: decided.first }))
  const nullify = Uint8Array.of(3, ...decided.first.bytes.subarray(1, 13))
  const signature = builder.signVote(3, 'nullify', nullify)
  refuse(
    'notarize and nullify, which an honest validator may sign',
    withSecond({ kind: 'nullify', bytes: nullify, signature }),
  )
  const finalize = Uint8Array.of(4, ...decided.first.bytes.subarray(1))
  const finalized = {
    kind: 'finalize' as const,
    bytes: finalize,
    signature: builder.signVote(3, 'finalize', finalize),
  }
  const nullified = { kind: 'nullify' as const, bytes: nullify, signature }
  accept(
    'evidence of finalize and nullify of one view',
    written({ ...decided, first: nullified, second: finalized }),
  )

  addPayloadPairs(chain, accept, refuse)

  const text = JSON.stringify(plain)
  refuse('a field twice', null, text.replace('{', '{"index":1,'))
  refuse('an unknown field', { ...plain, more: 1 })
  refuse('an integer with a fraction', null, text.replace('"index":0', '"index":0.0'))
  refuse('an integer with an exponent', null, text.replace('"index":0', '"index":0e0'))
  refuse('an integer as text', { ...plain, index: '0' })
  refuse('minus zero', null, text.replace('"index":0', '"index":-0'))
  refuse('hex in capitals', { ...plain, path: plain.path.map((hash) => hash.toUpperCase()) })
  refuse('base64 without padding', { ...plain, message: plain.message.replace(/=+$/, '') })
  refuse('base64 with a blank', { ...plain, message: `${plain.message} ` })
  refuse('a proof of another kind', { ...receipt, type: proofTypes.finality })
  refuse('base64 with bits that no byte takes', { ...plain, message: `${plain.message.slice(0, -2)}9=` })
  refuse('an escape that is not needed', null, text.replace('diseq', '\\u0064iseq'))
  refuse('an unknown type', { ...plain, type: 'diseq/2/finality-proof' })
  refuse('nothing', null)
  refuse('a list', [plain])
  return {
    about: 'Written by test/support/proof-vectors.ts; docs/proofs.md says what a verifier checks.',
    genesis: JSON.parse(chain.genesisText),
    genesisHash: trust.genesis.hash,
    vectors,
  }
}

/** What an honest validator never signs both of, and pairs that come near. */
function addPayloadPairs(
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

function addForgedFinalities(
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

/** Headers that a quorum signed, and that no honest one would. */
function addForgedHeaders(
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

/** Header and finalization of a block, in JSON. */
async function finalHeaderOf({ builder }: ProvenChain, height: number): Promise<object> {
  const { block, finalization } = await builder.readFinal(height)
  return finalHeaderJson({ header: block.header, finalization })
}

/** Another block of height 1 that a quorum signed as well. */
async function secondOf({ builder }: ProvenChain): Promise<object> {
  const { block } = await builder.readFinal(1)
  const header = { ...block.header, time: block.header.time + 1 }
  const blockId = Buffer.from(sha256(encodeHeader(header))).toString('hex') as BlockId
  const finalization = builder.certificate({ kind: 'finalize', height: 1, view: 1, blockId }, [0, 1, 3, 4])
  assert(finalization.kind === 'finalization')
  return finalHeaderJson({ header, finalization })
}

/** What a verifier of any language can say of it. */
export function summaryOf(proven: Proven): Readonly<Record<string, unknown>> {
  switch (proven.kind) {
    case 'finality': {
      const { id, index, block, trie } = proven
      const { signers, power } = block.finality
      const place = { id, index, height: block.header.height, time: block.time, signers, power }
      if (trie === undefined) return place
      const { height, stateHeight } = trie.block.header
      return { ...place, trieHeight: height, trieStateHeight: stateHeight }
    }
    case 'namespace':
      return {
        from: proven.blocks[0]?.header.height,
        to: proven.block.header.height,
        messages: proven.blocks.map(({ messages }) => messages.map(({ index, id }) => [index, id])),
      }
    case 'trie': {
      const { key, data, block } = proven
      return {
        key,
        data: data === undefined ? null : Buffer.from(data).toString('hex'),
        height: block.header.height,
        stateHeight: block.header.stateHeight,
      }
    }
    case 'headers':
      return { from: proven.headers[0]?.header.height, to: proven.block.header.height, id: proven.block.id }
    case 'receipt':
      return { node: proven.node, ids: proven.ids, validator: proven.validator ?? null }
    case 'evidence':
      return { validator: proven.validator, height: proven.height, conflict: proven.conflict }
    case 'fork':
      return { height: proven.first.header.height, signersOfBoth: proven.signersOfBoth }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(vectorsPath, `${JSON.stringify(await makeProofVectors(), null, 1)}\n`)
}
