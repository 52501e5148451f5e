// The verifier in a browser, as a page bundles it: proofs made by a running network, and all vectors. Needs a Chromium
// (Debian's `chromium`; CHROMIUM_PATH names another).
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type * as Verifier from '../../src/proofs/index.ts'
import { aLocalNetwork } from '../support/local-network.ts'
import { type ProofVectors, vectorsPath } from '../support/proof-vectors.ts'

/** What is used of playwright-core. Its own types name those of the DOM, which nothing else here knows. */
interface Page {
  addScriptTag(options: { content: string }): Promise<unknown>
  evaluate<A, R>(run: (argument: A) => R, argument: A): Promise<R>
}
interface Browser {
  newPage(): Promise<Page>
  close(): Promise<void>
}
interface Playwright {
  readonly chromium: {
    launch(options: { executablePath?: string; args: readonly string[] }): Promise<Browser>
  }
}
const { chromium } = createRequire(import.meta.url)('playwright-core') as Playwright

/** No sandbox for root, and no calls home. */
const browserArgs = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

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
    args: browserArgs,
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
