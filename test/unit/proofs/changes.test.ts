// Every single-bit change of a proof is refused, exhaustively: of its text, of what its text stands for (header,
// certificate, message, path …), of the genesis, and of what the caller claims.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodePoolCommitmentBody, encodeProposalBody, encodeVoteBody } from '../../../src/codec/index.ts'
import { sha256, verifySignature } from '../../../src/crypto/native/index.ts'
import {
  dataKey,
  genesisBlock,
  proofTypes,
  type Trust,
  trustGenesis,
  type Verdict,
  verifyFinality,
  verifyHeaders,
  verifyNamespace,
  verifyProof,
  verifyReceipt,
  verifyTrie,
} from '../../../src/proofs/index.ts'
import { evidenceJson, finalHeaderJson } from '../../../src/proofs/make.ts'
import { type Conflict, makeEvidence } from '../../../src/sequencing/index.ts'
import type { BatchId, BlockId, SignedKind, SignedPayload } from '../../../src/types/index.ts'
import { bitFlips, forEachBitChange } from '../../support/bit-changes.ts'
import type { ChainBuilder } from '../../support/chain-builder.ts'
import { assertProven, chainOf, idsOf, type ProvenChain, there } from '../../support/proven-chain.ts'

async function aChain(): Promise<ProvenChain> {
  return chainOf([['b', 'd', undefined], ['b'], []], {}, { signers: [0, 1, 3] })
}

type Check = (proof: unknown) => Verdict<object>

function assertEveryBitCounts(
  trust: Trust,
  proof: object | undefined,
  check: Check = (changed) => verifyProof({ trust, proof: changed }),
): void {
  const text = JSON.stringify(proof)
  assertProven(check(text))
  const bytes = Buffer.from(text)
  for (const { at, bit } of bitFlips(bytes)) {
    // Bytes that are no UTF-8 become U+FFFD, as wherever a text is read.
    const verdict = check(bytes.toString('utf8'))
    assert(!verdict.ok, `bit ${bit} of byte ${at}: ${bytes.toString('utf8', at - 30, at + 30)}`)
  }
  assertEveryBitOfValueCounts(JSON.parse(text) as object, check)
}

function assertEveryBitOfValueCounts(value: object, check: Check): void {
  assertProven(check(value))
  const count = forEachBitChange(value, (where) => assert(!check(value).ok, where))
  assert(count > JSON.stringify(value).length)
  assertProven(check(value))
}

test('every bit of a finality proof counts', async () => {
  const chain = await aChain()
  const id = there((await idsOf(chain, 1))[1])
  assertEveryBitCounts(chain.trust, await chain.maker.finality(id))
})

test('every bit of a trie proof counts, of inclusion and of absence', async () => {
  // One validator: what is signed is the other tests' matter.
  const chain = await chainOf([['a', 'b']], { validatorCount: 1 })
  const id = there((await idsOf(chain, 1))[0])
  const { trie } = there(await chain.maker.finality(id, { withTrie: true }))
  assertEveryBitCounts(chain.trust, trie)
  const absence = await chain.maker.trie(new Uint8Array(32).fill(0x81))
  assert(typeof absence === 'object')
  assertEveryBitCounts(chain.trust, absence)
})

test('every bit of a trie proof counts within the finality proof that brings it', async () => {
  const chain = await chainOf([['a', 'b'], ['c']], { validatorCount: 1 })
  const id = there((await idsOf(chain, 1))[0])
  const proof = there(await chain.maker.finality(id, { withTrie: true }))
  assertEveryBitOfValueCounts(structuredClone(proof), (changed) =>
    verifyProof({ trust: chain.trust, proof: changed }),
  )
})

test('every bit of a namespace proof counts: present; absent before, between, after, and from an empty block', async () => {
  // One validator, for small proofs: what signatures count for is the other tests' matter.
  const { trust, maker } = await chainOf([['b', 'd', undefined], []], { validatorCount: 1 })
  const cases = [
    ['b', 1, 2],
    ['a', 1, 1],
    ['c', 1, 1],
    ['e', 1, 1],
    ['b', 2, 1],
  ] as const
  for (const [namespace, from, count] of cases) {
    // What shows that "a" is absent shows the same of its neighbour "`": the claim is part of what is checked.
    const check: Check = (proof) => verifyNamespace({ trust, proof, namespace })
    assertEveryBitCounts(trust, await maker.namespace(namespace, { from, count }), check)
  }
})

test('every bit of a header chain and of a receipt counts', async () => {
  const chain = await aChain()
  assertEveryBitCounts(chain.trust, await chain.maker.headers({ from: 1, count: 2 }))
  assertEveryBitCounts(chain.trust, chain.maker.receipt(await idsOf(chain, 1)))
})

test('every bit of a fork counts', async () => {
  const one = await chainOf([['a']], { validatorCount: 1 })
  const other = await chainOf([['b']], { validatorCount: 1 })
  const [first, second] = await Promise.all(
    [one, other].map(async ({ builder }) => {
      const { block, finalization } = await builder.readFinal(1)
      return finalHeaderJson({ header: block.header, finalization })
    }),
  )
  assertEveryBitCounts(one.trust, { type: proofTypes.fork, first, second })
})

