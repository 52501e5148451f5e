// Every single-bit change of a proof's text is refused, exhaustively; and so is one of the genesis, and of a claim.
// A proof holds header, certificate and all else in its text, so this is every bit of those as well.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256, verifySignature } from '../../../src/crypto/native/index.ts'
import {
  type Trust,
  trustGenesis,
  type Verdict,
  verifyNamespace,
  verifyProof,
} from '../../../src/proofs/index.ts'
import { assertProven, chainOf, idsOf, type ProvenChain, there } from '../../support/proven-chain.ts'

async function aChain(): Promise<ProvenChain> {
  return chainOf([['b', 'd', undefined], ['b'], []], {}, { signers: [0, 1, 3] })
}

type Check = (proof: string) => Verdict<object>

function assertEveryBitCounts(
  trust: Trust,
  proof: object | undefined,
  check: Check = (text) => verifyProof({ trust, proof: text }),
): void {
  const text = JSON.stringify(proof)
  assertProven(check(text))
  const bytes = Buffer.from(text)
  for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
    const at = bit >> 3
    const was = bytes[at] ?? 0
    bytes[at] = was ^ (1 << (bit & 7))
    // Bytes that are no UTF-8 become U+FFFD, as wherever a text is read.
    const verdict = check(bytes.toString('utf8'))
    assert(!verdict.ok, `bit ${bit & 7} of byte ${at}: ${bytes.toString('utf8', at - 30, at + 30)}`)
    bytes[at] = was
  }
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

test('with a bit of genesis changed no proof verifies', async () => {
  const chain = await chainOf([['a']], { validatorCount: 1 })
  const id = there((await idsOf(chain, 1))[0])
  const proof = await chain.maker.finality(id)
  const text = JSON.stringify(JSON.parse(chain.genesisText))
  const bytes = Buffer.from(text)
  // One bit of every byte: each costs the check of all keys.
  for (let bit = 0; bit < 8 * bytes.length; bit += 9) {
    const at = bit >> 3
    const was = bytes[at] ?? 0
    bytes[at] = was ^ (1 << (bit & 7))
    const trust = trustGenesis(bytes.toString('utf8'), { sha256, verifySignature })
    const verdict = trust.ok ? verifyProof({ trust: trust.value, proof }) : undefined
    assert(verdict?.ok !== true, `bit ${bit & 7} of byte ${at}: ${bytes.toString('utf8', at - 30, at + 30)}`)
    bytes[at] = was
  }
})
