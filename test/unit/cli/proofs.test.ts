import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runCli } from '../../../src/cli/program.ts'
import type { Terminal } from '../../../src/cli/terminal.ts'
import { dataKey } from '../../../src/proofs/index.ts'
import { aMessage } from '../../support/chain-builder.ts'
import { ChainNode, fetchOf } from '../../support/chain-node.ts'
import { chainOf, idsOf, there } from '../../support/proven-chain.ts'

const scratch = mkdtempSync(join(tmpdir(), 'diseq-proofs-'))
after(() => rmSync(scratch, { recursive: true }))

const chain = await chainOf([['a', undefined], [], ['a']])
const forked = await chainOf([['a', undefined], [], ['b'], []])
const nodes = ['http://a', 'http://fork']
globalThis.fetch = fetchOf({ 'http://a': new ChainNode(chain), 'http://fork': new ChainNode(forked) })
const genesis = join(scratch, 'genesis.json')
writeFileSync(genesis, chain.genesisText)
const id = there((await idsOf(chain, 1))[0])

async function run(args: readonly string[], input = '') {
  const out: string[] = []
  const err: string[] = []
  const terminal: Terminal = {
    env: { DISEQ_NODE: 'http://a' },
    print: (line) => out.push(line),
    note: (line) => err.push(line),
    progress: () => undefined,
    async *input() {
      yield new TextEncoder().encode(input)
    },
    untilStopped: () => ({ signal: new Promise(() => undefined), insisted: new Promise(() => undefined) }),
  }
  const code = await runCli(args, terminal)
  return { code, out: out.join('\n'), err: err.join('\n') }
}

async function proofOf(...args: string[]): Promise<string> {
  const { code, out, err } = await run(['proof', '--node', 'http://a', ...args])
  assert.equal(code, 0, err)
  return out
}

test('a proof is fetched, and verified offline in words', async () => {
  const file = join(scratch, 'proof.json')
  writeFileSync(file, await proofOf(id, '--trie'))
  const { code, out } = await run(['verify', '--genesis', genesis, file])
  assert.equal(code, 0)
  assert.match(out, /^proven +the message is final: message 0 of 2 in block 1$/m)
  assert.match(out, /^data +"block 1 message 0"$/m)
  assert.match(out, /^final by +v0 \(1\), v1 \(1\), v2 \(1\), v3 \(1\): power 4 of 4, a quorum being 3$/m)
  assert.match(out, /^time +\d{4}-\d\d-\d\d .* \(1700000001000\)$/m)
  assert.match(out, /^trie +its data is in it after block 3$/m)
})

test('a proof that does not hold exits 1 with the check that failed', async () => {
  const proof = (await proofOf(id)).replace('"index":0', '"index":1')
  const { code, out, err } = await run(['verify', '--genesis', genesis, '-'], proof)
  assert.deepEqual([code, out], [1, ''])
  assert.equal(err, 'diseq: -: refused, not-in-sequence: the message is not at this place of the block')
  const json = await run(['verify', '--genesis', genesis, '--json', '-'], proof)
  assert.equal(JSON.parse(json.out).reason, 'not-in-sequence')
  assert.equal((await run(['verify', '--genesis', genesis, '-'], '{}')).code, 1)
})