/** One pair of signed payloads for each way to contradict oneself. */
function payloadsOf(builder: ChainBuilder): Record<Conflict, readonly [SignedPayload, SignedPayload]> {
  const place = { height: 1, view: 2 }
  const blockId = (digit: string) => digit.repeat(64) as BlockId
  const signed = (kind: SignedKind, bytes: Uint8Array): SignedPayload => ({
    kind,
    bytes,
    signature: builder.signVote(1, kind, bytes),
  })
  const vote = (kind: 'notarize' | 'finalize', digit: string) =>
    signed(kind, encodeVoteBody({ kind, ...place, blockId: blockId(digit) }))
  const proposal = (digit: string) =>
    signed('proposal', encodeProposalBody({ ...place, blockId: blockId(digit) }))
  const commitment = (receivedAt: number) => {
    const entries = [{ batchId: 'ab'.repeat(32) as BatchId, receivedAt }]
    return signed('pool-commitment', encodePoolCommitmentBody({ height: 1, time: 9, entries }))
  }
  return {
    notarizes: [vote('notarize', 'a'), vote('notarize', 'b')],
    finalizes: [vote('finalize', 'a'), vote('finalize', 'b')],
    proposals: [proposal('a'), proposal('b')],
    'pool-commitments': [commitment(1), commitment(2)],
    'finalize-and-nullify': [
      vote('finalize', 'a'),
      signed('nullify', encodeVoteBody({ kind: 'nullify', ...place })),
    ],
  }
}

test('every bit of evidence counts, of each way to contradict oneself', async () => {
  const { builder, trust } = await chainOf([], { validatorCount: 2 })
  for (const [conflict, payloads] of Object.entries(payloadsOf(builder))) {
    const proof = evidenceJson(there(makeEvidence({ validator: 1, payloads })))
    const verdict = verifyProof({ trust, proof })
    assertProven(verdict)
    assert(verdict.kind === 'evidence' && verdict.conflict === conflict)
    assertEveryBitCounts(trust, proof)
  }
})

test('every bit of what the caller claims counts', async () => {
  const chain = await chainOf([['b', 'd'], ['b']], { validatorCount: 1 })
  const { trust, maker } = chain
  const id = there((await idsOf(chain, 1))[0])
  const key = dataKey(new TextEncoder().encode('block 1 message 0'))
  const node = there(trust.genesis.validators[0]).nodeKey
  const finality = await maker.finality(id)
  const trie = await maker.trie(Buffer.from(key, 'hex'))
  const receipt = maker.receipt([id])
  const headers = await maker.headers({ from: 1, count: 2 })
  const namespace = await maker.namespace('b', { from: 1, count: 2 })
  const { height, id: blockId } = genesisBlock(trust)
  assertClaimCounts({ id }, (claim) => verifyFinality({ trust, proof: finality, ...claim }))
  assertClaimCounts({ key, height: 2 }, (claim) => verifyTrie({ trust, proof: trie, ...claim }))
  assertClaimCounts({ node }, (claim) => verifyReceipt({ trust, receipt, ...claim }))
  assertClaimCounts({ from: 1, to: 2 }, (claim) => verifyHeaders({ trust, proof: headers, ...claim }))
  assertClaimCounts({ height, id: blockId }, (claim) =>
    verifyHeaders({ trust, proof: headers, trusted: { ...claim, time: trust.genesis.time } }),
  )
  assertClaimCounts({ namespace: 'b', from: 1, to: 2 }, (claim) =>
    verifyNamespace({ trust, proof: namespace, ...claim }),
  )
})

function assertClaimCounts<T extends object>(claim: T, check: (claim: T) => Verdict<object>): void {
  assertProven(check(claim))
  const count = forEachBitChange(claim, (where) => assert(!check(claim).ok, where))
  assert(count > 100)
}

test('with a bit of genesis changed no proof verifies', async () => {
  const chain = await chainOf([['a']], { validatorCount: 1 })
  const id = there((await idsOf(chain, 1))[0])
  const proof = await chain.maker.finality(id)
  const isProvenBy = (genesis: string): boolean => {
    const trust = trustGenesis(genesis, { sha256, verifySignature })
    return trust.ok && verifyProof({ trust: trust.value, proof }).ok
  }
  const value = JSON.parse(chain.genesisText) as object
  assert(isProvenBy(JSON.stringify(value)))
  const bytes = Buffer.from(JSON.stringify(value))
  for (const { at, bit } of bitFlips(bytes)) {
    const where = `bit ${bit} of byte ${at}: ${bytes.toString('utf8', at - 30, at + 30)}`
    assert(!isProvenBy(bytes.toString('utf8')), where)
  }
  const count = forEachBitChange(value, (where) => assert(!isProvenBy(JSON.stringify(value)), where))
  assert(count > bytes.length)
})
