// What a newcomer does: a network of four processes, a message, Ctrl-C, and on again with the same data.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'diseq-devnet-'))
const output = join(scratch, 'net')
const running: ChildProcess[] = []
after(() => {
  // Nodes of a devnet that was killed stop by themselves.
  for (const child of running) child.kill('SIGKILL')
  rmSync(scratch, { recursive: true, maxRetries: 20 })
})

test('devnet takes messages, outlives a node, stops at Ctrl-C and goes on later', async () => {
  const basePort = await freePorts(8)
  const first = await startDevnet(['--base-http-port', `${basePort}`, '--base-p2p-port', `${basePort + 4}`])
  assert.equal(first.ready.height, 0)
  assert.equal(first.ready.nodes.length, 4)

  const [id, height] = send(first.ready.nodes, 'first').split(' ')
  assert.match(id ?? '', /^[0-9a-f]{64}$/)
  assert.equal(height, '1')
  const block = JSON.parse(await first.nextLine())
  assert.deepEqual([block.event, block.height, block.messageCount], ['block', 1, 1])

  const { peers } = first
  process.kill(peers[3] ?? 0, 'SIGKILL')
  assert.match(send(first.ready.nodes.slice(0, 3), 'second'), /^[0-9a-f]{64} 2 0$/)

  const refused = diseq(['devnet', '--output', output])
  assert.equal(refused.status, 1)
  assert.match(refused.stderr, /is taken, perhaps by a network that still runs/)

  assert.equal(await first.stop(), 0)
  for (const pid of peers) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })

  const second = await startDevnet([])
  assert.equal(second.ready.height, 2)
  assert.match(send(second.ready.nodes, 'third'), / 3 0$/)
  assert.equal(await second.stop(), 0)
  // Told of although it was stopped right after the block became final.
  assert.equal(JSON.parse(await second.nextLine()).height, 3)
})

async function startDevnet(options: readonly string[]) {
  const child = spawn(process.execPath, [main, 'devnet', '--json', '--output', output, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running.push(child)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const nextLine = async (): Promise<string> => {
    const { value, done } = await lines.next()
    assert.equal(done, false, 'devnet ended')
    return value
  }
  const ready: { height: number; nodes: string[] } = JSON.parse(await nextLine())
  const stop = async () => {
    child.kill('SIGINT')
    const [code] = await once(child, 'exit')
    return code
  }
  return { ready, nextLine, stop, peers: childrenOf(child.pid ?? 0) }
}

/** The place of a message once it is final: `id height index`. */
function send(nodes: readonly string[], text: string): string {
  const { status, stdout, stderr } = diseq(['send', '--wait', '--node', nodes[0] ?? '', text])
  assert.equal(status, 0, stderr)
  return stdout.trim()
}

function diseq(args: readonly string[]) {
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
}

/** Process ids in the order of their start. */
function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
  const rows = stdout.split('\n').map((row) => row.trim().split(/\s+/).map(Number))
  return rows.filter(([, parent]) => parent === pid).map(([child = 0]) => child)
}

/** The first of `count` ports in a row that nobody listens on. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    server.close()
    await once(server, 'close')
    const port = typeof address === 'object' && address !== null ? address.port : 0
    if (port + count > 65_535) continue
    const others = Array.from({ length: count - 1 }, (_, index) => isFree(port + 1 + index))
    if ((await Promise.all(others)).every(Boolean)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
