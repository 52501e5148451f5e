// The commands that look at and move a real node.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCli } from '../../src/cli/program.ts'
import { aLocalNetwork, until } from '../support/local-network.ts'

async function run(...args: string[]): Promise<{ code: number; out: string[]; err: string[] }> {
  const out: string[] = []
  const err: string[] = []
  const code = await runCli(args, {
    env: {},
    print: (line) => out.push(line),
    note: (line) => err.push(line),
    progress: () => undefined,
    async *input() {},
    untilStopped: () => ({ signal: new Promise(() => undefined), insisted: new Promise(() => undefined) }),
  })
  return { code, out, err }
}

const textOf = (data: string) => Buffer.from(data, 'base64').toString()

async function aNetwork(context: TestContext) {
  const network = await aLocalNetwork(context)
  const [first = '', second = ''] = network.addresses
  const homes = network.testnet.nodes.map(({ home }) => home)
  return { ...network, first, second, homes }
}

test('follow prints each message once, though the node it asks stops', {
  timeout: 120_000,
}, async (context) => {
  const { first, second, stop } = await aNetwork(context)
  const args = ['--node', first, '--node', second, '--from', '1', '--count', '3', '--json']
  const followed = run('follow', '--namespace', 'mine', ...args)
  await run('send', '--node', second, '--namespace', 'mine', '--wait', 'a')
  await run('send', '--node', second, '--wait', 'not mine')
  await stop(0)
  await run('send', '--node', second, '--namespace', 'mine', '--wait', 'b', 'c')
  const { code, out } = await followed
  assert.equal(code, 0)
  assert.deepEqual(
    out.map((line) => textOf(JSON.parse(line).data)),
    ['a', 'b', 'c'],
  )
})

test('pool shows what waits; debug dump gathers all but keys; inspect looks at a stopped node', {
  timeout: 120_000,
}, async (context) => {
  const { first, homes, folder, stop } = await aNetwork(context)
  const [home = ''] = homes
  await run('send', '--node', first, '--wait', 'in the chain')
  await stop(2)
  await stop(3)
  await run('send', '--node', first, 'waits for a quorum')
  const pool = await run('pool', '--node', first)
  assert.match(pool.out.join('\n'), /^1 message, .*\n.*"waits for a quorum"$/)
  assert.equal(JSON.parse((await run('pool', '--node', first, '--json')).out[0] ?? '').messageCount, 1)

  const output = join(folder, 'dump')
  const dump = await run('debug', 'dump', '--home', home, '--output', output)
  assert.equal(dump.code, 0, dump.err.join('\n'))
  const files = readdirSync(output)
  for (const name of [
    'status.json',
    'metrics.txt',
    'config.yaml',
    'genesis.json',
    'machine.json',
    'pool.json',
  ])
    assert.ok(files.includes(name), name)
  const seeds = readdirSync(join(home, 'keys')).map((name) =>
    readFileSync(join(home, 'keys', name), 'utf8').trim(),
  )
  for (const name of files) {
    const text = readFileSync(join(output, name), 'utf8')
    assert.ok(!seeds.some((seed) => text.includes(seed)), `${name} holds a key`)
  }

  const running = await run('inspect', '--home', home)
  assert.equal(running.code, 1)
  assert.match(running.err.join('\n'), /^diseq: .* is in use by another diseq process; stop that one first$/)
  await stop(0)
  const seen = JSON.parse((await run('inspect', '--home', home, '--json')).out[0] ?? '')
  assert.equal(seen.tip.height, 1)
  assert.equal(seen.pool.messageCount, 1)
  assert.ok(seen.record.number > 0)
  assert.match((await run('inspect', '--home', home)).out.join('\n'), /^final height +1 /m)
  assert.match((await run('inspect', '--home', home, '--block', '1')).out.join('\n'), /"in the chain"/)
  assert.equal((await run('inspect', '--home', home, '--block', '9')).code, 1)
})

test('a validator that moves takes its record along and signs again once the others told how far they are', {
  timeout: 120_000,
}, async (context) => {
  const { first, homes, folder, start, stop, addresses } = await aNetwork(context)
  const home = homes[3] ?? ''
  const signs = async () => {
    const text = await (await fetch(`${addresses[3]}/metrics`)).text()
    return /^diseq_node_signing 1$/m.test(text)
  }
  await run('send', '--node', first, '--wait', 'one')
  await stop(3)
  const record = join(folder, 'record.json')
  const exported = await run('signing', 'export', '--home', home)
  writeFileSync(record, exported.out.join('\n'))
  assert.match(exported.err.join('\n'), /Never start this node again/)
  const imported = await run('signing', 'import', record, '--home', home, '--json')
  assert.deepEqual(JSON.parse(imported.out[0] ?? ''), { home, signFrom: null })
  await start(3)
  await until(signs)
  for (let sent = 0; sent < 5; sent++) await run('send', '--node', first, '--wait', `more ${sent}`)
  await stop(3)
  const view = JSON.parse((await run('inspect', '--home', home, '--json')).out[0] ?? '')
  // Three above what the others worked on, which was height 2.
  assert.equal(view.record.signFrom, 5)
  const last = view.record.last.at(-1)
  assert.ok(last === undefined || last.height >= 5)

  const again = await run('signing', 'start-over', '--home', home, '--from', '20')
  assert.match(again.out.join('\n'), /signs from height 20 on/)
  assert.equal((await run('signing', 'import', join(folder, 'none'), '--home', home)).code, 2)
  assert.ok(existsSync(record))
})
