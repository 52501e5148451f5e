// A stranger's first minutes: a fresh clone, and an installed package. Needs git and the package registry.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Client } from '../../src/client/index.ts'
import { freePorts, untilReady } from '../support/local-network.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'diseq-package-'))
after(() => rmSync(scratch, { recursive: true }))

const skip = reasonToSkip()

test('a fresh clone installs with an empty cache, warns of no scripts, and has the command', { skip }, () => {
  const clone = join(scratch, 'clone')
  run('git', ['clone', '--quiet', root, clone], scratch)
  const installed = run('npm', ['ci', '--cache', join(scratch, 'cache')], clone)
  assert.doesNotMatch(installed.stderr, /install scripts|allowScripts/)
  const pinned = join(clone, 'node_modules', '.bin', 'node')
  assert.match(run(pinned, ['--version'], clone).stdout, /^v24\./)
  assert.match(run('npx', ['--no-install', 'diseq', '--help'], clone).stdout, /^Usage: diseq/)
})

test('a packed and installed package has the command, the examples and nothing of the sources', {
  skip,
}, () => {
  const packed = run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', scratch], root)
  const archive = join(scratch, packed.stdout.trim().split('\n').at(-1) ?? '')
  const app = mkdtempSync(join(scratch, 'app-'))
  writeFileSync(join(app, 'package.json'), '{"name":"app","version":"1.0.0","private":true}')
  run('npm', ['install', '--no-audit', '--no-fund', archive], app)
  const files = readdirSync(join(app, 'node_modules', 'diseq'))
  assert.deepEqual(
    files.filter((name) => ['src', 'test', 'scripts'].includes(name)),
    [],
  )
  for (const name of ['config', 'docs', 'LICENSE', 'SECURITY.md']) assert.ok(files.includes(name), name)
  const main = join(app, 'node_modules', 'diseq', 'dist', 'cli', 'main.js')
  assert.match(run(process.execPath, [main, 'testnet', '--output', 'net'], app).stdout, /^Made 4 nodes/)
})

test('in an empty folder, the packed package runs a network by npx', { skip, timeout: 300_000 }, async () => {
  const packed = run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', scratch], root)
  const archive = join(scratch, packed.stdout.trim().split('\n').at(-1) ?? '')
  const folder = mkdtempSync(join(scratch, 'empty-'))
  const base = await freePorts(8)
  const ports = ['--base-http-port', String(base), '--base-p2p-port', String(base + 4)]
  const network = spawn('npx', ['--yes', '--package', archive, 'diseq', 'devnet', ...ports], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = new Promise((resolve) => network.once('close', resolve))
  try {
    const address = `http://127.0.0.1:${base}`
    await untilReady(address)
    const data = new TextEncoder().encode('from an empty folder')
    const [state] = await new Client({ nodes: [address] }).send([{ data }], { isFinalAwaited: true })
    assert.equal(state?.state, 'final')
  } finally {
    // npx and what it runs, as Ctrl-C in a terminal would.
    process.kill(-(network.pid ?? 0), 'SIGINT')
    await ended
  }
  assert.deepEqual(readdirSync(folder), ['.diseq'])
})

function run(command: string, args: readonly string[], cwd: string) {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8' })
  assert.equal(result.status, 0, `${command} ${args.join(' ')}\n${result.stdout}\n${result.stderr}`)
  return result
}

function reasonToSkip(): string | false {
  if (spawnSync('git', ['-C', root, 'rev-parse', 'HEAD']).status !== 0)
    return 'git, or a git checkout, is missing'
  const ping = spawnSync('npm', ['ping', '--fetch-retries=0', '--fetch-timeout=10000'], { cwd: scratch })
  return ping.status === 0 ? false : 'the package registry is out of reach'
}
