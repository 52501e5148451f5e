// Whatever JSON arrives, the verifier answers; what has one meaning has one form.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  proofTypes,
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
import { evidenceJson, finalHeaderJson } from '../../../src/proofs/make.ts'
import { assertProven, chainOf, idsOf, type ProvenChain, there } from '../../support/proven-chain.ts'

const chain = await chainOf([['a', 'b', undefined], ['b']])
const other = await chainOf([['c']])

async function finalHeaderOf({ builder }: ProvenChain): Promise<object> {
  const { block, finalization } = await builder.readFinal(1)
  return finalHeaderJson({ header: block.header, finalization })
}

const { trust, maker } = chain
const proofs: readonly object[] = [
  there(await maker.finality(there((await idsOf(chain, 1))[0]), { withTrie: true })),
  there(await maker.namespace('b', { from: 1, count: 2 })),
  there(await maker.namespace('aa', { from: 1, count: 2 })),
  there(await maker.headers({ from: 1, count: 2 })),
  maker.receipt(await idsOf(chain, 1)),
  { type: proofTypes.fork, first: await finalHeaderOf(chain), second: await finalHeaderOf(other) },
  evidenceJson(chain.builder.evidence(1)),
]
const anyType = fc.constantFrom(...Object.values(proofTypes))

/** All doors of the verifier. */
const doors: readonly ((proof: unknown) => Verdict<object>)[] = [
  (proof) => verifyProof({ trust, proof }),
  (proof) => verifyFinality({ trust, proof }),
  (proof) => verifyNamespace({ trust, proof }),
  (proof) => verifyTrie({ trust, proof }),
  (proof) => verifyHeaders({ trust, proof }),
  (proof) => verifyFork({ trust, proof }),
  (receipt) => verifyReceipt({ trust, receipt }),
]

test('any JSON is answered', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      for (const verify of doors) {
        assert(!verify(value).ok)
        assert(!verify(JSON.stringify(value)).ok)
      }
      assert(!trustGenesis(JSON.stringify(value)).ok)
    }),
    { numRuns: 1_000 },
  )
  fc.assert(fc.property(fc.string(), (text) => assert(!verifyProof({ trust, proof: text }).ok)))
  fc.assert(fc.property(fc.string(), (text) => assert(!trustGenesis(text).ok)))
})

test('any JSON with the type of a proof, and any of its fields replaced, is answered', () => {
  const replaced = fc.tuple(fc.constantFrom(...proofs), fc.nat(), fc.jsonValue(), fc.option(anyType))
  fc.assert(
    fc.property(replaced, ([proof, place, value, type]) => {
      const copy = structuredClone(proof) as Record<string, unknown>
      if (type !== null) copy.type = type
      const places = placesOf(copy)
      const at = places[place % places.length]
      if (at !== undefined) Reflect.set(at.holder, at.name, value)
      const before = JSON.stringify(proof)
      const after = JSON.stringify(copy)
      assert.equal(verifyProof({ trust, proof: copy }).ok, before === after)
      for (const verify of doors) assert(!verify(copy).ok || before === after)
    }),
    { numRuns: 2_000 },
  )
})

test('any bytes in place of those of a header, certificate, message or evidence are answered', () => {
  const bytes = fc.uint8Array({ maxLength: 400 })
  const changed = fc.tuple(fc.constantFrom(...proofs), fc.nat(), fc.nat(), fc.nat(), bytes)
  fc.assert(
    fc.property(changed, ([proof, place, from, length, inserted]) => {
      const copy = structuredClone(proof)
      const places = placesOf(copy).filter(({ holder, name }) => isBase64(Reflect.get(holder, name)))
      const at = places[place % places.length]
      if (at === undefined) return
      const was = Buffer.from(Reflect.get(at.holder, at.name), 'base64')
      const start = from % (was.length + 1)
      // Some of its bytes by others: cut, grown or replaced.
      const end = start + (length % (was.length - start + 1))
      const now = Buffer.concat([was.subarray(0, start), inserted, was.subarray(end)])
      Reflect.set(at.holder, at.name, now.toString('base64'))
      assert.equal(verifyProof({ trust, proof: copy }).ok, now.equals(was))
    }),
    { numRuns: 3_000 },
  )
})

function isBase64(value: unknown): boolean {
  const isHex = typeof value === 'string' && /^[0-9a-f]*$/.test(value)
  return typeof value === 'string' && !isHex && Buffer.from(value, 'base64').toString('base64') === value
}

