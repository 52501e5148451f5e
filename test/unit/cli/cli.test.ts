import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Command } from 'commander'
import { makeProgram, runCli } from '../../../src/cli/program.ts'
import type { Terminal } from '../../../src/cli/terminal.ts'

const scratch = mkdtempSync(join(tmpdir(), 'diseq-cli-'))
after(() => rmSync(scratch, { recursive: true }))

/** Runs a command in this process. */
async function run(args: readonly string[], { input = '', env = {} } = {}) {
  const out: string[] = []
  const err: string[] = []
  const terminal: Terminal = {
    env,
    print: (line) => out.push(line),
    note: (line) => err.push(line),
    progress: () => undefined,
    async *input() {
      yield new TextEncoder().encode(input)
    },
    untilStopped: () => ({ signal: Promise.resolve('SIGINT'), insisted: new Promise(() => undefined) }),
  }
  const code = await runCli(args, terminal)
  return { code, out: out.join('\n'), err: err.join('\n') }
}

/** Exit 2 and one line that matches. */
async function assertWrongUsage(args: readonly string[], line: RegExp, options = {}) {
  const { code, err } = await run(args, options)
  assert.match(err, line)
  assert.equal(err.split('\n').length, 1, err)
  assert.equal(code, 2)
}

test('help is a result; a call without a command shows it and is wrong', async () => {
  const help = await run(['--help'])
  assert.equal(help.code, 0)
  for (const name of [
    'devnet',
    'send',
    'status',
    'block',
    'keys',
    'genesis',
    'init',
    'testnet',
    'start',
    'check',
  ]) {
    assert.match(help.out, new RegExp(`^  ${name} `, 'm'))
    assert.equal((await run([name, '--help'])).code, 0)
  }
  assert.equal((await run([])).code, 2)
})

test('every command takes --json', () => {
  const ends = (command: Command): Command[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap(ends)
  const terminal = {} as Terminal
  const without = ends(makeProgram({ terminal, exitCode: 0 }))
    .filter((command) => !command.options.some(({ long }) => long === '--json'))
    .map((command) => command.name())
  assert.deepEqual(without, [])
})

test('the version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  assert.deepEqual(await run(['--version']), { code: 0, out: version, err: '' })
})

test('wrong calls exit 2 with one line that says what to do', async () => {
  await assertWrongUsage(['statsu'], /^diseq: unknown command 'statsu' \(Did you mean status\?\)/)
  await assertWrongUsage(['status', '--nod', 'x'], /unknown option '--nod' \(Did you mean --node\?\)/)
  await assertWrongUsage(['status', '--node', 'localhost:1'], /An address such as http/)
  await assertWrongUsage(
    ['block', 'first'],
    /is invalid for argument 'height'\. An integer from 0 to \d+ is needed; --help shows what there is$/,
  )
  await assertWrongUsage(['block'], /missing required argument 'height'/)
  await assertWrongUsage(['keys'], /required option '--home <dir>' not specified/)
  await assertWrongUsage(['keys', '--home', scratch, '--power', '0'], /An integer from 1 to 4294967295/)
  await assertWrongUsage(
    ['testnet', '--output', scratch, '--fault-model', 'synchronous'],
    /Allowed choices are byzantine, crash/,
  )
  await assertWrongUsage(['start', '--home', join(scratch, 'none')], /not the home of a node; make one with/)
  await assertWrongUsage(['check', '--home', join(scratch, 'none')], /not the home of a node/)
  await assertWrongUsage(['send', 'a', '-'], /"-" \(standard input\) stands alone/)
  await assertWrongUsage(['send', '--hex', 'abc'], /message 1: pairs of hex digits/)
  await assertWrongUsage(['send', '--hex', '-'], /standard input, line 2: pairs of hex/, { input: '\nxy\n' })
  await assertWrongUsage(['send', '-'], /standard input holds no message/, { input: '\n\n' })
  await assertWrongUsage(
    ['send', '--namespace', 'x'.repeat(65), 'a'],
    /--namespace: 1 to 64 bytes are needed, not 65/,
  )
})

