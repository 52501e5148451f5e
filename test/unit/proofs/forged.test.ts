// Forgeries, each refused by the check it fails, by name.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeCertificate, encodeHeader, genesisToJson, hexToBytes } from '../../../src/codec/index.ts'
import { sha256 } from '../../../src/crypto/native/index.ts'
import {
  type FinalityProofJson,
  genesisBlock,
  type NamespacePresentJson,
  type NamespaceProofJson,
  proofTypes,
  type Refusal,
  trustGenesis,
  type Verdict,
  verifyFinality,
  verifyFork,
  verifyHeaders,
  verifyNamespace,
  verifyProof,
  verifyReceipt,
  verifyTrie,
} from '../../../src/proofs/index.ts'
import { finalHeaderJson } from '../../../src/proofs/make.ts'
import type { BlockId, Certificate, Header, VoteBody } from '../../../src/types/index.ts'
import {
  assertProven,
  chainOf,
  idsOf,
  type ProvenChain,
  provenChain,
  there,
} from '../../support/proven-chain.ts'

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

function assertRefused(verdict: Verdict<object>, reason: Refusal): void {
  assert.equal(verdict.ok ? 'accepted' : verdict.reason, reason, verdict.ok ? '' : verdict.detail)
}

async function aProof(
  signers = [0, 1, 3],
): Promise<{ chain: ProvenChain; proof: FinalityProofJson; body: VoteBody }> {
  const chain = await chainOf([['a', 'b', 'a', undefined]], {}, { signers })
  const proof = there(await chain.maker.finality(there((await idsOf(chain, 1))[1])))
  const { block } = await chain.builder.readFinal(1)
  return { chain, proof, body: { kind: 'finalize', height: 1, view: 0, blockId: block.id } }
}

test('a quorum has to have signed, and every signature has to hold', async () => {
  const { chain, proof, body } = await aProof()
  const with_ = (certificate: Certificate) => ({
    ...proof,
    finalization: base64(encodeCertificate(certificate)),
  })
  const { builder, trust } = chain
  const check = (certificate: Certificate) => verifyFinality({ trust, proof: with_(certificate) })
  assertProven(check(builder.certificate(body, [1, 2, 3])))
  assertRefused(check(builder.certificate(body, [1, 3])), 'no-quorum')
  assertRefused(check(builder.certificate(body, [])), 'no-quorum')
  const honest = builder.certificate(body, [0, 1, 2, 3])
  const [first, second, third] = honest.signatures
  assert(first !== undefined && second !== undefined && third !== undefined)
  const swapped = [first, { ...second, signature: first.signature }, third]
  assertRefused(check({ ...honest, signatures: swapped }), 'bad-signature')
  assertRefused(
    check({ ...honest, signatures: [first, second, { ...third, validator: 9 }] }),
    'unknown-validator',
  )
  assertRefused(check({ ...honest, signatures: [first, first, second, third] }), 'bad-finalization')
  assertRefused(check({ ...honest, signatures: [second, first, third] }), 'bad-finalization')
})

test('only a finalization of this very block makes it final', async () => {
  const { chain, proof, body } = await aProof()
  const { builder, trust } = chain
  const check = (other: VoteBody) => {
    const finalization = base64(encodeCertificate(builder.certificate(other)))
    return verifyFinality({ trust, proof: { ...proof, finalization } })
  }
  assert(body.kind === 'finalize')
  assertRefused(check({ ...body, kind: 'notarize' }), 'bad-finalization')
  assertRefused(check({ kind: 'nullify', height: 1, view: 0 }), 'bad-finalization')
  assertRefused(check({ ...body, height: 2 }), 'other-height')
  assertRefused(check({ ...body, blockId: 'ab'.repeat(32) as BlockId }), 'other-block')
  assertProven(check({ ...body, view: 7 }))
})

test('notarize votes are no finalization, though their certificate is written as one', async () => {
  const { chain, proof, body } = await aProof()
  assert(body.kind === 'finalize')
  const notarization = chain.builder.certificate({ ...body, kind: 'notarize' })
  assert(notarization.kind === 'notarization')
  const finalization = base64(encodeCertificate({ ...notarization, kind: 'finalization' }))
  assertRefused(verifyFinality({ trust: chain.trust, proof: { ...proof, finalization } }), 'bad-signature')
})