test('no text is nested too deep, too long or too crooked', () => {
  for (const text of [
    '['.repeat(1_000_000),
    `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`,
    '{"a":'.repeat(200_000),
    '"'.repeat(1_000_001),
    '"\\"'.repeat(300_000),
    `"${'\\"'.repeat(500_000)}"`,
    ' '.repeat(1_000_000),
    '1'.repeat(1_000_000),
    ' '.repeat(64 * 1024 * 1024 + 1),
    // JSON of the greatest length: one token, and as many as there can be.
    `"${'a'.repeat(64 * 1024 * 1024 - 2)}"`,
    `"${'\\n'.repeat(32 * 1024 * 1024 - 1)}"`,
    `[${' 0,'.repeat(21 * 1024 * 1024)} 0]`,
  ]) {
    const verdict = verifyProof({ trust, proof: text })
    assert.equal(verdict.ok ? 'accepted' : verdict.reason, 'malformed')
  }
})

test('a text has at most 64 Mi characters', () => {
  const text = JSON.stringify(proofs[0])
  const longest = text + ' '.repeat(64 * 1024 * 1024 - text.length)
  assertProven(verifyProof({ trust, proof: longest }))
  const verdict = verifyProof({ trust, proof: `${longest} ` })
  assert.equal(verdict.ok ? 'accepted' : verdict.reason, 'malformed')
})

test('blanks between tokens are free; doubled fields and other spellings of a value are not', () => {
  for (const proof of proofs) {
    const text = JSON.stringify(proof)
    assertProven(verifyProof({ trust, proof: JSON.stringify(proof, null, 2) }))
    assertProven(verifyProof({ trust, proof: `\r\n\t ${text}\n` }))
    const crooked = [
      text.replace('{', '{"type":"x",'),
      text.replace('{', `{"type":${JSON.stringify((proof as { type: string }).type)},`),
      text.replace('diseq', '\\u0064iseq'),
      text.replace('{', '{"more":1,'),
      text.replace('{', '{"__proto__":null,'),
      text.replace(/"(index|position|time)":(\d+)/, '"$1":$2.0'),
      text.replace(/"(index|position|time)":(\d+)/, '"$1":"$2"'),
      text.replace(/"(index|position|time)":(\d+)/, '"$1":-$2'),
      text.replace(/"(index|position|time)":(\d+)/, '"$1":[$2]'),
      text.replace(/"(index|position|time)":(\d+)/, '"$1":1e400'),
      text.replace(/"path":\[/, '"path":[null,'),
      text.replace(/"(header|message|finalization)":"([^"]+)"/, '"$1":"$2 "'),
      text.replace(/"(header|message|finalization)":"([^"]+)"/, '"$1":"$2===="'),
      text.replace(/([0-9a-f]{64})/, (hex) => hex.toUpperCase()),
      text.slice(0, -1),
      `${text}${text}`,
      `[${text}]`,
    ]
    for (const each of crooked.filter((changed) => changed !== text)) {
      assert(!verifyProof({ trust, proof: each }).ok, each.slice(0, 200))
    }
  }
})

test('a genesis has one meaning', () => {
  const text = chain.genesisText
  assert(trustGenesis(text).ok)
  assert(trustGenesis(JSON.stringify(JSON.parse(text), null, 7)).ok)
  const crooked = [
    text.replace('{', '{"chainId":"other",'),
    text.replace(/("power": )(\d+)/, '$19,$1$2'),
    text.replace(/("power": )(\d+)/, '$1$2.0'),
    text.replace(/("time": )(\d+)/, '$1$2e0'),
    text.replace('"test"', '"t\\u0065st"'),
    text.replace(/("power": )(\d+)/, '$1"$2"'),
    text.replace('{', '{"more":1,'),
    text.replace('{', '{"__proto__":{},'),
    text.replace(/[0-9a-f]{64}/, (hex) => hex.toUpperCase()),
    `${text}x`,
  ]
  for (const changed of crooked) {
    assert.notEqual(changed, text)
    assert(!trustGenesis(changed).ok, changed.slice(0, 100))
  }
})

/** Every field and entry below a value. */
function placesOf(value: unknown): { holder: object; name: string }[] {
  if (typeof value !== 'object' || value === null) return []
  const holder = value
  return Object.entries(holder).flatMap(([name, below]) => [{ holder, name }, ...placesOf(below)])
}
