// Every example runs against a real network, as a reader would run it: through the package's own exports.
import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { VerifiedClient } from '../../src/client/index.ts'
import { trustGenesis } from '../../src/proofs/index.ts'
import { aLocalNetwork } from '../support/local-network.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

interface Running {
  readonly child: ChildProcessWithoutNullStreams
  readonly output: () => string
}

function run(example: string, args: readonly string[]): Running {
  const child = spawn(process.execPath, [join(root, 'examples', `${example}.ts`), ...args], { cwd: root })
  let output = ''
  const take = (chunk: Buffer): void => {
    output += chunk.toString()
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  return { child, output: () => output }
}

async function untilSaid({ child, output }: Running, pattern: RegExp): Promise<void> {
  while (!pattern.test(output())) {
    assert.equal(child.exitCode, null, output())
    await pause(50)
  }
}

async function untilEnded({ child }: Running): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit')
  return child.exitCode
}

test('the examples run', { timeout: 120_000 }, async (t) => {
  const network = await aLocalNetwork(t)
  const { client, addresses, folder } = network
  const nodes = addresses.flatMap((address) => ['--node', address])
  const genesisText = JSON.stringify(await client.genesis())
  const genesis = join(folder, 'genesis-copy.json')
  writeFileSync(genesis, genesisText)
  const trust = trustGenesis(genesisText)
  assert(trust.ok)

  await t.test('chat: two who talk to different nodes read the same', async () => {
    const [first = '', second = ''] = addresses
    const ann = run('chat', ['--node', first, '--name', 'ann', '--from', '1'])
    const bob = run('chat', ['--node', second, '--name', 'bob', '--from', '1'])
    try {
      ann.child.stdin.write('hello\n')
      await untilSaid(bob, /^\d+\/\d+ ann: hello$/m)
      bob.child.stdin.write('hello yourself\n')
      await untilSaid(ann, /^\d+\/\d+ bob: hello yourself$/m)
      await untilSaid(bob, /bob: hello yourself/)
      assert.equal(ann.output(), bob.output())
    } finally {
      ann.child.kill()
      bob.child.kill()
    }
  })

  await t.test('counter: its state follows from its namespace alone', async () => {
    const namespace = 'counter'
    for (const text of ['add 5', 'nonsense', 'set 40', 'add 2']) {
      await client.send([{ namespace, data: bytes(text) }], { isFinalAwaited: true })
    }
    const { finalHeight } = await client.status()
    const rollup = run('counter-rollup', ['--genesis', genesis, ...nodes, '--until', String(finalHeight)])
    assert.equal(await untilEnded(rollup), 0, rollup.output())
    assert.match(rollup.output(), new RegExp(`\\{"height":${finalHeight},"counter":42,"applied":3\\}`))
  })

  await t.test('auditor: promises are kept, and a made-up one is found', async () => {
    const verified = new VerifiedClient({ trust: trust.value, nodes: addresses })
    const kept = await verified.send([{ data: bytes('promised') }, { data: bytes('also promised') }])
    const receipts = join(folder, 'receipts.jsonl')
    writeFileSync(receipts, `${JSON.stringify(kept.proof)}\n{"type":"diseq/1/receipt"}\n`)
    await client.wait(kept.ids[1] ?? '')
    const { finalHeight } = await client.status()
    const args = ['--genesis', genesis, ...nodes, '--receipts', receipts, '--until', String(finalHeight)]
    const auditor = run('auditor', args)
    assert.equal(await untilEnded(auditor), 0, auditor.output())
    assert.match(auditor.output(), /^line 2: no receipt \(malformed\)$/m)
    for (const id of kept.ids) assert.match(auditor.output(), new RegExp(`^${id}: final, \\d+/\\d+$`, 'm'))
    assert.match(auditor.output(), /one chain, 2 of 2 messages looked after$/m)
  })
})
