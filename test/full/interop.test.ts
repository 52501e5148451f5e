// A verifier written in another language from docs/proofs.md alone says what ours says.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { aLocalNetwork } from '../support/local-network.ts'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))
const script = path('../interop/verify.py')
const scratch = mkdtempSync(join(tmpdir(), 'diseq-interop-'))
after(() => rmSync(scratch, { recursive: true }))

const isPythonThere = spawnSync('python3', ['--version']).status === 0
const options = { skip: isPythonThere ? false : 'python3 is not installed' }

function python(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('python3', [script, ...args], { encoding: 'utf8' })
  return { status, output: `${stdout}${stderr}` }
}

test('the verifier in Python agrees on every proof vector', options, () => {
  const { status, output } = python('--vectors', path('../vectors/proofs.json'))
  assert.equal(status, 0, output)
})

test(
  'it agrees on signatures with torsion, small orders and encodings that are not canonical',
  options,
  () => {
    const { status, output } = python('--signatures', path('../vectors/ed25519-strict.json'))
    assert.equal(status, 0, output)
  },
)

test('it checks the proofs of a running network', options, async (t) => {
  const { client, addresses } = await aLocalNetwork(t)
  const messages = ['one', 'two'].map((text) => ({ data: Buffer.from(text), namespace: 'interop' }))
  const [state] = await client.send(messages, { isFinalAwaited: true })
  assert(state?.height !== undefined)
  const genesis = join(scratch, 'genesis.json')
  writeFileSync(genesis, JSON.stringify(await client.genesis()))
  const reply = await fetch(`${addresses[0]}/v1/messages?receipt=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"data":"YQ=="}',
  })
  const { receipt } = (await reply.json()) as { receipt: unknown }
  const proofs = [
    await client.proof(state.id, { withTrie: true }),
    await client.namespaceProof('interop', { from: 1, limit: 10 }),
    await client.namespaceProof('interoq', { from: state.height }),
    await client.trieProof('00'.repeat(32)),
    await (await fetch(`${addresses[0]}/v1/headers?from=1`)).json(),
    receipt,
  ]
  for (const proof of proofs) {
    const file = join(scratch, 'proof.json')
    writeFileSync(file, JSON.stringify(proof))
    const { status, output } = python(genesis, file)
    assert.equal(status, 0, output)
  }
})
