// Known answers for verifiers in other languages: proofs of a made-up chain to accept, with what they prove, and forged
// ones to refuse, with the check that fails. `node test/support/proof-vectors.ts` writes test/vectors/proofs.json.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { encodeEvidence, encodeHeader } from '../../src/codec/index.ts'
import { sha256 } from '../../src/crypto/native/index.ts'
import { dataKey, type Proven, proofTypes, type TrieProofJson, verifyProof } from '../../src/proofs/index.ts'
import { finalHeaderJson } from '../../src/proofs/make.ts'
import type { BlockId, Evidence } from '../../src/types/index.ts'
import {
  addForgedFinalities,
  addForgedHeaders,
  addForgedTries,
  addPayloadPairs,
  type Change,
} from './forged-vectors.ts'
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

  addForgedTries({ included, gone, whole: proof }, change)
  const empty = there(await maker.namespace('b', { from: 2, count: 1 }))
  change('absence from a block without namespaces, with a path', empty, (copy) => {
    content(copy)?.path.push('00'.repeat(32))
  })
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

  const own = there(await lagging.maker.finality(there((await idsOf(chain, 3))[0])))
  const absentYet = await keyed(lagging, 'x')
  change('a message with the absence of its data from an earlier state', own, (copy) => ({
    ...copy,
    trie: absentYet,
  }))

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
