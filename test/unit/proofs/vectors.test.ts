// The vectors that verifiers of other languages are held to are what this one says.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { genesisToJson } from '../../../src/codec/index.ts'
import { trustGenesis, verifyProof } from '../../../src/proofs/index.ts'
import type { Genesis } from '../../../src/types/index.ts'
import { type ProofVectors, summaryOf, vectorsPath } from '../../support/proof-vectors.ts'

const { genesis, genesisHash, vectors } = JSON.parse(readFileSync(vectorsPath, 'utf8')) as ProofVectors

test('every vector is accepted or refused as it says, and proves what it says', () => {
  const trust = trustGenesis(genesisToJson(genesis as Genesis))
  assert(trust.ok)
  assert.equal(trust.value.genesis.hash, genesisHash)
  for (const { name, proof, text, valid, proves, refusal } of vectors) {
    const verdict = verifyProof({ trust: trust.value, proof: text ?? JSON.stringify(proof) })
    assert.equal(verdict.ok, valid, name)
    if (!verdict.ok) assert.equal(verdict.reason, refusal, name)
    else assert.deepEqual(JSON.parse(JSON.stringify(summaryOf(verdict))), proves, name)
  }
})
