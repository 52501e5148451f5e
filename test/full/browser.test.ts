// Verifier and clients in a browser, as a page bundles them: proofs made by a running network, and all vectors. Needs a Chromium
// (Debian's `chromium`; CHROMIUM_PATH names another).
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type * as Clients from '../../src/client/index.ts'
import type * as Light from '../../src/light/index.ts'
import type * as Verifier from '../../src/proofs/index.ts'
import { aLocalNetwork } from '../support/local-network.ts'
import { type ProofVectors, vectorsPath } from '../support/proof-vectors.ts'

/** What is used of playwright-core. Its own types name those of the DOM, which nothing else here knows. */
interface Page {
  goto(url: string): Promise<unknown>
  addScriptTag(options: { content: string }): Promise<unknown>
  evaluate<A, R>(run: (argument: A) => R, argument: A): Promise<Awaited<R>>
  evaluate(script: string, argument: undefined): Promise<unknown>
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

/** What the bundles leave in the page. */
declare const diseqVerify: typeof Verifier
declare const diseqClients: typeof Clients & typeof Light

async function bundleOf(globalName: string, ...rooms: readonly string[]): Promise<string> {
  const contents = rooms.map((room) => `export * from './${room}/index.ts'`).join('\n')
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('../../src', import.meta.url)) },
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    globalName,
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

interface Errand {
  readonly genesis: string
  readonly nodes: readonly string[]
}

/** Runs in the page: sends, waits, streams, and follows without trust. */
async function runClients({ genesis, nodes }: Errand): Promise<object> {
  const { Client, LightClient, VerifiedClient, trustGenesis } = diseqClients
  const trusted = trustGenesis(genesis)
  if (!trusted.ok) return trusted
  const trust = trusted.value
  const client = new Client({ nodes })
  const data = new TextEncoder().encode('sent by a page')
  const [sent] = await client.send([{ data, namespace: 'sent' }])
  const id = sent?.id ?? ''
  const { state, height } = await client.wait(id)
  const streamed = await client.stream({ from: 1, namespace: 'sent' }).next()
  const verified = new VerifiedClient({ trust, nodes })
  const proven = await verified.wait(id)
  const receipt = await verified.send([{ data, namespace: 'again' }])
  const light = new LightClient({ trust, nodes })
  const headers = await light.nextHeaders()
  return {
    state,
    isStreamed: streamed.value?.height === height,
    isProven: proven.block.header.height === height,
    receiptIds: receipt.ids.length,
    isFollowed: headers.some((header) => header.header.height === height),
  }
}

test('a browser checks proofs as Node does', { skip, timeout: 120_000 }, async (t) => {
  const browser = await chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: browserArgs,
  })
  t.after(() => browser.close())
  const page = await browser.newPage()
  await page.addScriptTag({ content: await bundleOf('diseqVerify', 'proofs') })

  await t.test('proofs made by a running network', async (t) => {
    const { client } = await aLocalNetwork(t)
    const data = new TextEncoder().encode('seen in a browser')
    const [state] = await client.send([{ data, namespace: 'page' }], { isFinalAwaited: true })
    assert(state?.height !== undefined)
    const finality = JSON.stringify(await client.proof(state.id, { withTrie: true }))
    const namespace = JSON.stringify(await client.namespaceProof('page', { from: 1, limit: 10 }))
    const trie = JSON.stringify(await client.trieProof('00'.repeat(32)))
    const forged = finality.replace('"index":0', '"index":1')
    const genesis = JSON.stringify(await client.genesis())
    const answers = await page.evaluate(answer, { genesis, proofs: [finality, namespace, trie, forged] })
    assert.deepEqual(answers, ['proven: finality', 'proven: namespace', 'proven: trie', 'not-in-sequence'])
  })

  await t.test(
    'a page sends, waits, streams and follows without trust, past a node that is down',
    async (t) => {
      const { client, addresses } = await aLocalNetwork(t)
      const [node = ''] = addresses
      const own = await browser.newPage()
      // Of the node's own origin: others have to be allowed by its operator.
      await own.goto(`${node}/health/live`)
      await own.evaluate(await bundleOf('diseqClients', 'client', 'light'), undefined)
      const genesis = JSON.stringify(await client.genesis())
      const done = await own.evaluate(runClients, { genesis, nodes: ['http://127.0.0.1:1', node] })
      assert.deepEqual(done, {
        state: 'final',
        isStreamed: true,
        isProven: true,
        receiptIds: 1,
        isFollowed: true,
      })
    },
  )

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