test('no node at the address is a failure of one line, without a stack', async () => {
  // Port 9 of this machine ("discard") is one that nothing here listens on; fetch refuses it or the system does.
  const { code, err } = await run(['status', '--node', 'http://127.0.0.1:9'])
  assert.equal(code, 1)
  assert.match(err, /^diseq: http:\/\/127\.0\.0\.1:9 does not answer \(.*\); start a node/)
  assert.equal(err.split('\n').length, 1)
})

test('a damaged database is named with what to do, in one line', async () => {
  const home = join(scratch, 'damaged', 'node0')
  await run(['testnet', '--output', join(scratch, 'damaged')])
  mkdirSync(join(home, 'database'))
  writeFileSync(join(home, 'database', 'CURRENT'), 'garbage')

  const { code, err } = await run(['start', '--home', home])

  assert.equal(code, 1)
  assert.match(
    err,
    /^diseq: .*is damaged: .*; move the folder "database" away, and nothing else of the home,/,
  )
  assert.equal(err.split('\n').length, 1)
})

test('the stack is shown with --log-level debug', async () => {
  const { err } = await run(['start', '--home', join(scratch, 'none'), '--log-level', 'debug'])
  assert.match(err, /\n {4}at /)
})

test('operators make a network out of their records', async () => {
  const files = await Promise.all(
    ['a', 'b'].map(async (name) => {
      const { code, out, err } = await run(['keys', '--home', join(scratch, name), '--name', name])
      assert.equal(code, 0)
      assert.match(err, /keep a copy/)
      const file = join(scratch, `${name}.json`)
      writeFileSync(file, out)
      return file
    }),
  )
  const again = await run(['keys', '--home', join(scratch, 'a'), '--name', 'a'])
  assert.equal(again.out, readFileSync(files[0] ?? '', 'utf8'))

  const genesis = await run(['genesis', '--chain', 'pair', '--validator', ...files])
  assert.equal(genesis.code, 0)
  const genesisFile = join(scratch, 'genesis.json')
  writeFileSync(genesisFile, `${genesis.out}\n`)

  const init = await run([
    'init',
    '--home',
    join(scratch, 'b'),
    '--genesis',
    genesisFile,
    '--http',
    '127.0.0.1:8099',
    '--json',
  ])
  assert.equal(init.code, 0)
  assert.equal(JSON.parse(init.out).validatorIndex, 1)
  assert.match(readFileSync(join(scratch, 'b', 'config.yaml'), 'utf8'), /^http: 127\.0\.0\.1:8099$/m)
  const follower = await run(['init', '--home', join(scratch, 'c'), '--genesis', genesisFile])
  assert.match(follower.out, /follows the chain without voting/)
  await assertWrongUsage(
    ['init', '--home', join(scratch, 'c'), '--genesis', genesisFile],
    /the home of a node already/,
  )
})

test('a record that is there twice is refused with its file', async () => {
  const { out } = await run(['keys', '--home', join(scratch, 'twice')])
  const file = join(scratch, 'twice.json')
  writeFileSync(file, out)
  const { code, err } = await run(['genesis', '--chain', 'pair', '--validator', file, file])
  assert.equal(code, 1)
  assert.match(err, /twice\.json: has the same votingKey as .*twice\.json/)
  const missing = await run(['genesis', '--chain', 'pair', '--validator', join(scratch, 'no.json')])
  assert.match(missing.err, /no\.json: there is no such file/)
})

test('devnet refuses options that contradict its folder, and names both', async () => {
  const output = join(scratch, 'net')
  const made = await run(['testnet', '--output', output, '--validators', '2', '--json'])
  assert.equal(JSON.parse(made.out).nodes.length, 2)
  await assertWrongUsage(
    ['devnet', '--output', output, '--validators', '3'],
    /made with --validators 2, and --validators 3 was asked for/,
  )
})

test('an unknown key in the config of a home is named', async () => {
  const output = join(scratch, 'badconfig')
  await run(['testnet', '--output', output, '--validators', '1'])
  const file = join(output, 'node0', 'config.yaml')
  writeFileSync(file, 'htpp: 127.0.0.1:1\n')
  await assertWrongUsage(
    ['start', '--home', join(output, 'node0')],
    /config\.yaml: htpp: there is no such option \(did you mean http\?\)/,
  )
})