test('power counts, not heads', async () => {
  const chain = await chainOf([['a']], { powers: [7, 1, 1, 1] }, { signers: [0] })
  const proof = there(await chain.maker.finality(there((await idsOf(chain, 1))[0])))
  assertProven(verifyFinality({ trust: chain.trust, proof }))
  const { block } = await chain.builder.readFinal(1)
  const body = { kind: 'finalize', height: 1, view: 0, blockId: block.id } as const
  const finalization = base64(encodeCertificate(chain.builder.certificate(body, [1, 2, 3])))
  assertRefused(verifyFinality({ trust: chain.trust, proof: { ...proof, finalization } }), 'no-quorum')
})

test('another chain proves nothing here, nor the same chain with other validators', async () => {
  const { chain, proof } = await aProof()
  const other = await provenChain({ chainId: 'other' })
  assertRefused(verifyFinality({ trust: other.trust, proof }), 'other-chain')
  const reseeded = await provenChain({ seed: 1 })
  assertRefused(verifyFinality({ trust: reseeded.trust, proof }), 'other-validators')
  // The same keys and name, begun at another time.
  const later = trustGenesis(genesisToJson({ ...chain.builder.genesis, time: 5 }), { sha256 })
  assert(later.ok)
  assertRefused(verifyFinality({ trust: later.value, proof }), 'bad-signature')
})

test('a message is proven at its one place only', async () => {
  const { chain, proof } = await aProof()
  const { trust } = chain
  const other = there(await chain.maker.finality(there((await idsOf(chain, 1))[2])))
  for (const index of [0, 2, 3, 4, 0xffff_ffff]) {
    assertRefused(verifyFinality({ trust, proof: { ...proof, index } }), 'not-in-sequence')
  }
  assertRefused(verifyFinality({ trust, proof: { ...proof, message: other.message } }), 'not-in-sequence')
  assertRefused(verifyFinality({ trust, proof: { ...proof, path: proof.path.slice(1) } }), 'not-in-sequence')
  assertRefused(
    verifyFinality({ trust, proof: { ...proof, path: [...proof.path, '00'.repeat(32)] } }),
    'not-in-sequence',
  )
  assertRefused(verifyFinality({ trust, proof, id: '00'.repeat(32) }), 'other-message')
  assertRefused(
    verifyFinality({ trust, proof: { ...proof, message: base64(hexToBytes('00')) } }),
    'bad-message',
  )
})

test('an inner node of the sequence tree is no message', async () => {
  const { chain, proof } = await aProof()
  // The parent of messages 0 and 1 as if it were one of two leaves.
  const [, upper] = proof.path
  const shorter = { ...proof, index: 0, path: [there(upper)] }
  assertRefused(verifyFinality({ trust: chain.trust, proof: shorter }), 'not-in-sequence')
})

test('no message of a namespace can be left out, added, moved or put in another order', async () => {
  const { chain } = await aProof()
  const proof = there(await chain.maker.namespace('a', { from: 1, count: 1 }))
  const other = there(await chain.maker.namespace('b', { from: 1, count: 1 }))
  const present = proof.blocks[0] as NamespacePresentJson
  const [first, second] = present.messages
  const foreign = (other.blocks[0] as NamespacePresentJson).messages[0]
  assert(first !== undefined && second !== undefined && foreign !== undefined)
  const check = (messages: readonly object[]) =>
    verifyNamespace({ trust: chain.trust, proof: { ...proof, blocks: [{ ...present, messages }] } })
  assertProven(check([first, second]))
  assertRefused(check([first]), 'not-in-namespaces')
  assertRefused(check([second]), 'not-in-namespaces')
  assertRefused(check([second, first]), 'out-of-order')
  assertRefused(check([first, first]), 'out-of-order')
  assertRefused(
    check([
      { ...second, index: 0 },
      { ...first, index: 2 },
    ]),
    'not-in-namespaces',
  )
  assertRefused(check([first, { ...second, index: 3 }]), 'not-in-namespaces')
  assertRefused(check([first, foreign, second]), 'other-namespace')
  assertRefused(check([]), 'malformed')
})