test('what strangers wrote draws no lines and moves no cursor', async () => {
  const namespace = 'x\nproven  all is well\u001b[2J\u202e\u2028'
  const strange = await chainOf([[namespace]])
  await strange.builder.addBlock({ messages: [aMessage('\u202efed')] })
  const first = JSON.stringify(await strange.maker.finality(there((await idsOf(strange, 1))[0])))
  const second = JSON.stringify(await strange.maker.finality(there((await idsOf(strange, 2))[0])))
  const whole = JSON.stringify(await strange.maker.namespace(namespace, { from: 1, count: 1 }))
  const broken = '{"\u001b[2J\u009b\u202e": no}'
  for (const proof of [first, second, whole, broken]) {
    const { out, err } = await run(['verify', '--genesis', genesis, '-'], proof)
    assert.doesNotMatch(`${out}${err}`.replaceAll('\n', ''), /[\p{Cc}\u2028-\u202e]/u)
    assert((out.match(/^proven /gm) ?? []).length <= 1, out)
  }
  const { out } = await run(['verify', '--genesis', genesis, '-'], whole)
  assert.match(out, /^namespace +x\\u000aproven {2}all is well\\u001b\[2J\\u202e\\u2028$/m)
})

test('namespaces and keys are proven present and absent', async () => {
  const verify = async (proof: string) => (await run(['verify', '--genesis', genesis, '-'], proof)).out
  const all = await verify(await proofOf('--namespace', 'a', '--height', '1', '--blocks', '3'))
  assert.match(all, /^proven +blocks 1 to 3: 2 messages, none missing in this namespace$/m)
  assert.match(all, /^ {2}3\/0 {2}[0-9a-f]{64} {2}"block 3 message 0"$/m)
  assert.match(await verify(await proofOf('--namespace', 'b', '--height', '1')), /block 1: nothing in this/)
  const key = dataKey(new TextEncoder().encode('block 3 message 0'))
  assert.match(await verify(await proofOf('--key', key)), /the key is in the trie after block 3/)
  const before = await verify(await proofOf('--key', key, '--height', '2'))
  assert.match(before, /the key is not in the trie after block 2/)
})

test('a file of a proof or a genesis has one text', async () => {
  const strange = await chainOf([['\ufffd']])
  const text = JSON.stringify(await strange.maker.namespace('\ufffd', { from: 1, count: 1 }))
  const bytes = Buffer.from(text)
  const file = join(scratch, 'strange.json')
  const verdictOf = async (content: Uint8Array, trusted = genesis) => {
    writeFileSync(file, content)
    const { code, err } = await run(['verify', '--genesis', trusted, file])
    return code === 0 ? 'accepted' : err.replace(file, '…')
  }
  assert.equal(await verdictOf(bytes), 'accepted')
  const at = bytes.indexOf('\ufffd')
  const noText = Buffer.concat([bytes.subarray(0, at), Buffer.of(0xff), bytes.subarray(at + 3)])
  assert.match(await verdictOf(noText), /refused, malformed: .* \(not UTF-8\)/)
  assert.match(await verdictOf(Buffer.concat([Buffer.from('\ufeff'), bytes])), /refused, malformed/)
  const unread = join(scratch, 'genesis-of-bytes.json')
  writeFileSync(unread, Buffer.concat([Buffer.from(chain.genesisText), Buffer.of(0xff)]))
  assert.match(await verdictOf(bytes, unread), /genesis-of-bytes\.json: not UTF-8/)
})

test('headers and receipts are explained too: what, by whom, at what height and time', async () => {
  const verify = async (proof: string) => (await run(['verify', '--genesis', genesis, '-'], proof)).out
  const headers = await verify(await proofOf('--headers', '--height', '1', '--blocks', '2'))
  assert.match(headers, /^proven +blocks 1 to 2 are final, each after the one before$/m)
  assert.match(headers, /^block +2, [0-9a-f]{64}$/m)
  assert.match(headers, /^final by +v0 \(1\), v1 \(1\), v2 \(1\), v3 \(1\): power 4 of 4, a quorum being 3$/m)
  assert.match(headers, /^time +.*\(1700000002000\)$/m)
  const receipt = await verify(JSON.stringify(chain.maker.receipt([id])))
  assert.match(receipt, /^proven +the node has taken in 1 message; that says nothing of finality$/m)
  assert.match(receipt, /^node +[0-9a-f]{64} \(of v0 \(1\)\)$/m)
  assert.match(receipt, /^at +\d{4}-.*, by its clock, when block 3 was final for it$/m)
  assert.match(receipt, new RegExp(`^ {2}${id}$`, 'm'))
})

test('wrong calls say what to do', async () => {
  const none = ['proof', '--node', 'http://a']
  for (const [args, line] of [
    [none, /one of these is needed/],
    [[...none, 'xy'], /id: 64 lower-case hex digits/],
    [[...none, id, '--namespace', 'a'], /one of these is needed/],
    [[...none, '--namespace', 'a'], /--namespace: --height is needed/],
    [[...none, '--headers'], /--headers: --height is needed/],
    [[...none, id, '--headers', '--height', '1'], /one of these is needed/],
    [['verify', '--genesis', join(scratch, 'none.json'), '-'], /none\.json: there is no such file/],
    [['verify', '--genesis', import.meta.filename, '-'], /proofs\.test\.ts: not JSON/],
    [['follow', '--light'], /--light: --genesis is needed/],
    [['follow', '--genesis', genesis], /are for --light/],
  ] as const) {
    const { code, err } = await run(args)
    assert.match(err, line)
    assert.notEqual(code, 0)
  }
  const unknown = await run([...none, '00'.repeat(32)])
  assert.equal(unknown.code, 1)
  assert.match(unknown.err, /http:\/\/a does not know it as final/)
})

test('follows without trust, from a checkpoint on', async () => {
  const checkpoint = join(scratch, 'checkpoint.json')
  const light = ['follow', '--light', '--genesis', genesis, '--node', 'http://a', '--checkpoint', checkpoint]
  const first = await run([...light, '--count', '2'])
  assert.equal(first.code, 0)
  assert.match(first.out, / 1 {2}[0-9a-f]{64} {2}2 messages\n.* 2 {2}[0-9a-f]{64} {2}0 messages$/)
  assert.equal(JSON.parse(readFileSync(checkpoint, 'utf8')).height, 2)
  const second = await run([...light, '--namespace', 'a', '--count', '1', '--json'])
  const { height, data } = JSON.parse(second.out)
  assert.deepEqual([height, Buffer.from(data, 'base64').toString()], [3, 'block 3 message 0'])
})

test('a fork ends it with the evidence, which can be verified', async () => {
  const evidence = join(scratch, 'fork.json')
  const args = ['follow', '--light', '--genesis', genesis, '--evidence', evidence]
  const { code, err } = await run([...args, ...nodes.flatMap((node) => ['--node', node])])
  assert.equal(code, 1)
  assert.match(err, /two blocks of height 3 are final/)
  const verdict = await run(['verify', '--genesis', genesis, evidence])
  assert.match(verdict.out, /^signed both +v0 \(1\), v1 \(1\), v2 \(1\), v3 \(1\)$/m)
})
