// The verifier in a browser, as a page bundles it: proofs made by a running network, and all vectors. Needs a Chromium
// (Debian's `chromium`; CHROMIUM_PATH names another).
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import type * as Verifier from '../../src/proofs/index.ts'
import { aLocalNetwork } from '../support/local-network.ts'
import { type ProofVectors, vectorsPath } from '../support/proof-vectors.ts'

const candidates = [
  process.env.CHROMIUM_PATH ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]
const executablePath = candidates.find((path) => path !== '' && existsSync(path))
const skip = executablePath === undefined ? 'there is no Chromium' : false

/** What the bundle leaves in the page. */
declare const diseqVerify: typeof Verifier

async function bundleOf(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    globalName: 'diseqVerify',
    platform: 'browser',
    logLevel: 'silent',
  })
  return outputFiles[0]?.text ?? ''
}

interface Question {
  readonly genesis: string
  readonly proofs: readonly string[]
}

/** Runs in the page: for each proof what it proves, or the check that failed. */
function answer({ genesis, proofs }: Question): string[] {
  const trust = diseqVerify.trustGenesis(genesis)
  if (!trust.ok) return [trust.reason]
  return proofs.map((proof) => {
    const verdict = diseqVerify.verifyProof({ trust: trust.value, proof })
    return verdict.ok ? `proven: ${verdict.kind}` : verdict.reason
  })
}

test('a browser checks proofs as Node does', { skip, timeout: 120_000 }, async (t) => {
  const browser = await chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: ['--no-sandbox'],
  })
  t.after(() => browser.close())
  const page = await browser.newPage()
  await page.addScriptTag({ content: await bundleOf('../../src/proofs/index.ts') })

  await t.test('proofs made by a running network', async (t) => {
    const { client } = await aLocalNetwork(t)
    const data = new TextEncoder().encode('seen in a browser')
    const [state] = await client.send([{ data, namespace: 'page' }], { isFinalAwaited: true })
    assert(state?.height !== undefined)
    const finality = JSON.stringify(await client.proof(state.id, { withTrie: true }))
    const namespace = JSON.stringify(await client.namespaceProof('page', { from: 1, limit: 10 }))
    const forged = finality.replace('"index":0', '"index":1')
    const genesis = JSON.stringify(await client.genesis())
    const answers = await page.evaluate(answer, { genesis, proofs: [finality, namespace, forged] })
    assert.deepEqual(answers, ['proven: finality', 'proven: namespace', 'not-in-sequence'])
  })

  await t.test('every vector', async () => {
    const { genesis, vectors } = JSON.parse(readFileSync(vectorsPath, 'utf8')) as ProofVectors
    const proofs = vectors.map(({ proof, text }) => text ?? JSON.stringify(proof))
    const answers = await page.evaluate(answer, { genesis: JSON.stringify(genesis), proofs })
    for (const [at, { name, valid, refusal }] of vectors.entries()) {
      if (valid) assert.match(answers[at] ?? '', /^proven: /, name)
      else assert.equal(answers[at], refusal, name)
    }
  })
})