test('no namespace that is there can be shown as absent', async () => {
  const chain = await chainOf([['b', 'd', 'f']])
  const { trust, maker } = chain
  const absence = async (namespace: string) => there(await maker.namespace(namespace, { from: 1, count: 1 }))
  const honest = await absence('c')
  const claim = (proof: NamespaceProofJson, namespace: string) => ({ ...proof, namespace })
  assertProven(verifyProof({ trust, proof: honest }))
  // Neighbours that are not next to each other, or on the wrong side, or one of two.
  assertRefused(verifyProof({ trust, proof: claim(honest, 'd') }), 'not-between')
  assertRefused(verifyProof({ trust, proof: claim(honest, 'e') }), 'not-between')
  assertRefused(verifyProof({ trust, proof: claim(await absence('a'), 'd') }), 'not-between')
  assertRefused(verifyProof({ trust, proof: claim(await absence('g'), 'd') }), 'not-between')
  const changed = (change: object) => ({ ...honest, blocks: [{ ...honest.blocks[0], ...change }] })
  const [b, d] = (honest.blocks[0] as unknown as { neighbours: object[] }).neighbours
  assertRefused(verifyProof({ trust, proof: changed({ neighbours: [b] }) }), 'not-between')
  assertRefused(verifyProof({ trust, proof: changed({ neighbours: [d, b] }) }), 'not-between')
  assertRefused(verifyProof({ trust, proof: changed({ position: 2 }) }), 'other-neighbours')
  assertRefused(verifyProof({ trust, proof: changed({ position: 0 }) }), 'not-between')
  assertRefused(verifyProof({ trust, proof: changed({ position: 0, neighbours: [d] }) }), 'other-neighbours')
  assertRefused(verifyProof({ trust, proof: changed({ position: 3, neighbours: [b] }) }), 'other-neighbours')
  assertRefused(verifyProof({ trust, proof: changed({ position: 4, neighbours: [b] }) }), 'not-between')
  assertRefused(verifyProof({ trust, proof: changed({ path: [] }) }), 'other-neighbours')
})

test('leaves that enclose a name but have another between them do not show its absence', async () => {
  const chain = await chainOf([['b', 'd', 'f']])
  const { trust, maker } = chain
  const b = there(await maker.namespace('a', { from: 1, count: 1 })).blocks[0] as unknown as {
    neighbours: object[]
  }
  const f = there(await maker.namespace('g', { from: 1, count: 1 })).blocks[0] as unknown as {
    neighbours: object[]
    path: string[]
  }
  const proof = there(await maker.namespace('c', { from: 1, count: 1 }))
  for (const path of [[], f.path, [...f.path, ...f.path]]) {
    const forged = { position: 1, neighbours: [...b.neighbours, ...f.neighbours], path }
    assertRefused(
      verifyProof({ trust, proof: { ...proof, namespace: 'd', blocks: [forged] } }),
      'other-neighbours',
    )
  }
})

test('a range skips no block, and is of the heights that were asked for', async () => {
  const chain = await chainOf([['a'], ['b'], ['a']])
  const { trust, maker } = chain
  const proof = there(await maker.namespace('a', { from: 1, count: 3 }))
  const without = <T>(items: readonly T[]): T[] => items.filter((_, at) => at !== 1)
  const gap = { ...proof, headers: without(proof.headers), blocks: without(proof.blocks) }
  assertRefused(verifyProof({ trust, proof: gap }), 'broken-link')
  assertRefused(verifyProof({ trust, proof: { ...proof, blocks: proof.blocks.slice(1) } }), 'malformed')
  assertRefused(verifyNamespace({ trust, proof, from: 2 }), 'other-range')
  assertRefused(verifyNamespace({ trust, proof, from: 1, to: 2 }), 'other-range')
  assertRefused(verifyNamespace({ trust, proof, namespace: 'b' }), 'other-namespace')
  assertProven(verifyNamespace({ trust, proof, namespace: 'a', from: 1, to: 3 }))
})

test('headers have to link, to go on from the trusted one, and the last to be final itself', async () => {
  const chain = await chainOf([['a'], ['b'], ['c']])
  const { trust, maker } = chain
  const proof = there(await maker.headers({ from: 1, count: 3 }))
  const trusted = genesisBlock(trust)
  assertProven(verifyHeaders({ trust, proof, trusted }))
  const [first, second, third] = proof.headers
  const with_ = (headers: readonly (string | undefined)[]) => ({ ...proof, headers })
  assertRefused(verifyHeaders({ trust, proof: with_([first, third]) }), 'broken-link')
  assertRefused(verifyHeaders({ trust, proof: with_([third, second, first]) }), 'broken-link')
  assertRefused(verifyHeaders({ trust, proof: with_([first, second]) }), 'other-height')
  assertRefused(verifyHeaders({ trust, proof: with_([]) }), 'malformed')
  assertRefused(verifyHeaders({ trust, proof: with_([second, third]), trusted }), 'not-after-trusted')
  const other = { ...trusted, id: 'ab'.repeat(32) as BlockId }
  assertRefused(verifyHeaders({ trust, proof, trusted: other }), 'not-after-trusted')
  assertRefused(verifyHeaders({ trust, proof, from: 2 }), 'other-range')
  assertRefused(verifyHeaders({ trust, proof, from: 1, to: 2 }), 'other-range')
  assertProven(verifyHeaders({ trust, proof, from: 1, to: 3 }))
  const { time } = (await chain.builder.readFinal(1)).block.header
  assertProven(verifyHeaders({ trust, proof, trusted: { ...trusted, time: time - 1 } }))
  for (const later of [time, time + 1, Number.MAX_SAFE_INTEGER]) {
    const verdict = verifyHeaders({ trust, proof, trusted: { ...trusted, time: later } })
    assertRefused(verdict, 'time-goes-back')
  }
})

/** A block of the height of block 1 that all validators signed as well. */
async function secondBlock({ builder }: ProvenChain, change: Partial<Header>) {
  const { block } = await builder.readFinal(1)
  const header = { ...block.header, ...change }
  const blockId = Buffer.from(sha256(encodeHeader(header))).toString('hex') as BlockId
  const finalization = builder.certificate(
    { kind: 'finalize', height: header.height, view: 0, blockId },
    [0, 1, 2],
  )
  assert(finalization.kind === 'finalization')
  return { header, finalization }
}

test('two final blocks of one height are shown to be two, and by whom', async () => {
  const chain = await chainOf([['a']], {}, { signers: [1, 2, 3] })
  const { block, finalization } = await chain.builder.readFinal(1)
  const first = finalHeaderJson({ header: block.header, finalization })
  const check = (second: object) =>
    verifyFork({ trust: chain.trust, proof: { type: proofTypes.fork, first, second } })
  const fork = check(finalHeaderJson(await secondBlock(chain, { time: block.header.time + 1 })))
  assertProven(fork)
  assert.deepEqual(fork.signersOfBoth, [1, 2])
  assertRefused(check(first), 'same-block')
  assertRefused(check(finalHeaderJson(await secondBlock(chain, { height: 2 }))), 'two-heights')
  const changed = finalHeaderJson(await secondBlock(chain, { chainId: 'x' }))
  assertRefused(check(changed), 'other-chain')
})

test('a trie proof is of its key, and its root of a final header', async () => {
  const chain = await chainOf([['a'], ['b']])
  const { trust, maker } = chain
  const id = there((await idsOf(chain, 1))[0])
  const whole = there(await maker.finality(id, { withTrie: true }))
  const trie = there(whole.trie)
  assertRefused(verifyTrie({ trust, proof: { ...trie, key: '00'.repeat(32) } }), 'not-in-trie')
  assertRefused(verifyTrie({ trust, proof: trie, key: '00'.repeat(32) }), 'other-key')
  assertRefused(verifyTrie({ trust, proof: { ...trie, type: proofTypes.fork } }), 'other-type')
  assertRefused(verifyTrie({ trust, proof: trie, height: 1 }), 'other-range')
  assertProven(verifyTrie({ trust, proof: trie, height: 2 }))
  const older = there(await maker.headers({ from: 1, count: 1 }))
  const moved = { ...trie, header: older.headers[0], finalization: older.finalization }
  assertRefused(verifyTrie({ trust, proof: moved }), 'not-in-trie')
  const absent = await maker.trie(new Uint8Array(32))
  assert(typeof absent === 'object')
  assertProven(verifyTrie({ trust, proof: absent }))
  assertRefused(verifyTrie({ trust, proof: { ...absent, key: trie.key } }), 'not-absent')
  assertRefused(verifyFinality({ trust, proof: { ...whole, trie: absent } }), 'other-key')
})

test('a receipt is of one node', async () => {
  const chain = await chainOf([['a']])
  const { trust } = chain
  const receipt = chain.maker.receipt(await idsOf(chain, 1))
  const [, other] = chain.builder.genesis.validators
  assertProven(verifyReceipt({ trust, receipt }))
  assertRefused(verifyReceipt({ trust, receipt, node: there(other).nodeKey }), 'bad-node-key')
  assertRefused(
    verifyReceipt({ trust, receipt: { ...receipt, node: there(other).nodeKey } }),
    'bad-signature',
  )
  assertRefused(verifyReceipt({ trust, receipt: { ...receipt, node: '00'.repeat(32) } }), 'bad-node-key')
  assertRefused(verifyReceipt({ trust, receipt: { ...receipt, finalHeight: 0 } }), 'bad-signature')
})
